//! Opaque tokens: shard iterators and page tokens carry what the engine needs, sealed so that none can be made up.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Seals tokens with a secret of this engine: a token of another run, or an edited one, does not open.
#[derive(Debug)]
pub(super) struct Seal {
    secret: [u8; 16],
}

/// Length of the seal in front of the content.
const SEAL_BYTES: usize = 16;

impl Seal {
    pub(super) fn new() -> Self {
        Self { secret: fastrand::u128(..).to_be_bytes() }
    }

    pub(super) fn close<T: Serialize>(&self, content: &T) -> String {
        let content = serde_json::to_vec(content).unwrap_or_default();
        let mut token = self.mark(&content).to_vec();
        token.extend_from_slice(&content);
        STANDARD.encode(token)
    }

    pub(super) fn open<T: DeserializeOwned>(&self, token: &str) -> Option<T> {
        let token = STANDARD.decode(token).ok()?;
        let (mark, content) = token.split_at_checked(SEAL_BYTES)?;
        (mark == self.mark(content)).then(|| serde_json::from_slice(content).ok()).flatten()
    }

    fn mark(&self, content: &[u8]) -> [u8; SEAL_BYTES] {
        Md5::new().chain_update(self.secret).chain_update(content).chain_update(self.secret).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_under_the_seal_that_closed_it() {
        let seal = Seal::new();
        let token = seal.close(&("orders", 7));
        assert_eq!(seal.open::<(String, u32)>(&token), Some(("orders".to_owned(), 7)));
        assert_eq!(Seal::new().open::<(String, u32)>(&token), None);
    }

    #[test]
    fn an_edited_token_does_not_open() {
        let seal = Seal::new();
        let token = seal.close(&("orders", 7));
        let shorter: String = token.chars().skip(4).collect();
        let other = if token.starts_with('A') { 'B' } else { 'A' };
        let edited: String = std::iter::once(other).chain(token.chars().skip(1)).collect();
        for broken in ["", "AAAA", "not base64!", &shorter, &edited] {
            assert_eq!(seal.open::<(String, u32)>(broken), None, "{broken}");
        }
    }
}
