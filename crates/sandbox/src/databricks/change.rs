//! What a client asks for when it creates or changes a credential: read, checked, not yet done.

use super::credential::{CredentialName, IsolationMode, Purpose};
use super::error::ApiError;
use super::fields::Fields;
use super::role_arn::RoleArn;

/// Ways of access that other clouds have. This workspace runs on AWS.
const OTHER_CLOUDS: [&str; 3] =
    ["azure_managed_identity", "azure_service_principal", "databricks_gcp_service_account"];

/// Members of `aws_iam_role` that Databricks sets. An update that sends them back is refused.
const OUTPUT_ONLY: [&str; 2] = ["external_id", "unity_catalog_iam_arn"];

/// A credential to be.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: CredentialName,
    pub(super) purpose: Purpose,
    pub(super) role_arn: RoleArn,
    pub(super) comment: Option<String>,
    pub(super) read_only: bool,
    pub(super) skip_validation: bool,
}

impl Draft {
    pub(super) fn read(fields: &Fields) -> Result<Self, ApiError> {
        refuse_other_clouds(fields)?;
        let name = CredentialName::parse(fields.required_text("name")?, "name")?;
        let purpose = Purpose::parse(fields.required_text("purpose")?, "purpose")?;
        let role = fields.object("aws_iam_role")?;
        let role = role.ok_or_else(|| ApiError::invalid("field `aws_iam_role` is required"))?;
        let read_only = fields.flag("read_only")?;
        check_read_only(read_only, purpose)?;
        Ok(Self {
            name,
            purpose,
            role_arn: role_arn(&role)?,
            comment: fields.text("comment")?.filter(|comment| !comment.is_empty()).map(str::to_owned),
            read_only,
            skip_validation: fields.flag("skip_validation")?,
        })
    }
}

/// What an update changes: only what it names.
#[derive(Debug)]
pub(super) struct Patch {
    pub(super) role_arn: Option<RoleArn>,
    /// An empty comment removes it.
    pub(super) comment: Option<String>,
    pub(super) new_name: Option<CredentialName>,
    pub(super) owner: Option<String>,
    pub(super) isolation_mode: Option<IsolationMode>,
    pub(super) read_only: Option<bool>,
    pub(super) force: bool,
    pub(super) skip_validation: bool,
}

impl Patch {
    pub(super) fn read(fields: &Fields) -> Result<Self, ApiError> {
        refuse_other_clouds(fields)?;
        let role = fields.object("aws_iam_role")?;
        if let Some(role) = &role
            && let Some(output) = OUTPUT_ONLY.into_iter().find(|output| role.has(output))
        {
            return Err(ApiError::invalid(format!(
                "field `{}` is set by Databricks and cannot be updated; send `role_arn` alone",
                role.name(output),
            )));
        }
        let text = |field| fields.text(field).map(|found| found.map(str::to_owned));
        let patch = Self {
            role_arn: role.as_ref().map(role_arn).transpose()?,
            comment: text("comment")?,
            new_name: fields
                .text("new_name")?
                .map(|name| CredentialName::parse(name, "new_name"))
                .transpose()?,
            owner: text("owner")?,
            isolation_mode: fields
                .text("isolation_mode")?
                .map(|mode| IsolationMode::parse(mode, "isolation_mode"))
                .transpose()?,
            read_only: fields.has("read_only").then(|| fields.flag("read_only")).transpose()?,
            force: fields.flag("force")?,
            skip_validation: fields.flag("skip_validation")?,
        };
        match (&patch.owner, patch.changes_more_than_owner()) {
            (None, false) => Err(ApiError::invalid("UpdateCredential has nothing to update")),
            (Some(_), true) => Err(ApiError::invalid(
                "field `owner` cannot be updated together with other fields; send it alone",
            )),
            (Some(owner), false) if owner.is_empty() => Err(ApiError::invalid("field `owner` is empty")),
            (Some(_), false) | (None, true) => Ok(patch),
        }
    }

    pub(super) fn changes_more_than_owner(&self) -> bool {
        self.role_arn.is_some()
            || self.comment.is_some()
            || self.new_name.is_some()
            || self.isolation_mode.is_some()
            || self.read_only.is_some()
    }
}

/// Refuses what makes no sense for a credential that is not for storage.
pub(super) fn check_read_only(read_only: bool, purpose: Purpose) -> Result<(), ApiError> {
    if read_only && purpose == Purpose::Service {
        return Err(ApiError::invalid("field `read_only` is for credentials with purpose STORAGE"));
    }
    Ok(())
}

fn role_arn(role: &Fields) -> Result<RoleArn, ApiError> {
    RoleArn::parse(role.required_text("role_arn")?, &role.name("role_arn"))
}

pub(super) fn refuse_other_clouds(fields: &Fields) -> Result<(), ApiError> {
    match OTHER_CLOUDS.into_iter().find(|field| fields.has(field)) {
        None => Ok(()),
        Some(field) => Err(ApiError::invalid(format!(
            "field `{field}` is for another cloud; this workspace runs on AWS, use `aws_iam_role`"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::parse(body.as_bytes()).expect("an object")
    }

    #[test]
    fn a_draft_needs_name_purpose_and_role() {
        const ROLE: &str = r#""aws_iam_role":{"role_arn":"arn:aws:iam::123456789012:role/r"}"#;
        let refused = |body: String, part: &str| {
            let message = Draft::read(&fields(&body)).expect_err(&body).message;
            assert!(message.contains(part), "{message}");
        };
        refused(format!(r#"{{"purpose":"SERVICE",{ROLE}}}"#), "`name` is required");
        refused(format!(r#"{{"name":"c",{ROLE}}}"#), "`purpose` is required");
        refused(format!(r#"{{"name":"c","purpose":"service",{ROLE}}}"#), "use SERVICE or STORAGE");
        refused(r#"{"name":"c","purpose":"SERVICE"}"#.to_owned(), "`aws_iam_role` is required");
        refused(
            r#"{"name":"c","purpose":"SERVICE","aws_iam_role":{}}"#.to_owned(),
            "`aws_iam_role.role_arn` is required",
        );
        refused(format!(r#"{{"name":"c","purpose":"SERVICE","read_only":true,{ROLE}}}"#), "`read_only`");
        refused(
            format!(r#"{{"name":"c","purpose":"SERVICE","azure_managed_identity":{{}},{ROLE}}}"#),
            "`azure_managed_identity`",
        );
        let draft = Draft::read(&fields(&format!(
            r#"{{"name":"C","purpose":"SERVICE","skip_validation":true,{ROLE}}}"#
        )))
        .expect("good");
        assert_eq!(draft.name.as_str(), "c");
        assert!(draft.skip_validation);
    }

    #[test]
    fn a_patch_refuses_what_databricks_sets_and_mixed_owners() {
        for (body, part) in [
            ("{}", "nothing to update"),
            (r#"{"force":true}"#, "nothing to update"),
            (r#"{"owner":"a","comment":"b"}"#, "send it alone"),
            (r#"{"owner":""}"#, "`owner` is empty"),
            (
                r#"{"aws_iam_role":{"role_arn":"arn:aws:iam::123456789012:role/r","external_id":"x"}}"#,
                "`aws_iam_role.external_id`",
            ),
            (r#"{"isolation_mode":"OPEN"}"#, "ISOLATION_MODE_OPEN"),
            (r#"{"new_name":"a b"}"#, "`new_name`"),
        ] {
            let message = Patch::read(&fields(body)).expect_err(body).message;
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(Patch::read(&fields(r#"{"comment":""}"#)).expect("good").comment.as_deref(), Some(""));
    }
}
