//! The loop: records in, requests out, receipts out, until there is nothing left or a reason to stop.

mod ending;
mod regroup;
mod settle;

use std::sync::Arc;
use std::time::{Duration, Instant};

use config::interrupt::Interrupt;
use config::{Fault, Notes, OutError, Outcome, Outlet};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;

use crate::answer::{Answer, Text};
use crate::args::StatsForm;
use crate::dead_letter::DeadLetters;
use crate::input::{Arrival, Batch, Input, Message, Refusal};
use crate::journal::{Journal, Known};
use crate::limits::DEFAULT_RECORD_BYTES;
use crate::plan::{Failure, Item, Pack, Planner, Rules, ShardMap, bytes_of};
use crate::put::{CallFailed, Put};
use crate::receipt::{Receipts, Unstored};
use crate::record::Record;
use crate::tally::Tally;

use regroup::Aggregation;

/// Receipts that may wait for an earlier one. Reading pauses when as many records are ahead of the oldest open one.
const WINDOW: u64 = 16 * 1024;

/// Bytes of receipts that may wait for a reader of stdout who takes his time. Reading pauses when there are more.
const UNREAD_BYTES: usize = 1024 * 1024;

/// Bytes of aggregates that may wait to be sent. Records that go alone are bounded by the memory they share, see [`input`].
///
/// [`input`]: crate::input
const UNSENT_BYTES: usize = 2 * 1024 * 1024;

/// Bytes under way for each request that may be, so that large ones take no more memory than many small ones. One always
/// goes, whatever its size.
const UNDER_WAY_BYTES: usize = 512 * 1024;

/// The same for aggregates, which share no memory with what was read.
const AGGREGATES_UNDER_WAY_BYTES: usize = 256 * 1024;

/// Receipts are handed on in pieces of this size, or when they have waited for [`FLUSH_EVERY`].
const PIECE_BYTES: usize = 256 * 1024;

/// Receipts, dead letters and journal are handed on at least this often while requests are under way.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// The progress line is written this often at most.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// If so many single records were refused and none was ever stored, it is not the records.
const HOPELESS: u32 = 8;

type Flight = BoxFuture<'static, (Vec<Item>, Result<Answer, Box<CallFailed>>)>;

/// What a run is told, beside where to send.
pub struct Options {
    /// What the planner keeps to.
    pub rules: Rules,
    /// Requests under way at a time.
    pub in_flight: usize,
    /// Bytes of the largest record, when the connection document says.
    pub record_bytes: Option<usize>,
    /// Bytes of an aggregate, when records are to be aggregated.
    pub aggregate_bytes: Option<usize>,
    /// Where records go that are given up.
    pub dead_letters: Option<DeadLetters>,
    /// What is dealt with.
    pub journal: Option<Journal>,
    /// Whether anybody wants receipts.
    pub receipts: bool,
    /// Whether a person watches stderr, and nothing else is written to that terminal meanwhile.
    pub progress: bool,
    /// How the summary is written.
    pub stats: StatsForm,
}

/// Why a run ends before its input does.
enum Stop {
    Interrupted,
    Output(OutError),
    Fault(Fault),
}

/// A run.
pub struct Run {
    put: Arc<Put>,
    options: Options,
    planner: Planner,
    aggregation: Option<Aggregation>,
    receipts: Receipts,
    outlet: Outlet,
    notes: Notes,
    interrupt: Interrupt,
    flying: FuturesUnordered<Flight>,
    flying_bytes: usize,
    shards: Option<BoxFuture<'static, Result<ShardMap, Fault>>>,
    /// When the shards were asked for last.
    shards_asked: Option<Instant>,
    tally: Tally,
    started: Instant,
    flushed: Instant,
    shown: Option<Instant>,
    /// The next record's number.
    next: u64,
    /// The input is over, or cannot be used any further.
    over: bool,
    /// Why it cannot be used; what came before it is sent.
    broken: Option<Fault>,
    stop: Option<Stop>,
    /// The last request that failed as a whole.
    last_failed: Option<Fault>,
    refused_alone: u32,
}

impl Run {
    /// A run that has not begun.
    pub fn new(put: Put, options: Options, outlet: Outlet, notes: Notes, interrupt: Interrupt) -> Self {
        let now = Instant::now();
        Self {
            put: Arc::new(put),
            planner: Planner::new(options.rules.clone(), fastrand::Rng::new(), now),
            aggregation: options.aggregate_bytes.map(Aggregation::new),
            receipts: Receipts::new(options.receipts),
            options,
            outlet,
            notes,
            interrupt,
            flying: FuturesUnordered::new(),
            flying_bytes: 0,
            shards: None,
            shards_asked: None,
            tally: Tally::default(),
            started: now,
            flushed: now,
            shown: None,
            next: 0,
            over: false,
            broken: None,
            stop: None,
            last_failed: None,
            refused_alone: 0,
        }
    }

