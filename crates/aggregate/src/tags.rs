//! The tags of a record: notes of its producer, most often none.

use crate::Broken;
use crate::wire::{Fields, Value};

/// The field of a record's message that holds a tag.
const TAGS: u64 = 4;

/// One tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// What it is about.
    pub key: &'a str,
    /// What it says.
    pub value: Option<&'a str>,
}

/// Tags in their order, a key more than once where the producer wrote it more than once. They stay encoded until somebody
/// looks, so that the many records without any cost nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tags<'a>(&'a [u8]);

impl<'a> Tags<'a> {
    /// Reads what [`Tags::encoded`] returned.
    ///
    /// # Errors
    /// When a tag has no key or is not UTF-8.
    pub fn decode(encoded: &'a [u8]) -> Result<Self, Broken> {
        let mut fields = Fields(encoded);
        while let Some((field, value)) = fields.next()? {
            if let (TAGS, Value::Bytes(bytes)) = (field, value) {
                tag(bytes)?;
            }
        }
        Ok(Self(encoded))
    }

    /// The tags as the format has them: the fields of a record's message from its first tag on.
    pub fn encoded(self) -> &'a [u8] {
        self.0
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The tags.
    pub fn iter(self) -> impl Iterator<Item = Tag<'a>> {
        // Nothing gets in here undecoded.
        self.messages().filter_map(|message| tag(message).ok())
    }

    /// The message of each tag.
    pub(crate) fn messages(self) -> impl Iterator<Item = &'a [u8]> {
        let mut fields = Fields(self.0);
        std::iter::from_fn(move || fields.next().ok().flatten()).filter_map(|(field, value)| {
            match (field, value) {
                (TAGS, Value::Bytes(bytes)) => Some(bytes),
                _ => None,
            }
        })
    }
}

impl PartialEq for Tags<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Tags<'_> {}

fn tag(message: &[u8]) -> Result<Tag<'_>, Broken> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Broken::Content("a tag is not UTF-8"));
    let (mut key, mut value) = (None, None);
    let mut fields = Fields(message);
    while let Some((field, content)) = fields.next()? {
        match (field, content) {
            (1, Value::Bytes(bytes)) => key = Some(text(bytes)?),
            (2, Value::Bytes(bytes)) => value = Some(text(bytes)?),
            _ => {}
        }
    }
    Ok(Tag { key: key.ok_or(Broken::Content("a tag has no key"))?, value })
}
