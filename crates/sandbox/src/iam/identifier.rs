//! Unique ids and keys: what tells a role from its namesake.

use fastrand::Rng;

/// The letters of unique ids and access key ids.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// The letters of secrets and tokens.
const SECRET_LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// What a unique id is the id of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Role,
    User,
    Policy,
}

/// A unique id: four letters that tell the kind, and 17 more.
pub(crate) fn unique_id(kind: Kind, random: &mut Rng) -> String {
    let prefix = match kind {
        Kind::Role => "AROA",
        Kind::User => "AIDA",
        Kind::Policy => "ANPA",
    };
    format!("{prefix}{}", letters(LETTERS, 17, random))
}

/// A long-lived access key id, `AKIA…`.
pub(crate) fn access_key_id() -> String {
    format!("AKIA{}", letters(LETTERS, 16, &mut Rng::new()))
}

/// A session's access key id, `ASIA…`.
pub(crate) fn session_key_id() -> String {
    format!("ASIA{}", letters(LETTERS, 16, &mut Rng::new()))
}

/// A secret access key: 40 letters.
pub(crate) fn secret() -> String {
    letters(SECRET_LETTERS, 40, &mut Rng::new())
}

/// A session token. Real ones are long; this one is long enough to be unlike a key.
pub(crate) fn token() -> String {
    format!("{}==", letters(SECRET_LETTERS, 158, &mut Rng::new()))
}

fn letters(alphabet: &[u8], count: usize, random: &mut Rng) -> String {
    (0..count).map(|_| char::from(alphabet[random.usize(..alphabet.len())])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_like_awss() {
        let id = unique_id(Kind::Role, &mut Rng::with_seed(1));
        assert_eq!(id.len(), 21);
        assert!(id.starts_with("AROA"), "{id}");
        assert_ne!(secret(), secret());
        assert_eq!(access_key_id().len(), 20);
        assert_eq!(secret().len(), 40);
    }
}