    /// Puts everything that `input` brings.
    ///
    /// # Errors
    /// When the input cannot be used, stdout cannot be written, or no request can succeed. What was under way then is
    /// finished first.
    pub async fn to_end(mut self, mut input: Input) -> Result<Outcome, Fault> {
        while !self.is_done() {
            let wake = self.wake();
            let open = !self.over && self.stop.is_none() && !self.needs_shards() && !self.is_held_back();
            let asked: OptionFuture<_> = self.shards.as_mut().into();
            tokio::select! {
                () = self.interrupt.asked(), if self.stop.is_none() => self.stop = Some(Stop::Interrupted),
                Some((batch, answer)) = self.flying.next(), if !self.flying.is_empty() => self.settle(batch, answer),
                written = self.outlet.done(), if !self.outlet.is_idle() => self.written(written),
                Some(listed) = asked => self.set_shards(listed),
                message = input.recv(), if open => self.hear(message).await,
                () = sleep_until(wake), if wake.is_some() => {}
            }
            self.show_progress();
        }
        self.end().await
    }

    /// Sends what is due; then tells whether nothing is left to wait for.
    fn is_done(&mut self) -> bool {
        self.close_bundles(Instant::now(), self.over);
        self.send_due();
        if self.flying.is_empty() && self.is_held_back() {
            // Nothing under way can make room for more records, so nothing here waits for their company.
            self.planner.hurry(true);
            self.close_bundles(Instant::now(), true);
            self.send_due();
            self.planner.hurry(false);
        }
        if !self.flying.is_empty() {
            self.flush_when_due();
            return false;
        }
        self.flush();
        if self.stop.is_some() {
            return true;
        }
        if self.needs_shards() && self.shards.is_none() {
            self.ask_shards();
            return false;
        }
        self.over && self.planner.is_empty() && !self.needs_shards()
    }

    /// Whether reading waits: for receipts to leave, because records are far ahead of the oldest open one or because the
    /// reader of stdout takes his time, or for aggregates.
    fn is_held_back(&mut self) -> bool {
        self.next >= self.receipts.first_open().saturating_add(WINDOW)
            || self.receipts.ready().len() >= UNREAD_BYTES
            || (self.aggregation.is_some() && self.planner.waiting_bytes() >= UNSENT_BYTES)
    }

    fn send_due(&mut self) {
        while self.may_send() {
            let Some(mut batch) = self.planner.take(Instant::now()) else { return };
            Pack::seal(batch.iter_mut().filter_map(Item::pack_mut));
            self.flying_bytes += bytes_of(&batch);
            self.tally.requests += 1;
            self.tally.sent += batch.len() as u64;
            self.tally.resent += batch.iter().filter(|item| item.attempts > 1).count() as u64;
            let put = Arc::clone(&self.put);
            self.flying.push(Box::pin(async move {
                let answer = put.send(&batch).await;
                (batch, answer)
            }));
        }
    }

    fn may_send(&self) -> bool {
        let each = match self.aggregation {
            Some(_) => AGGREGATES_UNDER_WAY_BYTES,
            None => UNDER_WAY_BYTES,
        };
        self.stop.is_none()
            && !self.is_regrouping()
            && self.flying.len() < self.options.in_flight
            && (self.flying.is_empty() || self.flying_bytes < self.options.in_flight * each)
    }

    /// When something may be due although nothing happens.
    fn wake(&mut self) -> Option<Instant> {
        let now = Instant::now();
        let planner = self.planner.wake(now).filter(|_| self.may_send());
        let bundler = self.aggregation.as_ref().and_then(|aggregation| aggregation.bundler.as_ref()?.wake());
        let unread = !self.receipts.ready().is_empty() && self.outlet.is_idle();
        let times =
            [planner, bundler.filter(|_| self.stop.is_none()), unread.then(|| self.flushed + FLUSH_EVERY)];
        times.into_iter().flatten().min()
    }

    async fn hear(&mut self, message: Option<Message>) {
        match message {
            Some(Message::Batch(batch)) => self.admit(batch).await,
            Some(Message::File { first, name }) => self.receipts.begin_file(first, name),
            Some(Message::Broken(fault)) => {
                self.broken = Some(fault);
                self.finish();
            }
            Some(Message::End) | None => {
                if let Some(Err(fault)) =
                    self.options.journal.as_ref().map(|journal| journal.is_complete(self.next))
                {
                    self.broken = Some(fault);
                }
                self.finish();
            }
        }
    }

