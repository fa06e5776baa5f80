//! Privileges on a securable: who holds what, and how a list of changes is applied.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::directory::Directory;
use super::error::ApiError;
use super::fields::Fields;
use super::principal::Principal;

/// What can be granted on a credential.
const ON_CREDENTIAL: [&str; 4] = ["ACCESS", "ALL_PRIVILEGES", "CREATE_CONNECTION", "MANAGE"];

/// What can be granted on the metastore, as far as credentials are concerned.
const ON_METASTORE: [&str; 5] = [
    "CREATE_CATALOG",
    "CREATE_CONNECTION",
    "CREATE_EXTERNAL_LOCATION",
    "CREATE_SERVICE_CREDENTIAL",
    "CREATE_STORAGE_CREDENTIAL",
];

/// A privilege that [`ON_CREDENTIAL`] implies: all but the right to manage.
const ALL_PRIVILEGES: &str = "ALL_PRIVILEGES";

/// The kinds of things that the sandbox's grants are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Securable {
    Credential,
    Metastore,
}

impl Securable {
    fn privileges(self) -> &'static [&'static str] {
        match self {
            Self::Credential => &ON_CREDENTIAL,
            Self::Metastore => &ON_METASTORE,
        }
    }
}

/// The privileges granted on one securable, by principal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Grants(BTreeMap<String, BTreeSet<&'static str>>);

/// A checked list of changes.
#[derive(Debug)]
pub(super) struct GrantChanges(Vec<GrantChange>);

#[derive(Debug)]
struct GrantChange {
    principal: String,
    add: Vec<&'static str>,
    remove: Vec<&'static str>,
}

impl GrantChanges {
    /// Reads `{"changes":[{"principal":…,"add":[…],"remove":[…]}]}`. Nothing is applied unless all of it is good.
    pub(super) fn read(
        fields: &Fields,
        securable: Securable,
        directory: &Directory,
    ) -> Result<Self, ApiError> {
        let changes = fields.objects("changes")?;
        let read = |change: &Fields| {
            let principal = change.required_text("principal")?.to_owned();
            directory.require(&principal)?;
            let add = privileges(change, "add", securable)?;
            let remove = privileges(change, "remove", securable)?;
            if let Some(both) = add.iter().find(|privilege| remove.contains(privilege)) {
                return Err(ApiError::invalid(format!(
                    "privilege `{both}` is in both `{}` and `{}`",
                    change.name("add"),
                    change.name("remove"),
                )));
            }
            Ok(GrantChange { principal, add, remove })
        };
        changes.iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn privileges(change: &Fields, field: &str, securable: Securable) -> Result<Vec<&'static str>, ApiError> {
    let known = securable.privileges();
    change
        .texts(field)?
        .into_iter()
        .map(|wanted| {
            // SQL writes `CREATE CONNECTION`, the API `CREATE_CONNECTION`; the API takes only its own.
            known.iter().copied().find(|privilege| *privilege == wanted).ok_or_else(|| {
                ApiError::invalid(format!(
                    "`{wanted}` in field `{}` is not a privilege on this securable; use one of {}",
                    change.name(field),
                    known.join(", "),
                ))
            })
        })
        .collect()
}

impl Grants {
    pub(super) fn apply(&mut self, changes: GrantChanges) {
        for change in changes.0 {
            let held = self.0.entry(change.principal).or_default();
            held.extend(change.add);
            held.retain(|privilege| !change.remove.contains(privilege));
        }
        self.0.retain(|_, held| !held.is_empty());
    }

    /// Whether `principal` holds `privilege`, itself or through a group.
    pub(super) fn allow(&self, principal: &Principal, privilege: &str) -> bool {
        self.reaching(principal)
            .any(|held| held.contains(privilege) || (privilege != "MANAGE" && held.contains(ALL_PRIVILEGES)))
    }

    /// Whether `principal` holds anything at all.
    pub(super) fn reach(&self, principal: &Principal) -> bool {
        self.reaching(principal).next().is_some()
    }

    /// The assignments as the wire has them, of everybody or of one principal.
    pub(super) fn assignments(&self, of: Option<&str>) -> Assignments {
        let wanted = |principal: &&String| of.is_none_or(|of| *principal == of);
        let privilege_assignments = self
            .0
            .iter()
            .filter(|(principal, _)| wanted(principal))
            .map(|(principal, held)| Assignment {
                principal: principal.clone(),
                privileges: held.iter().copied().collect(),
            })
            .collect();
        Assignments { privilege_assignments }
    }

    fn reaching<'a>(&'a self, principal: &'a Principal) -> impl Iterator<Item = &'a BTreeSet<&'static str>> {
        self.0.iter().filter(|(name, _)| principal.answers_to(name)).map(|(_, held)| held)
    }
}

/// The answer to reading and changing grants. An empty list is left out, as protocol buffers do.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct Assignments {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    privilege_assignments: Vec<Assignment>,
}

#[derive(Debug, Serialize, PartialEq, Eq)]
struct Assignment {
    principal: String,
    privileges: Vec<&'static str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        Directory::new(vec![Principal::user("ada@example.com")], vec!["data-engineers".to_owned()])
    }

    fn changes(body: &str) -> Result<GrantChanges, ApiError> {
        let fields = Fields::parse(body.as_bytes()).expect("an object");
        GrantChanges::read(&fields, Securable::Credential, &directory())
    }

    #[test]
    fn adding_and_removing_leaves_no_empty_rows() {
        let mut grants = Grants::default();
        let add = r#"{"changes":[{"principal":"data-engineers","add":["ACCESS"]},
                                 {"principal":"ada@example.com","add":["MANAGE","ACCESS"]}]}"#;
        grants.apply(changes(add).expect("good"));
        assert_eq!(
            serde_json::to_value(grants.assignments(Some("ada@example.com"))).expect("serializes"),
            serde_json::json!({"privilege_assignments": [{"principal": "ada@example.com", "privileges": ["ACCESS", "MANAGE"]}]}),
        );
        let remove = r#"{"changes":[{"principal":"data-engineers","remove":["ACCESS"]}]}"#;
        grants.apply(changes(remove).expect("good"));
        assert_eq!(grants.assignments(Some("data-engineers")).privilege_assignments, []);
    }

    #[test]
    fn all_privileges_give_access_but_not_manage() {
        let mut grants = Grants::default();
        grants.apply(
            changes(r#"{"changes":[{"principal":"account users","add":["ALL_PRIVILEGES"]}]}"#).expect("good"),
        );
        let ada = Principal::user("ada@example.com");
        assert!(grants.allow(&ada, "ACCESS"));
        assert!(!grants.allow(&ada, "MANAGE"));
    }

    #[test]
    fn bad_changes_are_named() {
        for (body, part) in [
            (r#"{"changes":[{"add":["ACCESS"]}]}"#, "`changes[0].principal` is required"),
            (r#"{"changes":[{"principal":"nobody","add":["ACCESS"]}]}"#, "nobody"),
            (r#"{"changes":[{"principal":"data-engineers","add":["SELECT"]}]}"#, "ACCESS, ALL_PRIVILEGES"),
            (
                r#"{"changes":[{"principal":"data-engineers","add":["ACCESS"],"remove":["ACCESS"]}]}"#,
                "in both",
            ),
            (r#"{"changes":{}}"#, "`changes` must be a list"),
        ] {
            let message = changes(body).expect_err(body).message;
            assert!(message.contains(part), "{message}");
        }
    }
}
