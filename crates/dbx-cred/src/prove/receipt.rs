//! Which record to read back: kput's receipt says where it lies.

use std::fs;

use config::Fault;
use serde::Deserialize;

/// What the record must be.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// Where it lies; anywhere when not given.
    pub(super) place: Option<Place>,
    /// What it must hold; anything when not given.
    pub(super) data: Option<String>,
}

/// A record's place in a stream.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Place {
    /// The shard.
    pub(super) shard_id: String,
    /// The place in the shard.
    pub(super) sequence_number: String,
}

/// The first record of the receipts in a file that was stored.
///
/// # Errors
/// When the file cannot be read or holds no such receipt.
pub(super) fn receipts(path: &str) -> Result<Place, Fault> {
    let text = fs::read_to_string(path).map_err(|error| {
        Fault::usage(format!("failed to read the receipts in `{path}`"))
            .with_cause(error)
            .with_hint("kput prints them: kput STREAM --data … > receipts.ndjson")
    })?;
    first(&text).ok_or_else(|| {
        Fault::pipe(format!("`{path}` holds no receipt of a stored record"))
            .with_hint("kput prints them: kput STREAM --data … > receipts.ndjson")
    })
}

fn first(text: &str) -> Option<Place> {
    text.lines().find_map(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::{Place, first};

    #[test]
    fn the_first_stored_record_is_meant() {
        let text = "{\"line\":1,\"error\":{\"code\":\"x\",\"message\":\"y\"}}\n{\"line\":2,\"shard_id\":\"s\",\"sequence_number\":\"49\"}\n";
        assert_eq!(first(text), Some(Place { shard_id: "s".into(), sequence_number: "49".into() }));
        assert_eq!(first("oops\n{}"), None);
    }
}
