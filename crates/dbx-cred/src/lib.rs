//! Creates, validates and uses a Databricks service credential.
