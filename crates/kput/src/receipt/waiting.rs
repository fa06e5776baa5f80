//! Receipts that came before their turn, in a few pieces of memory.
//!
//! Receipts come in batches, and those of a batch leave at about the same time. So their texts, written already, are kept
//! in chunks, and a chunk is used again once all of its texts have left. Of those that belong to one aggregate only what
//! they have in common is kept, once for all of them.

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
    /// It is one of a group.
    OneOf { group: Group, line: u64, sub: usize },
}

/// Receipts that have some text in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group(usize);

#[derive(Debug, Default)]
struct Piece {
    text: Vec<u8>,
    /// How many still need it.
    needed_by: usize,
}

/// Pieces of memory of one kind, used again and again.
#[derive(Debug, Default)]
struct Pieces {
    all: Vec<Piece>,
    /// Those that nobody needs. Their memory stays as it is until something new is written to it.
    spare: Vec<usize>,
}

impl Pieces {
    /// An empty one.
    fn take(&mut self) -> usize {
        let at = self.spare.pop().unwrap_or_else(|| {
            self.all.push(Piece::default());
            self.all.len() - 1
        });
        if let Some(piece) = self.all.get_mut(at) {
            piece.text.clear();
        }
        at
    }

    fn text(&self, at: usize) -> &[u8] {
        self.all.get(at).map_or(&[], |piece| piece.text.as_slice())
    }

    fn need(&mut self, at: usize) {
        if let Some(piece) = self.all.get_mut(at) {
            piece.needed_by += 1;
        }
    }

    /// Somebody needs it no more.
    fn leave(&mut self, at: usize) {
        let Some(piece) = self.all.get_mut(at) else { return };
        piece.needed_by -= 1;
        if piece.needed_by == 0 {
            self.spare.push(at);
        }
    }
}

/// Receipts by how far they are ahead of the one whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// The first stands for the one whose turn it is.
    slots: VecDeque<Slot>,
    chunks: Pieces,
    /// The chunk that is being filled, which needs it for that.
    filling: Option<usize>,
    /// What groups have in common: far less than a chunk each.
    groups: Pieces,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Keeps what `write` appends, until it is the turn of the one that is so far `ahead`.
    pub(super) fn keep(&mut self, ahead: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let at = self.filling();
        let Some(chunk) = self.chunks.all.get_mut(at) else { return };
        let start = chunk.text.len();
        write(&mut chunk.text);
        chunk.needed_by += 1;
        let slot = Slot::Written { chunk: at, start, end: chunk.text.len() };
        self.put(ahead, slot);
    }

    /// Receipts come that have in common what `write` appends.
    pub(super) fn begin_group(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Group {
        let at = self.groups.take();
        if let Some(group) = self.groups.all.get_mut(at) {
            write(&mut group.text);
        }
        // Until the last of them has come.
        self.groups.need(at);
        Group(at)
    }

    /// What those of a group have in common.
    pub(super) fn common(&self, Group(at): Group) -> &[u8] {
        self.groups.text(at)
    }

    /// Keeps one of a group until its turn.
    pub(super) fn keep_one_of(&mut self, group: Group, ahead: usize, line: u64, sub: usize) {
        self.groups.need(group.0);
        self.put(ahead, Slot::OneOf { group, line, sub });
    }

    /// No more of a group come.
    pub(super) fn end_group(&mut self, Group(at): Group) {
        self.groups.leave(at);
    }

    fn put(&mut self, ahead: usize, slot: Slot) {
        if self.slots.len() <= ahead {
            self.slots.resize(ahead + 1, Slot::Open);
        }
        if let Some(place) = self.slots.get_mut(ahead) {
            *place = slot;
        }
    }

    /// A chunk that has room.
    fn filling(&mut self) -> usize {
        if let Some(at) = self.filling {
            if let Some(chunk) = self.chunks.all.get_mut(at) {
                if chunk.needed_by == 1 {
                    chunk.text.clear();
                }
                if chunk.text.len() < CHUNK_BYTES {
                    return at;
                }
            }
            self.chunks.leave(at);
        }
        let at = self.chunks.take();
        self.chunks.need(at);
        self.filling = Some(at);
        at
    }

    /// The one whose turn it was has left by another way.
    pub(super) fn pass(&mut self) {
        self.slots.pop_front();
    }

    /// Appends the text whose turn it is, if it has come, and passes the turn on; says whether it had.
    pub(super) fn next(&mut self, into: &mut Vec<u8>) -> bool {
        let Some(&slot) = self.slots.front() else { return false };
        match slot {
            Slot::Open => return false,
            Slot::Written { chunk, start, end } => {
                into.extend_from_slice(self.chunks.text(chunk).get(start..end).unwrap_or_default());
                self.chunks.leave(chunk);
            }
            Slot::OneOf { group, line, sub } => {
                line_of_many(into, line, self.common(group), sub);
                self.groups.leave(group.0);
            }
        }
        self.slots.pop_front();
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
        assert!(waiting.chunks.all.len() <= 2, "{}", waiting.chunks.all.len());
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
        assert_eq!((waiting.chunks.all.len(), waiting.groups.all.len()), (1, 2));
    }

    #[test]
    fn a_group_takes_no_more_memory_than_its_text() {
        let mut waiting = Waiting::default();
        let mut text = Vec::new();
        for _ in 0..100 {
            // Many small groups at once, and as many receipts of their own, which all leave before the next come.
            for ahead in (1..4001).step_by(2) {
                let group = waiting.begin_group(|text| text.resize(100, b'g'));
                waiting.keep_one_of(group, ahead, 1, 0);
                waiting.end_group(group);
                waiting.keep(ahead + 1, |text| text.resize(text.len() + 100, b'r'));
            }
            waiting.pass();
            text.clear();
            while waiting.next(&mut text) {}
            assert!(waiting.is_empty());
        }
        let bytes =
            |pieces: &super::Pieces| pieces.all.iter().map(|piece| piece.text.capacity()).sum::<usize>();
        let (chunks, groups) = (bytes(&waiting.chunks), bytes(&waiting.groups));
        assert!(chunks < 1_000_000 && groups < 1_000_000, "{chunks} and {groups} bytes");
    }
}
