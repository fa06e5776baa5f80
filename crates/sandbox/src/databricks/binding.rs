//! Which workspaces may use a credential that is not open to all of them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::error::ApiError;
use super::fields::Fields;

/// The workspaces a credential is bound to. They count only while it is isolated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bindings(BTreeMap<u64, BindingType>);

/// What a bound workspace may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) enum BindingType {
    #[serde(rename = "BINDING_TYPE_READ_WRITE")]
    ReadWrite,
    #[serde(rename = "BINDING_TYPE_READ_ONLY")]
    ReadOnly,
}

/// A checked list of changes.
#[derive(Debug)]
pub(super) struct BindingChanges {
    add: Vec<(u64, BindingType)>,
    remove: Vec<u64>,
}

impl BindingChanges {
    /// Reads `{"add":[{"workspace_id":…,"binding_type":…}],"remove":[…]}`.
    pub(super) fn read(fields: &Fields) -> Result<Self, ApiError> {
        let add = fields.objects("add")?.iter().map(binding).collect::<Result<_, _>>()?;
        let remove = fields.objects("remove")?.iter().map(workspace_id).collect::<Result<_, _>>()?;
        Ok(Self { add, remove })
    }
}

fn binding(fields: &Fields) -> Result<(u64, BindingType), ApiError> {
    let binding_type = match fields.text("binding_type")? {
        None | Some("BINDING_TYPE_READ_WRITE") => BindingType::ReadWrite,
        Some("BINDING_TYPE_READ_ONLY") => BindingType::ReadOnly,
        Some(other) => {
            return Err(ApiError::invalid(format!(
                "`{other}` in field `{}` is not a binding type; use BINDING_TYPE_READ_WRITE or \
                 BINDING_TYPE_READ_ONLY",
                fields.name("binding_type"),
            )));
        }
    };
    Ok((workspace_id(fields)?, binding_type))
}

fn workspace_id(fields: &Fields) -> Result<u64, ApiError> {
    fields
        .number("workspace_id")?
        .ok_or_else(|| ApiError::invalid(format!("field `{}` is required", fields.name("workspace_id"))))
}

impl Bindings {
    pub(super) fn apply(&mut self, changes: BindingChanges) {
        self.0.extend(changes.add);
        self.0.retain(|workspace_id, _| !changes.remove.contains(workspace_id));
    }

    pub(super) fn contain(&self, workspace_id: u64) -> bool {
        self.0.contains_key(&workspace_id)
    }

    /// The bindings as the wire has them.
    pub(super) fn list(&self) -> BindingList {
        let row = |(workspace_id, binding_type): (&u64, &BindingType)| Binding {
            workspace_id: *workspace_id,
            binding_type: *binding_type,
        };
        BindingList { bindings: self.0.iter().map(row).collect() }
    }
}

/// The answer to reading and changing bindings. An empty list is left out, as protocol buffers do.
#[derive(Debug, Serialize)]
pub(super) struct BindingList {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<Binding>,
}

#[derive(Debug, Serialize)]
struct Binding {
    workspace_id: u64,
    binding_type: BindingType,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(body: &str) -> Result<BindingChanges, ApiError> {
        BindingChanges::read(&Fields::parse(body.as_bytes()).expect("an object"))
    }

    #[test]
    fn adding_twice_changes_the_type() {
        let mut bindings = Bindings::default();
        bindings.apply(changes(r#"{"add":[{"workspace_id":7}]}"#).expect("good"));
        bindings.apply(
            changes(r#"{"add":[{"workspace_id":"7","binding_type":"BINDING_TYPE_READ_ONLY"}]}"#)
                .expect("good"),
        );
        assert_eq!(
            serde_json::to_value(bindings.list()).expect("serializes"),
            serde_json::json!({"bindings": [{"workspace_id": 7, "binding_type": "BINDING_TYPE_READ_ONLY"}]}),
        );
        bindings.apply(changes(r#"{"remove":[{"workspace_id":7}]}"#).expect("good"));
        assert!(!bindings.contain(7));
    }

    #[test]
    fn bad_bindings_are_named() {
        let message =
            changes(r#"{"add":[{"binding_type":"BINDING_TYPE_READ_ONLY"}]}"#).expect_err("no id").message;
        assert_eq!(message, "field `add[0].workspace_id` is required");
        let message =
            changes(r#"{"add":[{"workspace_id":1,"binding_type":"X"}]}"#).expect_err("bad type").message;
        assert!(message.contains("`add[0].binding_type`"), "{message}");
    }
}
