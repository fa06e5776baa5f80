//! Writes the trust and the permission policy that Databricks needs.
