//! The trust policy that Databricks needs, in the two forms it is known in, and its way into a live policy.
//!
//! Unity Catalog assumes the role with an external ID, and the role must be able to assume itself. A role cannot be named in a
//! trust policy before it exists, so the first form takes two writes; the second names the role in a condition and takes one.
//!
//! ```
//! use policy::Document;
//! use policy::trust::{self, DatabricksPartition, Form, TrustSubject};
//!
//! let role = "arn:aws:iam::123456789012:role/reader";
//! let subject = TrustSubject::new(role, DatabricksPartition::Aws.unity_catalog_role(), "0d26daa6")?;
//! let live = Document::parse(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
//!     "Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#)?;
//! let next = trust::merge(&live, &trust::document(Form::Databricks, &subject), &subject, false);
//! assert_eq!(next.statements().count(), 2);
//! assert_eq!(trust::foreign(&next, &subject).len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod merge;
pub(crate) mod ownership;
mod partition;
mod recognition;
mod subject;

use serde_json::{Value, json};

use crate::Document;

pub use merge::{foreign, merge};
pub use partition::DatabricksPartition;
pub use recognition::recognize;
pub use subject::{
    EXTERNAL_ID_MAX_CHARS, EXTERNAL_ID_MIN_CHARS, PLACEHOLDER_EXTERNAL_ID, SubjectError, TrustSubject,
    is_external_id,
};

/// How the trust policy says that the role may assume itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Both roles as principals of one statement, as Databricks' console shows it, with a Sid that the console leaves out.
    /// Needs the role to exist.
    Databricks,
    /// The account as principal, narrowed down to the role by a condition, as Databricks' Terraform provider writes it.
    /// Works before the role exists and survives its being made again.
    ArnLike,
}

/// The trust policy for `subject`, always in the same bytes.
pub fn document(form: Form, subject: &TrustSubject) -> Document {
    let statements = match form {
        Form::Databricks => vec![assume(
            "UnityCatalogAndSelfAssumeRole",
            &json!([subject.unity_catalog_arn(), subject.role_arn()]),
            &json!({"StringEquals": {"sts:ExternalId": subject.external_id()}}),
        )],
        Form::ArnLike => vec![
            assume(
                UNITY_CATALOG_SID,
                &json!(subject.unity_catalog_arn()),
                &json!({"StringEquals": {"sts:ExternalId": subject.external_id()}}),
            ),
            assume(
                "ExplicitSelfRoleAssumption",
                &json!(subject.account_root()),
                &json!({
                    "ArnLike": {"aws:PrincipalArn": subject.role_arn()},
                    "StringEquals": {"sts:ExternalId": subject.external_id()}
                }),
            ),
        ],
    };
    policy(&statements)
}

/// The trust policy to create a role with when [`Form::Databricks`] is to follow: Unity Catalog alone, since the role cannot be
/// named before it exists.
pub fn before_role_exists(subject: &TrustSubject) -> Document {
    policy(&[assume(
        UNITY_CATALOG_SID,
        &json!(subject.unity_catalog_arn()),
        &json!({"StringEquals": {"sts:ExternalId": subject.external_id()}}),
    )])
}

fn policy(statements: &[Value]) -> Document {
    Document::known(json!({"Version": "2012-10-17", "Statement": statements}))
}

/// The Sid by which Databricks' Terraform provider, too, calls the statement that lets Unity Catalog in.
const UNITY_CATALOG_SID: &str = "UnityCatalogAssumeRole";

fn assume(sid: &str, principal: &Value, condition: &Value) -> Value {
    json!({
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "sts:AssumeRole",
        "Condition": condition
    })
}

impl Form {
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Databricks, Self::ArnLike];

    /// The word for it on the command line and in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Databricks => "databricks",
            Self::ArnLike => "arn-like",
        }
    }
}

/// The form in which a live policy says that the role may assume itself; `None` when it does not say so.
pub fn live_form(live: &Document, subject: &TrustSubject) -> Option<Form> {
    let roles =
        live.statements().flat_map(|statement| ownership::roles(&statement, subject)).map(|(_, role)| role);
    let forms = roles.filter_map(|role| match role {
        ownership::Role::Itself => Some(Form::Databricks),
        ownership::Role::Narrowed => Some(Form::ArnLike),
        ownership::Role::UnityCatalog | ownership::Role::Dead | ownership::Role::Foreign => None,
    });
    forms.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> TrustSubject {
        let master = DatabricksPartition::Aws.unity_catalog_role();
        TrustSubject::new("arn:aws:iam::123456789012:role/reader", master, "0d26daa6-5e44").unwrap()
    }

    #[test]
    fn the_databricks_form() {
        assert_eq!(
            document(Form::Databricks, &subject()).to_string(),
            concat!(
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"UnityCatalogAndSelfAssumeRole","Effect":"Allow","Principal":{"AWS":["#,
                r#""arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL","#,
                r#""arn:aws:iam::123456789012:role/reader"]},"Action":"sts:AssumeRole","#,
                r#""Condition":{"StringEquals":{"sts:ExternalId":"0d26daa6-5e44"}}}]}"#
            )
        );
    }

    #[test]
    fn the_arn_like_form() {
        assert_eq!(
            document(Form::ArnLike, &subject()).to_string(),
            concat!(
                r#"{"Version":"2012-10-17","Statement":[{"Sid":"UnityCatalogAssumeRole","Effect":"Allow","#,
                r#""Principal":{"AWS":"arn:aws:iam::414351767826:role/unity-catalog-prod-UCMasterRole-14S5ZJVKOTYTL"},"#,
                r#""Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"0d26daa6-5e44"}}},"#,
                r#"{"Sid":"ExplicitSelfRoleAssumption","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"#,
                r#""Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/reader"},"#,
                r#""StringEquals":{"sts:ExternalId":"0d26daa6-5e44"}}}]}"#
            )
        );
    }

    #[test]
    fn what_we_write_has_the_shape_we_demand() {
        for document in [
            document(Form::Databricks, &subject()),
            document(Form::ArnLike, &subject()),
            before_role_exists(&subject()),
        ] {
            assert_eq!(Document::from_value(document.as_value().clone()).as_ref(), Ok(&document));
        }
    }

    #[test]
    fn a_form_is_recognized() {
        for form in Form::ALL {
            assert_eq!(live_form(&document(form, &subject()), &subject()), Some(form));
        }
        assert_eq!(live_form(&before_role_exists(&subject()), &subject()), None);
    }
}
