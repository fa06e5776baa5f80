//! The environment by which clients find the sandbox, and keep from finding anything else.

use std::io;

use tempfile::TempDir;

/// Settings of the user's own that would lead a client past the sandbox.
pub const UNSET: [&str; 31] = [
    "AWS_ACCOUNT_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_DEFAULT_PROFILE",
    "AWS_ENDPOINT_URL",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    "AWS_PROFILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_SESSION_TOKEN",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "ARM_CLIENT_ID",
    "ARM_CLIENT_SECRET",
    "ARM_TENANT_ID",
    "DATABRICKS_ACCOUNT_ID",
    "DATABRICKS_AUTH_TYPE",
    "DATABRICKS_AZURE_RESOURCE_ID",
    "DATABRICKS_CLIENT_ID",
    "DATABRICKS_CLIENT_SECRET",
    "DATABRICKS_CLUSTER_ID",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_METADATA_SERVICE_URL",
    "DATABRICKS_OIDC_TOKEN_FILEPATH",
    "DATABRICKS_PASSWORD",
    "DATABRICKS_SERVERLESS_COMPUTE_ID",
    "DATABRICKS_USERNAME",
    "GOOGLE_CREDENTIALS",
    "GOOGLE_SERVICE_ACCOUNT",
];

/// The empty files that stand in for the user's own. They go when this is dropped.
#[derive(Debug)]
pub(crate) struct Files {
    folder: TempDir,
}

impl Files {
    /// Creates them.
    ///
    /// # Errors
    /// When the folder for temporary files cannot be written.
    pub(crate) fn create() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("kinbricks-sandbox-").tempdir()?;
        let files = Self { folder };
        for (_, name) in FILES {
            std::fs::write(files.folder.path().join(name), "")?;
        }
        Ok(files)
    }

    /// The variables that point at them.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        FILES
            .map(|(variable, name)| {
                let path = self.folder.path().join(name);
                (variable.to_owned(), path.display().to_string())
            })
            .into_iter()
    }
}

/// Which variable names which file.
const FILES: [(&str, &str); 3] = [
    ("AWS_CONFIG_FILE", "aws-config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "aws-credentials"),
    ("DATABRICKS_CONFIG_FILE", "databrickscfg"),
];

/// The variables as lines for a POSIX shell.
pub fn shell_lines(variables: &[(String, String)]) -> String {
    let mut lines = format!("unset {}\n", UNSET.join(" "));
    for (name, value) in variables {
        // A quote ends the quoted text, stands escaped, and begins it again.
        let quoted = value.replace('\'', r"'\''");
        lines.push_str("export ");
        lines.push_str(name);
        lines.push_str("='");
        lines.push_str(&quoted);
        lines.push_str("'\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_for_a_shell() {
        let lines = shell_lines(&[("A".to_owned(), "it's".to_owned()), ("B".to_owned(), String::new())]);
        assert!(lines.ends_with("\nexport A='it'\\''s'\nexport B=''\n"), "{lines}");
        assert!(lines.starts_with("unset AWS_ACCOUNT_ID "), "{lines}");
    }

    #[test]
    fn the_files_are_empty_and_go_with_the_sandbox() {
        let files = Files::create().unwrap();
        let paths: Vec<_> = files.variables().map(|(_, path)| path).collect();
        assert_eq!(paths.len(), 3);
        for path in &paths {
            assert_eq!(std::fs::read_to_string(path).unwrap(), "");
        }
        drop(files);
        for path in &paths {
            assert!(!std::path::Path::new(path).exists(), "{path}");
        }
    }
}
