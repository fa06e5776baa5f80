//! Receipts that came before their turn: their text, written already, in a few pieces of memory.
//!
//! Receipts come in batches, and those of a batch leave at about the same time. So they are kept in chunks, and a
//! chunk is used again once all of its receipts have left.

use std::collections::VecDeque;

use super::line_of_many;

/// A chunk is full when it holds this much.
const CHUNK_BYTES: usize = 32 * 1024;

/// A receipt that waits.
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// It has not come yet.
    Open,
    /// Its text is in a chunk.
    Written { chunk: usize, start: usize, end: usize },
    /// It is one of those that have the text of a chunk in common.
    OneOf { group: Group, line: u64, sub: usize },
}

/// The chunk that holds what some receipts have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(usize);

#[derive(Debug, Default)]
struct Chunk {
    text: Vec<u8>,
    /// Texts in it that have not left.
    left: usize,
}

/// Texts by how far they are ahead of the one whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The first stands for the one whose turn it is.
    slots: VecDeque<Slot>,
    chunks: Vec<Chunk>,
    /// Chunks that are empty.
    spare: Vec<usize>,
    /// The chunk that is being filled.
    filling: Option<usize>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Keeps what `write` appends, until it is the turn of the one that is so far `ahead`.
    pub(super) fn keep(&mut self, ahead: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.filling();
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        let start = chunk.text.len();
        write(&mut chunk.text);
        chunk.left += 1;
        let slot = Slot::Written { chunk: at, start, end: chunk.text.len() };
        self.put(ahead, slot);
    }

    /// Receipts come that have in common what `write` appends.
    pub(super) fn begin_group(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Group {
        let at = self.empty();
        if let Some(chunk) = self.chunks.get_mut(at) {
            write(&mut chunk.text);
            // Until the last of them has come.
            chunk.left = 1;
        }
        Group(at)
    }

    /// What those of a group have in common.
    pub(super) fn common(&self, Group(at): Group) -> &[u8] {
        self.chunks.get(at).map_or(&[], |chunk| chunk.text.as_slice())
    }

    /// Keeps one of a group until its turn.
    pub(super) fn keep_one_of(&mut self, group: Group, ahead: usize, line: u64, sub: usize) {
        if let Some(chunk) = self.chunks.get_mut(group.0) {
            chunk.left += 1;
        }
        self.put(ahead, Slot::OneOf { group, line, sub });
    }

    /// No more of a group come.
    pub(super) fn end_group(&mut self, Group(at): Group) {
        self.left(at);
    }

    fn put(&mut self, ahead: usize, slot: Slot) {
        if self.slots.len() <= ahead {
            self.slots.resize(ahead + 1, Slot::Open);
        }
        if let Some(place) = self.slots.get_mut(ahead) {
            *place = slot;
        }
    }

    /// One text of a chunk is not needed any more.
    fn left(&mut self, at: usize) {
        let Some(chunk) = self.chunks.get_mut(at) else { return };
        chunk.left -= 1;
        if chunk.left == 0 && self.filling != Some(at) {
            // Its memory stays as it is until something new is written to it.
            self.spare.push(at);
        }
    }

    /// A chunk that has room.
    fn filling(&mut self) -> usize {
        if let Some((at, chunk)) = self.filling.and_then(|at| Some((at, self.chunks.get_mut(at)?))) {
            if chunk.left == 0 {
                chunk.text.clear();
            }
            if chunk.text.len() < CHUNK_BYTES {
                return at;
            }
        }
        let at = self.empty();
        self.filling = Some(at);
        at
    }

    /// A chunk without text.
    fn empty(&mut self) -> usize {
        let at = self.spare.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk::default());
            self.chunks.len() - 1
        });
        if let Some(chunk) = self.chunks.get_mut(at) {
            chunk.text.clear();
        }
        at
    }

    /// The one whose turn it was has left by another way.
    pub(super) fn pass(&mut self) {
        self.slots.pop_front();
    }

    /// Appends the text whose turn it is, if it has come, and passes the turn on; says whether it had.
    pub(super) fn next(&mut self, into: &mut Vec<u8>) -> bool {
        let Some(&slot) = self.slots.front() else { return false };
        let at = match slot {
            Slot::Open => return false,
            Slot::Written { chunk, start, end } => {
                let text = self.chunks.get(chunk).and_then(|chunk| chunk.text.get(start..end));
                into.extend_from_slice(text.unwrap_or_default());
                chunk
            }
            Slot::OneOf { group, line, sub } => {
                line_of_many(into, line, self.common(group), sub);
                group.0
            }
        };
        self.slots.pop_front();
        self.left(at);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Waiting;

    #[test]
    fn chunks_are_used_again() {
        let mut waiting = Waiting::default();
        for round in 0..1000_usize {
            // The last of a hundred comes first.
            for ahead in (1..100).rev() {
                waiting.keep(ahead, |text| {
                    text.resize(text.len() + 100, u8::try_from(round % 100 + ahead % 7).unwrap());
                });
            }
            waiting.pass();
            let mut text = Vec::new();
            for ahead in 1..100 {
                text.clear();
                assert!(waiting.next(&mut text));
                assert_eq!(text, [u8::try_from(round % 100 + ahead % 7).unwrap(); 100]);
            }
            assert!(waiting.is_empty() && !waiting.next(&mut text));
        }
        assert!(waiting.chunks.len() <= 2, "{}", waiting.chunks.len());
    }

    #[test]
    fn what_a_group_has_in_common_is_kept_until_its_last_has_left() {
        let mut waiting = Waiting::default();
        for round in 0..1000_u64 {
            let groups = [b'a', b'b'].map(|letter| waiting.begin_group(|text| text.push(letter)));
            waiting.keep(1, |text| text.push(b'-'));
            for (group, ahead) in groups.into_iter().cycle().zip((2..6).rev()) {
                waiting.keep_one_of(group, ahead, round, ahead);
            }
            for group in groups {
                waiting.end_group(group);
            }
            waiting.pass();
            let mut text = Vec::new();
            while waiting.next(&mut text) {}
            let expected = format!(
                "-{{\"line\":{round}b2}}\n{{\"line\":{round}a3}}\n{{\"line\":{round}b4}}\n{{\"line\":{round}a5}}\n"
            );
            assert_eq!(String::from_utf8(text).unwrap(), expected);
            assert!(waiting.is_empty());
        }
        assert!(waiting.chunks.len() <= 3, "{}", waiting.chunks.len());
    }
}
