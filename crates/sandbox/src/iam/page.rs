//! Lists in pages: `MaxItems`, `Marker`, `IsTruncated`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::name::constraint;
use crate::error::ServiceError;
use crate::query::{Parameters, Xml};

/// Items on a page when the request does not say.
const DEFAULT_ITEMS: usize = 100;
/// The most a request may ask for.
const MOST_ITEMS: usize = 1000;

/// The part of a list that one answer holds.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    next: Option<usize>,
}

/// Cuts the page out of a list that the request asks for.
pub(crate) fn cut<T>(
    items: impl IntoIterator<Item = T>,
    parameters: &Parameters,
) -> Result<Page<T>, ServiceError> {
    let limit = parameters.number("MaxItems")?.unwrap_or(DEFAULT_ITEMS);
    if !(1..=MOST_ITEMS).contains(&limit) {
        let rule = if limit == 0 {
            "Member must have value greater than or equal to 1"
        } else {
            "Member must have value less than or equal to 1000"
        };
        return Err(constraint("maxItems", &limit.to_string(), rule));
    }
    let start = match parameters.optional("Marker") {
        None => 0,
        Some(marker) => URL_SAFE_NO_PAD
            .decode(marker)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok()?.parse().ok())
            .ok_or_else(|| ServiceError::validation(format!("Invalid Marker: {marker}")))?,
    };
    let mut rest = items.into_iter().skip(start);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let next = rest.next().is_some().then(|| start + items.len());
    Ok(Page { items, next })
}

impl<T> Page<T> {
    /// Writes `IsTruncated`, and the marker of the next page when there is one.
    pub(crate) fn write_end(&self, xml: &mut Xml) {
        xml.text("IsTruncated", self.next.is_some());
        xml.optional("Marker", self.next.map(|next| URL_SAFE_NO_PAD.encode(next.to_string())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(form: &str) -> Result<Page<u32>, ServiceError> {
        cut(1..=5, &Parameters::parse(form.as_bytes()))
    }

    #[test]
    fn pages_follow_one_another_and_end() {
        let first = page("MaxItems=3").unwrap();
        assert_eq!((first.items.as_slice(), first.next), ([1, 2, 3].as_slice(), Some(3)));
        let marker = URL_SAFE_NO_PAD.encode("3");
        let second = page(&format!("MaxItems=3&Marker={marker}")).unwrap();
        assert_eq!((second.items.as_slice(), second.next), ([4, 5].as_slice(), None));
        assert_eq!(page("MaxItems=5").unwrap().next, None);
    }

    #[test]
    fn a_wrong_size_or_marker_is_refused() {
        for form in ["MaxItems=0", "MaxItems=1001", "MaxItems=x", "Marker=%00"] {
            assert!(page(form).is_err(), "{form}");
        }
    }
}
