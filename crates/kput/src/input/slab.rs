//! Records travel in slabs: one piece of memory and one message for many of them.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use config::Fault;
use tokio::sync::mpsc::UnboundedSender;

use crate::record::{Filling, HashKey, NewKey, Record, Walk};

/// A slab is handed on when it holds this much: as much as is read at once.
const SLAB_BYTES: usize = 128 * 1024;

/// A slab is handed on when it holds this many records: a few full requests. To wake the other thread costs more than
/// many a record.
const SLAB_RECORDS: usize = 4 * crate::limits::REQUEST_RECORDS;

/// What a record costs beside its bytes while it waits, roughly.
const RECORD_OVERHEAD: usize = 160;

/// Bytes of records that may be in the process at once. One record larger than this passes alone.
const BUDGET: usize = 6 * 1024 * 1024;

/// Slabs that may wait to be taken.
const MOST_WAITING: usize = 8;

/// When as many wait to be taken as may, the next is read once no more than this wait.
const FEW_WAITING: usize = 2;

/// What the reading thread says.
#[derive(Debug)]
pub enum Message {
    /// The next records, in input order.
    Batch(Batch),
    /// Of several files, the one that comes next.
    File {
        /// The number that its first record will have.
        first: u64,
        /// Its name, or `stdin`.
        name: String,
    },
    /// The input cannot be used any further.
    Broken(Fault),
    /// The input is over.
    End,
}

/// One record of the input, or why there is none.
#[derive(Debug)]
pub enum Arrival<'batch> {
    /// A record to send.
    Record(&'batch Record),
    /// A record that can never be stored.
    Refused(Refusal),
    /// A record that is left out because the user wants it so.
    Skipped(Refusal),
}

/// Records that were read together.
#[derive(Debug)]
pub struct Batch {
    records: Walk,
    /// What is no record, each with how many records of the batch come before it.
    unsent: VecDeque<(usize, Unsent)>,
    /// Records that were lent.
    lent: usize,
    _waiting: Waiting,
}

/// What is no record to send.
#[derive(Debug)]
enum Unsent {
    Refused(Refusal),
    Skipped(Refusal),
}

impl Batch {
    /// The next one, in input order.
    pub fn lend(&mut self) -> Option<Arrival<'_>> {
        if let Some((_, unsent)) = self.unsent.pop_front_if(|(behind, _)| *behind == self.lent) {
            return Some(match unsent {
                Unsent::Refused(refusal) => Arrival::Refused(refusal),
                Unsent::Skipped(refusal) => Arrival::Skipped(refusal),
            });
        }
        self.lent += 1;
        self.records.lend().map(Arrival::Record)
    }
}

/// A record that is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Position in the whole input, from 0.
    pub number: u64,
    /// Line of its file.
    pub line: u64,
    /// A word for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
}

/// The receiver went away: nobody wants more records.
#[derive(Debug)]
pub(super) struct Unwanted;

/// Holds the reading thread back: by the bytes of all slabs that are alive, and by how many wait to be taken.
///
/// Of those that wait, most have to be taken before the thread goes on: to wake it costs as much as to read a hundred
/// records, so it reads several slabs at a time. Bytes are different: they may be held until somebody far away answers.
#[derive(Debug, Default)]
struct Flow {
    level: Mutex<Level>,
    fell: Condvar,
}

#[derive(Debug, Default)]
struct Level {
    /// Bytes of the slabs that are alive.
    bytes: usize,
    /// Slabs that nobody has taken yet.
    waiting: usize,
    /// How many bytes the thread wants, when it is held back.
    wanted: Option<usize>,
}

impl Level {
    fn has_room(&self, bytes: usize, most_waiting: usize) -> bool {
        self.waiting <= most_waiting && (self.bytes == 0 || self.bytes + bytes <= BUDGET)
    }
}

impl Flow {
    fn level(&self) -> MutexGuard<'_, Level> {
        self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a slab of so many bytes may come.
    fn pass(self: &Arc<Self>, bytes: usize) -> (Alive, Waiting) {
        let mut level = self.level();
        if !level.has_room(bytes, MOST_WAITING - 1) {
            level.wanted = Some(bytes);
            let held = |level: &mut Level| !level.has_room(bytes, FEW_WAITING);
            level = self.fell.wait_while(level, held).unwrap_or_else(PoisonError::into_inner);
            level.wanted = None;
        }
        level.bytes += bytes;
        level.waiting += 1;
        (Alive { flow: Arc::clone(self), bytes }, Waiting { flow: Arc::clone(self) })
    }

