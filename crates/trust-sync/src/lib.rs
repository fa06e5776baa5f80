//! Makes a role's live trust policy equal to what its Databricks credential asks for.
