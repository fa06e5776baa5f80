//! Tags of roles and policies.

use std::collections::BTreeMap;
use std::str::FromStr;

use aws_sdk_iam::types::Tag as SdkTag;
use config::Fault;

/// Longest key, in characters (IAM API model, `tagKeyType`).
const KEY_CHARS: usize = 128;
/// Longest value, in characters (IAM API model, `tagValueType`).
const VALUE_CHARS: usize = 256;

/// `KEY=VALUE`; the value may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    key: String,
    value: String,
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| format!("`{text}` has no `=`; write KEY=VALUE"))?;
        if key.is_empty() || key.chars().count() > KEY_CHARS {
            return Err(format!("a tag's key has 1 to {KEY_CHARS} characters"));
        }
        if value.chars().count() > VALUE_CHARS {
            return Err(format!("a tag's value has at most {VALUE_CHARS} characters"));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(format!("`{key}` begins with `aws:`, which AWS keeps for itself"));
        }
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// The wanted tags that are not there, or have another value.
pub(crate) fn missing<'a>(wanted: &'a [Tag], live: &BTreeMap<String, String>) -> Vec<&'a Tag> {
    wanted.iter().filter(|tag| live.get(&tag.key) != Some(&tag.value)).collect()
}

/// The tags as the SDK takes them.
///
/// # Errors
/// Never for tags that were parsed.
pub(crate) fn for_sdk<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Result<Vec<SdkTag>, Fault> {
    let built = |tag: &Tag| SdkTag::builder().key(&tag.key).value(&tag.value).build();
    tags.into_iter().map(built).collect::<Result<_, _>>().map_err(|error| Fault::usage(error.to_string()))
}

impl std::fmt::Display for Tag {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}={}", self.key, self.value)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Tag, missing};

    #[test]
    fn a_value_may_hold_an_equals_sign_or_nothing() {
        let tag: Tag = "query=a=b".parse().unwrap();
        assert_eq!((tag.key.as_str(), tag.value.as_str()), ("query", "a=b"));
        assert_eq!("empty=".parse::<Tag>().unwrap().value, "");
    }

    #[test]
    fn what_iam_refuses_is_refused_before() {
        for text in ["", "team", "=x", "aws:x=1", "AWS:x=1", &format!("{}=x", "k".repeat(129))] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_what_differs_is_set() {
        let wanted: Vec<Tag> = ["a=1", "b=2", "c=3"].iter().map(|text| text.parse().unwrap()).collect();
        let live = BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "old".to_owned())]);
        let texts: Vec<String> = missing(&wanted, &live).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["b=2", "c=3"]);
    }
}
