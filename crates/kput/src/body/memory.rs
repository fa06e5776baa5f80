//! The memory of request bodies, used again and again.
//!
//! A body is large and lives for one request. Memory that goes back to the system and comes anew is cleared and mapped
//! page by page, which costs more than what is written to it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Pieces that are kept while nobody needs them.
const SPARE: usize = 4;

/// Larger ones are not kept.
const SPARE_BYTES: usize = 2 * 1024 * 1024;

/// Where bodies take their memory from. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Vec<Vec<u8>>>>);

impl Memory {
    /// An empty piece with room for so many bytes.
    pub(super) fn take(&self, bytes: usize) -> Vec<u8> {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.filter(|piece| piece.capacity() >= bytes).unwrap_or_else(|| Vec::with_capacity(bytes))
    }

    /// What was written to a piece, which comes back when nobody uses it any more.
    pub(super) fn lend(&self, written: Vec<u8>) -> Bytes {
        Bytes::from_owner(Lent { written, memory: self.clone() })
    }
}

struct Lent {
    written: Vec<u8>,
    memory: Memory,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        &self.written
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut piece = std::mem::take(&mut self.written);
        let mut spare = self.memory.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < SPARE && piece.capacity() <= SPARE_BYTES {
            piece.clear();
            spare.push(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, SPARE, SPARE_BYTES};

    #[test]
    fn a_piece_comes_back_when_its_last_user_is_gone() {
        let memory = Memory::default();
        let mut piece = memory.take(1000);
        piece.extend_from_slice(b"body");
        let at = piece.as_ptr();
        let (one, other) = (memory.lend(piece), memory.clone());
        let part = one.slice(1..3);
        drop(one);
        assert_eq!(&part[..], b"od");
        assert!(memory.0.lock().unwrap().is_empty(), "a part is in use");
        drop(part);
        let again = other.take(900);
        assert_eq!((again.as_ptr(), again.len()), (at, 0));
    }

    #[test]
    fn neither_many_nor_large_ones_are_kept() {
        let memory = Memory::default();
        let spare = || memory.0.lock().unwrap().len();
        let lent: Vec<_> = (0..2 * SPARE).map(|_| memory.lend(memory.take(10))).collect();
        drop(lent);
        assert_eq!(spare(), SPARE);
        // One that is too small makes room for a larger one.
        let larger = memory.take(1000);
        assert!(larger.capacity() >= 1000 && spare() == SPARE - 1);
        drop(memory.lend(Vec::with_capacity(SPARE_BYTES + 1)));
        assert_eq!(spare(), SPARE - 1);
    }
}