    fn lower(&self, by: impl FnOnce(&mut Level)) {
        let mut level = self.level();
        by(&mut level);
        if level.wanted.is_some_and(|bytes| level.has_room(bytes, FEW_WAITING)) {
            self.fell.notify_one();
        }
    }
}

/// The right to hold some bytes; gives them back when dropped.
struct Alive {
    flow: Arc<Flow>,
    bytes: usize,
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.flow.lower(|level| level.bytes -= self.bytes);
    }
}

/// A slab that waits to be taken, until this is dropped.
#[derive(Debug)]
struct Waiting {
    flow: Arc<Flow>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.flow.lower(|level| level.waiting -= 1);
    }
}

/// Collects records into slabs.
pub(super) struct Builder {
    slab: Filling,
    unsent: VecDeque<(usize, Unsent)>,
    next: u64,
    flow: Arc<Flow>,
    to: UnboundedSender<Message>,
}

impl Builder {
    pub(super) fn new(to: UnboundedSender<Message>) -> Self {
        Self { slab: Filling::default(), unsent: VecDeque::new(), next: 0, flow: Arc::default(), to }
    }

    /// Adds a record.
    pub(super) fn add(
        &mut self,
        line: u64,
        data: &[u8],
        key: NewKey<'_>,
        hash: Option<HashKey>,
    ) -> Result<(), Unwanted> {
        if self.slab.bytes() + data.len() > SLAB_BYTES && self.slab.bytes() > 0 {
            self.hand_on()?;
        }
        self.slab.add(self.next, line, data, key, hash);
        self.next += 1;
        self.hand_on_when_full()
    }

    /// Adds a record that can never be stored.
    pub(super) fn refuse(&mut self, line: u64, code: &'static str, message: String) -> Result<(), Unwanted> {
        let refusal = Refusal { number: self.next, line, code, message };
        self.next += 1;
        self.unsent.push_back((self.slab.records(), Unsent::Refused(refusal)));
        self.hand_on_when_full()
    }

    /// Adds a record that is left out.
    pub(super) fn skip(&mut self, line: u64, code: &'static str, message: String) -> Result<(), Unwanted> {
        let refusal = Refusal { number: self.next, line, code, message };
        self.next += 1;
        self.unsent.push_back((self.slab.records(), Unsent::Skipped(refusal)));
        self.hand_on_when_full()
    }

    /// What follows is of another file.
    pub(super) fn begin_file(&mut self, name: &str) -> Result<(), Unwanted> {
        self.hand_on()?;
        self.send(Message::File { first: self.next, name: name.to_owned() })
    }

    fn hand_on_when_full(&mut self) -> Result<(), Unwanted> {
        if self.slab.bytes() >= SLAB_BYTES || self.slab.records() + self.unsent.len() >= SLAB_RECORDS {
            self.hand_on()
        } else {
            Ok(())
        }
    }

    /// Hands on what is there: the next read may block for long.
    pub(super) fn hand_on(&mut self) -> Result<(), Unwanted> {
        if self.slab.records() == 0 && self.unsent.is_empty() {
            return Ok(());
        }
        // The next one will most likely hold as much, or a little more.
        let (bytes, records) = (self.slab.bytes(), self.slab.records());
        let next = Filling::with_capacity((bytes + bytes / 4).min(SLAB_BYTES), records + records / 4);
        let mut slab = std::mem::replace(&mut self.slab, next);
        slab.shrink();
        let (alive, waiting) = self.flow.pass(slab.capacity() + records * RECORD_OVERHEAD);
        let slab = slab.finish(alive);
        let unsent = std::mem::take(&mut self.unsent);
        self.send(Message::Batch(Batch { records: slab.walk(), unsent, lent: 0, _waiting: waiting }))
    }

    pub(super) fn send(&self, message: Message) -> Result<(), Unwanted> {
        self.to.send(message).map_err(|_| Unwanted)
    }
}
