//! How a workspace behaves where Databricks' own behaviour differs from account to account. Can be changed while it
//! runs.

use std::time::Duration;

use serde::Serialize;

use super::error::ApiError;
use super::fields::Fields;

/// The longest that an OAuth token may live here: a day.
const LONGEST_TOKEN: Duration = Duration::from_hours(24);

/// What can be changed.
const MEMBERS: [&str; 4] = ["external_ids", "strict_create", "page_size", "token_lifetime_s"];

/// Switches, with what Databricks on AWS is seen to do as the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where external ids come from.
    pub external_ids: ExternalIds,
    /// Whether creating or repointing a credential without `skip_validation` refuses a role that does not validate.
    /// It is documented to, and seen not to.
    pub strict_create: bool,
    /// How many entries a page of a listing has when the caller does not ask for fewer.
    pub page_size: usize,
    /// How long an OAuth token lives.
    pub token_lifetime: Duration,
}

/// Where a credential's external id comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ExternalIds {
    /// A new one for each credential, and again when it changes its role.
    #[default]
    Random,
    /// The Databricks account's id, as an account admin gets it.
    Account,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            external_ids: ExternalIds::default(),
            strict_create: false,
            page_size: 100,
            token_lifetime: Duration::from_hours(1),
        }
    }
}

impl Settings {
    /// The same with what `fields` names changed.
    pub(super) fn changed(&self, fields: &Fields) -> Result<Self, ApiError> {
        if let Some(unknown) = fields.unknown(&MEMBERS) {
            let known = MEMBERS.join(", ");
            return Err(ApiError::invalid(format!("field `{unknown}` is not a setting; use {known}")));
        }
        let mut settings = self.clone();
        if let Some(source) = fields.text("external_ids")? {
            settings.external_ids = match source {
                "random" => ExternalIds::Random,
                "account" => ExternalIds::Account,
                other => {
                    let message = format!("`{other}` in field `external_ids` must be `random` or `account`");
                    return Err(ApiError::invalid(message));
                }
            };
        }
        if fields.has("strict_create") {
            settings.strict_create = fields.flag("strict_create")?;
        }
        if let Some(size) = fields.number("page_size")? {
            settings.page_size = usize::try_from(size)
                .ok()
                .filter(|size| *size > 0)
                .ok_or_else(|| ApiError::invalid("field `page_size` must be at least 1"))?;
        }
        if let Some(seconds) = fields.number("token_lifetime_s")? {
            settings.token_lifetime = Duration::from_secs(seconds);
            if settings.token_lifetime > LONGEST_TOKEN {
                return Err(ApiError::invalid("field `token_lifetime_s` is more than a day"));
            }
        }
        Ok(settings)
    }

    /// The settings as the wire has them.
    pub(super) fn wire(&self) -> SettingsWire {
        SettingsWire {
            external_ids: self.external_ids,
            strict_create: self.strict_create,
            page_size: self.page_size,
            token_lifetime_s: self.token_lifetime.as_secs(),
        }
    }
}

/// The answer to changing settings: all of them.
#[derive(Debug, Serialize)]
pub(super) struct SettingsWire {
    external_ids: ExternalIds,
    strict_create: bool,
    page_size: usize,
    token_lifetime_s: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(body: &str) -> Result<Settings, ApiError> {
        Settings::default().changed(&Fields::parse(body.as_bytes()).expect("an object"))
    }

    #[test]
    fn only_what_is_named_changes() {
        let settings = changed(r#"{"external_ids":"account","token_lifetime_s":1}"#).expect("good");
        assert_eq!(
            settings,
            Settings {
                external_ids: ExternalIds::Account,
                token_lifetime: Duration::from_secs(1),
                ..Settings::default()
            }
        );
        assert_eq!(changed("{}").expect("good"), Settings::default());
    }

    #[test]
    fn bad_settings_are_named() {
        for (body, part) in [
            (r#"{"strict":true}"#, "`strict` is not a setting"),
            (r#"{"external_ids":"0000"}"#, "`external_ids`"),
            (r#"{"page_size":0}"#, "`page_size`"),
            (r#"{"strict_create":"yes"}"#, "`strict_create`"),
            (r#"{"token_lifetime_s":86401}"#, "`token_lifetime_s`"),
        ] {
            let message = changed(body).expect_err(body).message;
            assert!(message.contains(part), "{message}");
        }
    }
}
