//! Which operation a request asks for: the one table of methods and paths.

use http::Method;
use percent_encoding::percent_decode_str;

/// What the workspace can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Operation {
    Open(Open),
    Guarded(Guarded),
}

/// What anybody may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    GetHostMetadata,
    GetOAuthMetadata,
    CreateToken,
}

/// What needs a caller. Names of things come out of the path, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guarded {
    CreateCredential,
    ListCredentials,
    GetCredential(String),
    UpdateCredential(String),
    DeleteCredential(String),
    ValidateCredential,
    GenerateTemporaryServiceCredential,
    GetGrants(String),
    UpdateGrants(String),
    GetMetastoreGrants(String),
    UpdateMetastoreGrants(String),
    GetBindings(String),
    UpdateBindings(String),
    GetMetastoreAssignment,
    GetMetastoreSummary,
    GetMe,
}

/// Every operation's name, for a fault that wants to strike one of them.
pub(super) const NAMES: [&str; 19] = [
    "CreateCredential",
    "ListCredentials",
    "GetCredential",
    "UpdateCredential",
    "DeleteCredential",
    "ValidateCredential",
    "GenerateTemporaryServiceCredential",
    "GetGrants",
    "UpdateGrants",
    "GetMetastoreGrants",
    "UpdateMetastoreGrants",
    "GetBindings",
    "UpdateBindings",
    "GetMetastoreAssignment",
    "GetMetastoreSummary",
    "GetMe",
    "GetHostMetadata",
    "GetOAuthMetadata",
    "CreateToken",
];

impl Operation {
    /// The operation of a method and a path, if there is one.
    pub(super) fn of(method: &Method, path: &str) -> Option<Self> {
        let decoded: Vec<String> = path
            .strip_prefix('/')?
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned))
            .collect::<Option<_>>()?;
        let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["api", "2.1", "unity-catalog", rest @ ..] => Guarded::of(method, rest).map(Self::Guarded),
            ["api", "2.0", "preview", "scim", "v2", "Me"] if method == Method::GET => {
                Some(Self::Guarded(Guarded::GetMe))
            }
            [".well-known", "databricks-config"] if method == Method::GET => {
                Some(Self::Open(Open::GetHostMetadata))
            }
            ["oidc", ".well-known", "oauth-authorization-server"] if method == Method::GET => {
                Some(Self::Open(Open::GetOAuthMetadata))
            }
            ["oidc", "v1", "token"] if method == Method::POST => Some(Self::Open(Open::CreateToken)),
            _ => None,
        }
    }

    /// The name that faults and the journal use.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Open(Open::GetHostMetadata) => "GetHostMetadata",
            Self::Open(Open::GetOAuthMetadata) => "GetOAuthMetadata",
            Self::Open(Open::CreateToken) => "CreateToken",
            Self::Guarded(operation) => operation.name(),
        }
    }
}

