//! The loop: records in, requests out, receipts out, until there is nothing left or a reason to stop.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::interrupt::Interrupt;
use config::{Fault, Kind, Notes, OutError, Outcome};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, OptionFuture};
use futures_util::stream::FuturesUnordered;

use crate::args::StatsForm;
use crate::dead_letter::DeadLetters;
use crate::input::{Arrival, Input, Message, Refusal};
use crate::limits::DEFAULT_RECORD_BYTES;
use crate::plan::{Ended, Failure, Item, Planner, Rules, ShardMap, Verdict};
use crate::put::{CallFailed, Next, Put};
use crate::receipt::{Receipt, Receipts};
use crate::record::Record;
use crate::tally::{Tally, show_records};

/// Receipts that may wait for an earlier one. Reading pauses when as many records are ahead of the oldest open one.
const WINDOW: u64 = 16 * 1024;

/// Receipts are handed on at least this often while requests are under way.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// If so many single records were refused and none was ever stored, it is not the records.
const HOPELESS: u32 = 8;

type Flight = BoxFuture<'static, (Vec<Item>, Result<Vec<Verdict>, Box<CallFailed>>)>;

/// What a run is told, beside where to send.
pub struct Options {
    /// What the planner keeps to.
    pub rules: Rules,
    /// Requests under way at a time.
    pub in_flight: usize,
    /// Bytes of the largest record, when the connection document says.
    pub record_bytes: Option<usize>,
    /// Where records go that are given up.
    pub dead_letters: Option<DeadLetters>,
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
pub struct Run<W: Write> {
    put: Arc<Put>,
    options: Options,
    planner: Planner,
    receipts: Receipts<W>,
    notes: Notes,
    interrupt: Interrupt,
    flying: FuturesUnordered<Flight>,
    shards: Option<BoxFuture<'static, Result<ShardMap, Fault>>>,
    shards_asked: bool,
    tally: Tally,
    started: Instant,
    flushed: Instant,
    /// The next record's number.
    next: u64,
    /// The input cannot be used any further; what came before it is sent.
    broken: Option<Fault>,
    stop: Option<Stop>,
    /// The last request that failed as a whole.
    last_failed: Option<Fault>,
    refused_alone: u32,
}

impl<W: Write> Run<W> {
    /// A run that has not begun.
    pub fn new(
        put: Put,
        options: Options,
        receipts: Receipts<W>,
        notes: Notes,
        interrupt: Interrupt,
    ) -> Self {
        let now = Instant::now();
        Self {
            put: Arc::new(put),
            planner: Planner::new(options.rules.clone(), fastrand::Rng::new(), now),
            options,
            receipts,
            notes,
            interrupt,
            flying: FuturesUnordered::new(),
            shards: None,
            shards_asked: false,
            tally: Tally::default(),
            started: now,
            flushed: now,
            next: 0,
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
        let mut over = false;
        loop {
            self.send_due();
            let done = over && self.planner.is_empty();
            if self.flying.is_empty() && (done || self.stop.is_some()) {
                break;
            }
            if self.flying.is_empty() {
                self.flush();
            }
            let now = Instant::now();
            let room = self.flying.len() < self.options.in_flight && self.stop.is_none();
            let wake = if room { self.planner.wake(now) } else { None };
            let open =
                !over && self.stop.is_none() && self.next < self.receipts.first_open().saturating_add(WINDOW);
            let asked: OptionFuture<_> = self.shards.as_mut().into();
            tokio::select! {
                () = self.interrupt.asked(), if self.stop.is_none() => self.stop = Some(Stop::Interrupted),
                Some((batch, answer)) = self.flying.next(), if !self.flying.is_empty() => self.settle(batch, answer),
                Some(map) = asked => self.set_shards(map),
                message = input.recv(), if open => match message {
                    Some(Message::Arrivals(arrivals)) => self.admit(arrivals).await,
                    Some(Message::Broken(fault)) => {
                        self.broken = Some(fault);
                        over = true;
                        self.planner.finish();
                    }
                    Some(Message::End) | None => {
                        over = true;
                        self.planner.finish();
                    }
                },
                () = sleep_until(wake), if wake.is_some() => {}
            }
            self.show_progress();
        }
        self.end()
    }

    fn send_due(&mut self) {
        while self.stop.is_none() && self.flying.len() < self.options.in_flight {
            let Some(batch) = self.planner.take(Instant::now()) else { return };
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

    async fn admit(&mut self, arrivals: Vec<Arrival>) {
        let now = Instant::now();
        for arrival in arrivals {
            self.next += 1;
            self.tally.records += 1;
            match arrival {
                Arrival::Record(record) => match self.check(record).await {
                    Ok(record) => self.planner.admit(Item::new(record, now)),
                    Err(refusal) => self.refuse(refusal),
                },
                Arrival::Refused(refusal) => self.refuse(refusal),
                Arrival::Skipped(Refusal { number, line, message, .. }) => {
                    self.tally.skipped += 1;
                    self.receipt(number, line, Receipt::Skipped { reason: message });
                }
            }
        }
    }

    /// Refuses a record that the stream does not take. Only a record above the usual limit makes it ask for this stream's.
    async fn check(&mut self, record: Record) -> Result<Record, Refusal> {
        let size = record.size();
        if size <= DEFAULT_RECORD_BYTES.min(self.options.record_bytes.unwrap_or(DEFAULT_RECORD_BYTES)) {
            return Ok(record);
        }
        let most = match self.options.record_bytes {
            Some(most) => most,
            None => self.put.record_bytes().await,
        };
        self.options.record_bytes = Some(most);
        if size <= most {
            return Ok(record);
        }
        let message = format!(
            "the record and its key have {size} bytes, the stream takes at most {most}; kstream ensure {} \
             --max-record-size-kib {} changes that",
            self.put.target().name,
            size.div_ceil(1024)
        );
        Err(Refusal { number: record.number, line: record.line, code: "RecordTooLarge", message })
    }

    fn refuse(&mut self, Refusal { number, line, code, message }: Refusal) {
        self.tally.failed += 1;
        self.receipt(number, line, Receipt::Failed { code: code.to_owned(), message });
    }

    fn settle(&mut self, batch: Vec<Item>, answer: Result<Vec<Verdict>, Box<CallFailed>>) {
        let now = Instant::now();
        let verdicts = match answer {
            Ok(verdicts) => verdicts,
            Err(failed) => match self.verdicts_of_failure(&batch, *failed) {
                Some(verdicts) => verdicts,
                None => {
                    self.planner.split(batch);
                    return;
                }
            },
        };
        let throttled =
            |verdict: &&Verdict| matches!(verdict, Verdict::Failed(Failure { throttled: true, .. }));
        let throttled = verdicts.iter().filter(throttled).count();
        self.tally.throttled += throttled as u64;
        if throttled > 0 {
            self.ask_shards();
        }
        for end in self.planner.settle(batch, verdicts, now) {
            match end {
                Ended::Acked { item, shard, sequence } => {
                    self.tally.stored += 1;
                    self.tally.stored_bytes += item.record.size() as u64;
                    self.receipt(
                        item.record.number,
                        item.record.line,
                        Receipt::Stored { shard, sequence, sub: None },
                    );
                }
                Ended::GivenUp { item, failure } => self.give_up(&item.record, failure),
            }
        }
        if now.saturating_duration_since(self.flushed) >= FLUSH_EVERY {
            self.flush();
        }
    }

    /// What a request that failed as a whole means for its records; None: try its halves.
    fn verdicts_of_failure(&mut self, batch: &[Item], failed: CallFailed) -> Option<Vec<Verdict>> {
        self.tally.failed_requests += 1;
        let CallFailed { fault, next, throttled } = failed;
        let alone = batch.len() == 1;
        if next == Next::Split && !alone {
            return None;
        }
        if next == Next::Split {
            self.refused_alone += 1;
        }
        let hopeless = self.refused_alone >= HOPELESS && self.tally.stored == 0;
        if (next == Next::Stop || hopeless) && self.stop.is_none() {
            self.stop = Some(Stop::Fault(fault.clone()));
        }
        let failure = Failure {
            code: fault.code().unwrap_or("Unreachable").to_owned(),
            message: reason(&fault),
            throttled,
            last: next == Next::Split,
        };
        self.last_failed = Some(fault);
        Some(vec![Verdict::Failed(failure); batch.len()])
    }

    fn give_up(&mut self, record: &Record, failure: Failure) {
        self.tally.failed += 1;
        if let Some(letters) = &mut self.options.dead_letters
            && let Err(fault) = letters.add(record, &failure)
        {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        let receipt = Receipt::Failed { code: failure.code, message: failure.message };
        self.receipt(record.number, record.line, receipt);
    }

    fn receipt(&mut self, number: u64, line: u64, receipt: Receipt) {
        if let Err(error) = self.receipts.put(number, line, receipt) {
            self.stop.get_or_insert(Stop::Output(error));
        }
    }

    fn flush(&mut self) {
        self.flushed = Instant::now();
        let letters = self.options.dead_letters.as_mut().map_or(Ok(()), DeadLetters::flush);
        if let Err(fault) = letters {
            self.stop.get_or_insert(Stop::Fault(fault));
        }
        if let Err(error) = self.receipts.flush() {
            self.stop.get_or_insert(Stop::Output(error));
        }
    }

    /// Asks for the shards, once: with them only the shard that throttles is slowed.
    fn ask_shards(&mut self) {
        if !self.shards_asked {
            self.shards_asked = true;
            let put = Arc::clone(&self.put);
            self.shards = Some(Box::pin(async move { put.shards().await }));
        }
    }

    fn set_shards(&mut self, map: Result<ShardMap, Fault>) {
        self.shards = None;
        match map {
            Ok(map) => self.planner.set_shards(map, Instant::now()),
            // Without the map everything is paced together.
            Err(fault) => tracing::debug!(fault = fault.to_text("kput"), "no shard map"),
        }
    }

    fn show_progress(&self) {
        if self.notes.is_terminal() {
            self.notes.progress(self.tally.progress(self.flying.len(), self.started.elapsed()));
        }
    }

    fn end(mut self) -> Result<Outcome, Fault> {
        let left = self.planner.drain(Instant::now());
        let interrupted = matches!(self.stop, Some(Stop::Interrupted));
        for item in left.iter().filter(|item| item.attempts > 0 && interrupted) {
            self.tally.failed += 1;
            let message = "stopped before it could be sent again".to_owned();
            let receipt = Receipt::Failed { code: "Interrupted".to_owned(), message };
            self.receipt(item.record.number, item.record.line, receipt);
        }
        if let Err(error) = self.receipts.put_rest() {
            self.stop.get_or_insert(Stop::Output(error));
        }
        self.flush();
        self.notes.clear();
        self.tally.elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match self.options.stats {
            StatsForm::Text if self.tally.records == 0 => {
                self.notes.say("no records came in, nothing was put");
            }
            StatsForm::Text => self.notes.say(self.tally.sentence(self.put.target().name.as_str())),
            StatsForm::Json => self.notes.json(&self.tally),
        }
        let unsent =
            self.next - self.tally.stored - self.tally.failed - self.tally.skipped - self.tally.known;
        match (self.stop, self.broken) {
            (Some(Stop::Fault(fault)), _) => Err(fault),
            (Some(Stop::Output(error)), _) => Err(Fault::from(error)
                .with_cause(format!("stored before that: {}", show_records(self.tally.stored)))
                .with_hint("records without a receipt may be stored too; --receipts none needs no reader")),
            (Some(Stop::Interrupted), _) => Err(Fault::interrupted("interrupted")
                .with_cause(format!("read but not sent: {}", show_records(unsent)))
                .with_hint("the receipts say which records are stored; send the rest")),
            (None, Some(fault)) => Err(fault),
            (None, None) => match self.last_failed {
                // Nothing got through, and nothing is wrong with the records.
                Some(fault) if self.tally.stored == 0 && fault.kind() == Kind::Transient => Err(fault),
                _ if self.tally.failed > 0 => Ok(Outcome::Incomplete),
                _ => Ok(Outcome::Done),
            },
        }
    }
}

/// The causes of a fault, without what was being done: the receipt stands for that.
fn reason(fault: &Fault) -> String {
    let text = fault.to_text("kput");
    let line = text.lines().next().unwrap_or_default();
    let prefix = format!("kput: {}: ", fault.message());
    line.strip_prefix(&prefix).unwrap_or(line).to_owned()
}

async fn sleep_until(wake: Option<Instant>) {
    match wake {
        Some(wake) => tokio::time::sleep_until(wake.into()).await,
        None => std::future::pending().await,
    }
}
