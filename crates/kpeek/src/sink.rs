//! What becomes of the records that were read: unpacked, chosen, counted, written in a form.

use config::Fault;
use config::names::ShardId;
use jiff::Timestamp;

use crate::answer::Answer;
use crate::choice::Choice;
use crate::decode::Decode;
use crate::fields;
use crate::form::Form;
use crate::path::Path;
use crate::record::{Item, Record};

/// Where records go.
#[derive(Debug)]
pub(crate) struct Sink {
    /// How items look.
    pub(crate) form: Form,
    /// What is unpacked.
    pub(crate) decode: Decode,
    /// Which items are shown.
    pub(crate) choice: Choice,
    /// The fields to which JSON payloads are cut down; none leaves them whole.
    pub(crate) fields: Vec<Path>,
    /// How many items may still be shown.
    pub(crate) left: Option<u64>,
    /// The last time of arrival that is of interest, in milliseconds since 1970.
    pub(crate) until_ms: Option<i64>,
    shown: u64,
    projected: Vec<u8>,
}

impl Sink {
    /// Shows every item whole in `form`.
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            decode: Decode::None,
            choice: Choice::default(),
            fields: Vec::new(),
            left: None,
            until_ms: None,
            shown: 0,
            projected: Vec::new(),
        }
    }

    /// Ends at this time of arrival.
    pub(crate) fn end_at(&mut self, until: Timestamp) {
        self.until_ms = Some(until.as_millisecond());
    }

    /// Takes the records of one answer and appends what they look like. Says whether the shard may hold more of interest.
    ///
    /// # Errors
    /// As [`Answer::each`].
    pub(crate) fn answer(
        &mut self,
        shard: &ShardId,
        answer: &Answer<'_>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Fault> {
        let mut may_hold_more = true;
        answer.each(|record| {
            may_hold_more &=
                self.until_ms.zip(record.arrived_ms).is_none_or(|(until, arrived)| arrived <= until);
            if !may_hold_more || self.is_full() {
                return false;
            }
            self.record(shard, record, out);
            true
        })?;
        self.form.finish(out);
        Ok(may_hold_more)
    }

    fn record(&mut self, shard: &ShardId, record: &Record<'_>, out: &mut Vec<u8>) {
        let mut sub = 0;
        let decode = self.decode;
        decode.items(record.data, |payload| {
            let item = Item {
                shard,
                sequence_number: record.sequence_number,
                sub,
                arrived_ms: record.arrived_ms,
                partition_key: record.partition_key,
                payload,
            };
            sub += 1;
            self.item(&item, out);
            !self.is_full()
        });
    }

    fn item(&mut self, item: &Item<'_>, out: &mut Vec<u8>) {
        if !self.choice.takes(item) {
            return;
        }
        if self.fields.is_empty() {
            self.form.append(out, item);
        } else {
            self.projected.clear();
            fields::project(&mut self.projected, &self.fields, item.payload);
            self.form.append(out, &Item { payload: &self.projected, ..*item });
        }
        self.shown += 1;
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    /// Whether as many items were shown as were asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.left == Some(0)
    }

    /// How many items were shown.
    pub(crate) fn shown(&self) -> u64 {
        self.shown
    }
}
