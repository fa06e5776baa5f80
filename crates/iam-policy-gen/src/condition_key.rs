//! Condition keys as people type them: `KEY=VALUE`.

use std::str::FromStr;

use policy::evaluate::Context;

/// One condition key of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContextKey {
    key: String,
    value: String,
}

impl FromStr for ContextKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) if key.contains(':') => {
                Ok(Self { key: key.to_owned(), value: value.to_owned() })
            }
            _ => Err(format!("`{text}` is no condition key; write one like sts:ExternalId=0000")),
        }
    }
}

/// The keys of a request. A key that is given again has many values.
pub(crate) fn context(keys: &[ContextKey]) -> Context {
    let mut context = Context::new();
    for ContextKey { key, value } in keys {
        let mut values = context.get(key).to_vec();
        values.push(value.clone());
        context.set(key, values);
    }
    context
}

#[cfg(test)]
mod tests {
    use super::{ContextKey, context};

    #[test]
    fn a_key_that_is_given_twice_has_two_values() {
        let keys: Vec<ContextKey> = ["aws:TagKeys=a", "aws:tagkeys=b=c", "sts:ExternalId="]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let context = context(&keys);
        assert_eq!(context.get("aws:TagKeys"), ["a", "b=c"]);
        assert_eq!(context.get("sts:ExternalId"), [""]);
        assert!("ExternalId=1".parse::<ContextKey>().is_err());
        assert!("sts:ExternalId".parse::<ContextKey>().is_err());
    }
}
