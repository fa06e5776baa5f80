//! Receipts that came before their turn: their text, written already, in a few pieces of memory.
//!
//! Receipts come in batches, and those of a batch leave at about the same time. So they are kept in chunks, and a
//! chunk is used again once all of its receipts have left.

use std::collections::VecDeque;

/// A chunk is full when it holds this much.
const CHUNK_BYTES: usize = 32 * 1024;

/// Where a text is; an empty slot waits for its own.
#[derive(Clone, Copy, Debug)]
struct Slot {
    chunk: usize,
    start: usize,
    end: usize,
}

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
    slots: VecDeque<Option<Slot>>,
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
        if self.slots.len() <= ahead {
            self.slots.resize(ahead + 1, None);
        }
        let at = self.filling();
        let Some((slot, chunk)) = self.slots.get_mut(ahead).zip(self.chunks.get_mut(at)) else { return };
        let start = chunk.text.len();
        write(&mut chunk.text);
        chunk.left += 1;
        *slot = Some(Slot { chunk: at, start, end: chunk.text.len() });
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
        let at = self.spare.pop().unwrap_or_else(|| {
            self.chunks.push(Chunk::default());
            self.chunks.len() - 1
        });
        if let Some(chunk) = self.chunks.get_mut(at) {
            chunk.text.clear();
        }
        self.filling = Some(at);
        at
    }

    /// The one whose turn it was has left by another way.
    pub(super) fn pass(&mut self) {
        self.slots.pop_front();
    }

    /// The text whose turn it is, if it has come; the turn passes on.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        let slot = (*self.slots.front()?)?;
        self.slots.pop_front();
        let chunk = self.chunks.get_mut(slot.chunk)?;
        chunk.left -= 1;
        if chunk.left == 0 && self.filling != Some(slot.chunk) {
            // Its memory stays as it is until something new is written to it.
            self.spare.push(slot.chunk);
        }
        chunk.text.get(slot.start..slot.end)
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
            for ahead in 1..100 {
                let text = waiting.next().unwrap();
                assert_eq!(text, [u8::try_from(round % 100 + ahead % 7).unwrap(); 100]);
            }
            assert!(waiting.is_empty() && waiting.next().is_none());
        }
        assert!(waiting.chunks.len() <= 2, "{}", waiting.chunks.len());
    }
}
