//! Tags of roles and policies.

use super::name::check_length;
use super::quota::Quotas;
use crate::error::ServiceError;
use crate::query::{Parameters, Xml};

/// Tags in the order they were set. Keys are unique ignoring case and keep the spelling they came with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tags(Vec<(String, String)>);

impl Tags {
    /// Reads `Tags.member.N` of a request.
    pub(crate) fn read(parameters: &Parameters, quotas: &Quotas) -> Result<Self, ServiceError> {
        let mut tags = Self::default();
        for (index, (key, value)) in parameters.pairs("Tags").into_iter().enumerate() {
            check_length(&format!("tags.{}.member.key", index + 1), key, 1, 128)?;
            check_length(&format!("tags.{}.member.value", index + 1), value, 0, 256)?;
            if tags.find(key).is_some() {
                return Err(ServiceError::new(
                    400,
                    "InvalidInput",
                    "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
                ));
            }
            tags.0.push((key.to_owned(), value.to_owned()));
        }
        tags.check(quotas)?;
        Ok(tags)
    }

    /// These tags with `added` on top of them.
    pub(crate) fn with(&self, added: Self, quotas: &Quotas) -> Result<Self, ServiceError> {
        let mut tags = self.clone();
        for (key, value) in added.0 {
            match tags.find(&key) {
                Some(index) => tags.0[index] = (key, value),
                None => tags.0.push((key, value)),
            }
        }
        tags.check(quotas)?;
        Ok(tags)
    }

    /// Takes tags off. A key that is not there is no error.
    pub(crate) fn remove(&mut self, keys: &[&str]) {
        self.0.retain(|(key, _)| !keys.iter().any(|gone| gone.eq_ignore_ascii_case(key)));
    }

    /// The pairs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(String, String)> {
        self.0.iter()
    }

    /// Writes `<Tags>`, or nothing when there are none.
    pub(crate) fn write(&self, xml: &mut Xml) {
        if !self.0.is_empty() {
            xml.members("Tags", &self.0, write_tag);
        }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known.eq_ignore_ascii_case(key))
    }

    fn check(&self, quotas: &Quotas) -> Result<(), ServiceError> {
        if self.0.len() <= quotas.tags {
            return Ok(());
        }
        Err(ServiceError::new(
            409,
            "LimitExceeded",
            format!("The number of tags has reached the maximum limit of {}.", quotas.tags),
        ))
    }
}

/// Writes one tag inside a `<member>`.
pub(crate) fn write_tag(xml: &mut Xml, (key, value): &(String, String)) {
    xml.text("Key", key).text("Value", value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(form: &str) -> Result<Tags, ServiceError> {
        Tags::read(&Parameters::parse(form.as_bytes()), &Quotas::default())
    }

    #[test]
    fn a_tag_is_replaced_ignoring_case() {
        let tags = read("Tags.member.1.Key=Team&Tags.member.1.Value=a").unwrap();
        let added = read("Tags.member.1.Key=team&Tags.member.1.Value=b").unwrap();
        let mut both = tags.with(added, &Quotas::default()).unwrap();
        assert_eq!(both.0, [("team".to_owned(), "b".to_owned())]);
        both.remove(&["TEAM", "other"]);
        assert_eq!(both, Tags::default());
    }

    #[test]
    fn too_many_and_doubled_tags_are_refused() {
        let many: String = (1..=51).fold(String::new(), |form, index| {
            form + &format!("&Tags.member.{index}.Key=k{index}&Tags.member.{index}.Value=v")
        });
        assert_eq!(read(&many).unwrap_err().code, "LimitExceeded");
        let twice = "Tags.member.1.Key=a&Tags.member.1.Value=1&Tags.member.2.Key=A&Tags.member.2.Value=2";
        assert_eq!(read(twice).unwrap_err().code, "InvalidInput");
    }
}