impl Guarded {
    /// The operation of a method and what follows `/api/2.1/unity-catalog/`.
    fn of(method: &Method, segments: &[&str]) -> Option<Self> {
        let credential = |kind: &str| kind.eq_ignore_ascii_case("credential");
        let metastore = |kind: &str| kind.eq_ignore_ascii_case("metastore");
        match (method.as_str(), segments) {
            ("POST", ["credentials"]) => Some(Self::CreateCredential),
            ("GET", ["credentials"]) => Some(Self::ListCredentials),
            ("GET", ["credentials", name]) => Some(Self::GetCredential((*name).to_owned())),
            ("PATCH", ["credentials", name]) => Some(Self::UpdateCredential((*name).to_owned())),
            ("DELETE", ["credentials", name]) => Some(Self::DeleteCredential((*name).to_owned())),
            ("POST", ["validate-credentials"]) => Some(Self::ValidateCredential),
            ("POST", ["temporary-service-credentials"]) => Some(Self::GenerateTemporaryServiceCredential),
            ("GET", ["permissions", kind, name]) if credential(kind) => {
                Some(Self::GetGrants((*name).to_owned()))
            }
            ("PATCH", ["permissions", kind, name]) if credential(kind) => {
                Some(Self::UpdateGrants((*name).to_owned()))
            }
            ("GET", ["permissions", kind, id]) if metastore(kind) => {
                Some(Self::GetMetastoreGrants((*id).to_owned()))
            }
            ("PATCH", ["permissions", kind, id]) if metastore(kind) => {
                Some(Self::UpdateMetastoreGrants((*id).to_owned()))
            }
            ("GET", ["bindings", kind, name]) if credential(kind) => {
                Some(Self::GetBindings((*name).to_owned()))
            }
            ("PATCH", ["bindings", kind, name]) if credential(kind) => {
                Some(Self::UpdateBindings((*name).to_owned()))
            }
            ("GET", ["current-metastore-assignment"]) => Some(Self::GetMetastoreAssignment),
            ("GET", ["metastore_summary"]) => Some(Self::GetMetastoreSummary),
            _ => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::CreateCredential => "CreateCredential",
            Self::ListCredentials => "ListCredentials",
            Self::GetCredential(_) => "GetCredential",
            Self::UpdateCredential(_) => "UpdateCredential",
            Self::DeleteCredential(_) => "DeleteCredential",
            Self::ValidateCredential => "ValidateCredential",
            Self::GenerateTemporaryServiceCredential => "GenerateTemporaryServiceCredential",
            Self::GetGrants(_) => "GetGrants",
            Self::UpdateGrants(_) => "UpdateGrants",
            Self::GetMetastoreGrants(_) => "GetMetastoreGrants",
            Self::UpdateMetastoreGrants(_) => "UpdateMetastoreGrants",
            Self::GetBindings(_) => "GetBindings",
            Self::UpdateBindings(_) => "UpdateBindings",
            Self::GetMetastoreAssignment => "GetMetastoreAssignment",
            Self::GetMetastoreSummary => "GetMetastoreSummary",
            Self::GetMe => "GetMe",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, path: &str, expected: Option<&Operation>) {
        if let Some(operation) = expected {
            assert!(NAMES.contains(&operation.name()), "{operation:?} cannot be struck by a fault");
        }
        let method: Method = method.parse().expect("a method");
        assert_eq!(Operation::of(&method, path).as_ref(), expected, "{method} {path}");
    }

    fn check_unity(request: &str, expected: Option<Guarded>) {
        let (method, path) = request.split_once(' ').expect("method and path");
        check(method, &format!("/api/2.1/unity-catalog/{path}"), expected.map(Operation::Guarded).as_ref());
    }

    #[test]
    fn names_in_paths_are_decoded_once() {
        let get = |name: &str| Some(Guarded::GetCredential(name.to_owned()));
        check_unity("GET credentials/kinesis", get("kinesis"));
        check_unity("GET credentials/a%23b%25", get("a#b%"));
        check_unity("GET credentials/a%2Fb", get("a/b"));
        check_unity("GET credentials/%FF", None);
        check_unity("GET credentials/a/b", None);
    }

    #[test]
    fn methods_and_securables_are_told_apart() {
        check_unity("POST credentials", Some(Guarded::CreateCredential));
        check_unity("GET credentials", Some(Guarded::ListCredentials));
        check_unity("PUT credentials", None);
        check_unity("POST validate-credentials", Some(Guarded::ValidateCredential));
        check_unity("PATCH permissions/CREDENTIAL/c", Some(Guarded::UpdateGrants("c".to_owned())));
        check_unity("GET permissions/metastore/m", Some(Guarded::GetMetastoreGrants("m".to_owned())));
        check_unity("GET permissions/table/t", None);
        check("GET", "/oidc/v1/token", None);
        check("POST", "/oidc/v1/token", Some(&Operation::Open(Open::CreateToken)));
        check("GET", "nonsense", None);
    }
}
