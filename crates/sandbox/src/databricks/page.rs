//! Listings in pages, with a token that says where the next one starts.
//!
//! Entries that the caller may not see are left out *after* the page was cut, so a page can come back short,
//! or empty, and still have a next one. Unity Catalog warns of exactly that.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::ApiError;

/// The most entries a page ever has.
const PAGE_LIMIT: usize = 1000;

/// Where a page starts, and how long it may be.
#[derive(Debug)]
pub(super) struct PageRequest {
    after: Option<String>,
    size: usize,
}

impl PageRequest {
    /// The page after `token`, of the caller's size or the server's, whichever is smaller.
    pub(super) fn new(
        token: Option<&str>,
        wanted: Option<usize>,
        page_size: usize,
    ) -> Result<Self, ApiError> {
        let size = wanted.map_or(page_size, |wanted| wanted.min(page_size)).clamp(1, PAGE_LIMIT);
        Ok(Self { after: token.map(decode).transpose()?, size })
    }

    /// Cuts the page out of entries that are in the order of their keys.
    pub(super) fn cut<'a, T>(&self, entries: impl Iterator<Item = (&'a str, T)>) -> (Vec<T>, Option<String>) {
        let later = |key: &str| self.after.as_deref().is_none_or(|after| key > after);
        let mut entries = entries.filter(|(key, _)| later(key)).peekable();
        let mut page = Vec::new();
        let mut last = None;
        while page.len() < self.size
            && let Some((key, entry)) = entries.next()
        {
            page.push(entry);
            last = Some(key);
        }
        let next = entries.peek().is_some().then(|| last.map(encode)).flatten();
        (page, next)
    }
}

fn encode(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

fn decode(token: &str) -> Result<String, ApiError> {
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|key| String::from_utf8(key).ok())
        .ok_or_else(|| ApiError::invalid("parameter `page_token` is not one that this listing gave out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> impl Iterator<Item = (&'static str, u32)> {
        [("a", 1), ("b", 2), ("c", 3)].into_iter()
    }

    #[test]
    fn pages_follow_each_other_and_the_last_has_no_token() {
        let (page, token) = PageRequest::new(None, Some(2), 100).expect("good").cut(entries());
        assert_eq!(page, [1, 2]);
        let token = token.expect("there is more");
        let (page, token) = PageRequest::new(Some(&token), Some(2), 100).expect("good").cut(entries());
        assert_eq!((page, token), (vec![3], None));
    }

    #[test]
    fn the_server_may_give_less_than_was_asked_for() {
        let (page, token) = PageRequest::new(None, Some(50), 1).expect("good").cut(entries());
        assert_eq!(page, [1]);
        assert!(token.is_some());
    }

    #[test]
    fn a_made_up_token_is_refused() {
        let message = PageRequest::new(Some("§"), None, 1).expect_err("made up").message;
        assert!(message.contains("`page_token`"), "{message}");
    }
}