    fn finish(&mut self) {
        self.over = true;
        self.planner.finish();
    }

    async fn admit(&mut self, mut batch: Batch) {
        let now = Instant::now();
        while let Some(arrival) = batch.lend() {
            self.next += 1;
            self.tally.records += 1;
            match arrival {
                Arrival::Record(record) => {
                    if let Some(known) = self.known(record) {
                        self.pass_over(record, known);
                    } else if self.surely_fits(record) {
                        self.route(record, now);
                    } else {
                        self.admit_large(record, now).await;
                    }
                }
                Arrival::Refused(refusal) => self.refuse(&refusal),
                Arrival::Skipped(refusal) => {
                    self.tally.skipped += 1;
                    self.receipts.unstored(refusal.number, refusal.line, Unstored::Skipped(&refusal.message));
                }
            }
        }
    }

    /// What an earlier run did with a record.
    fn known(&mut self, record: &Record) -> Option<Known> {
        let journal = self.options.journal.as_mut()?;
        journal.knows(record.number(), record.data()).unwrap_or_else(|fault| {
            self.stop.get_or_insert(Stop::Fault(fault));
            None
        })
    }

    fn pass_over(&mut self, record: &Record, known: Known) {
        let known = match known {
            Known::Stored => {
                self.tally.known += 1;
                "stored"
            }
            Known::Lettered => {
                self.tally.lettered += 1;
                "dead-letter"
            }
        };
        self.receipts.unstored(record.number(), record.line(), Unstored::Known(known));
    }

    /// Whether the stream takes a record, as far as that is known without asking.
    fn surely_fits(&self, record: &Record) -> bool {
        record.size() <= self.options.record_bytes.unwrap_or(DEFAULT_RECORD_BYTES)
    }

    /// Puts a large record on its way, or gives it up when the stream does not take it, which is asked for if need be.
    async fn admit_large(&mut self, record: &Record, now: Instant) {
        let size = record.size();
        let most = match self.options.record_bytes {
            Some(most) => most,
            None => self.put.takes().await.record_bytes,
        };
        self.options.record_bytes = Some(most);
        if size <= most {
            return self.route(record, now);
        }
        let message = format!(
            "the record and its key have {size} bytes, the stream takes at most {most}; kstream ensure {} \
             --max-record-size-kib {} changes that",
            self.put.target().name,
            size.div_ceil(1024)
        );
        let failure = Failure { code: "RecordTooLarge".to_owned(), message, throttled: false, last: true };
        self.conclude(&Text::default(), &[], &[(Item::new(record.clone(), now), Box::new(failure))]);
    }

    /// Gives up a record that was too large to be kept.
    fn refuse(&mut self, Refusal { number, line, code, message }: &Refusal) {
        self.tally.failed += 1;
        self.receipts.unstored(*number, *line, Unstored::Failed { code, message });
    }

    fn ask_shards(&mut self) {
        let is_first = self.shards_asked.is_none();
        self.shards_asked = Some(Instant::now());
        let put = Arc::clone(&self.put);
        let aggregation = self.aggregation.as_ref();
        // A stream that distributes records itself would take aggregates apart over its shards.
        let is_by_key_needed = is_first && aggregation.is_some();
        let pause = aggregation.map_or(Duration::ZERO, Aggregation::pause);
        self.shards = Some(Box::pin(async move {
            tokio::time::sleep(pause).await;
            if is_by_key_needed && !put.takes().await.by_key {
                return Err(put.distributes_itself());
            }
            put.shards().await
        }));
    }

    fn set_shards(&mut self, map: Result<ShardMap, Fault>) {
        self.shards = None;
        match map {
            Ok(map) if self.aggregation.is_some() => self.regroup(map),
            Ok(map) => self.planner.set_shards(map, Instant::now()),
            Err(fault) if self.aggregation.is_some() => {
                self.stop.get_or_insert(Stop::Fault(fault));
            }
            // Without the map everything is paced together.
            Err(fault) => tracing::debug!(fault = fault.to_text("kput"), "no shard map"),
        }
    }

    fn show_progress(&mut self) {
        if !self.options.progress {
            return;
        }
        let now = Instant::now();
        if self.shown.is_none_or(|shown| now.saturating_duration_since(shown) >= SHOW_EVERY) {
            self.shown = Some(now);
            self.notes.progress(self.tally.progress(self.flying.len(), self.started.elapsed()));
        }
    }
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
