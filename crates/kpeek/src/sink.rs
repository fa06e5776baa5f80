//! What becomes of the records that were read: chosen, counted, written in a form.

use config::names::ShardId;

use crate::form::Form;
use crate::record::{Item, Record};

/// Where records go.
#[derive(Debug)]
pub(crate) struct Sink {
    form: Form,
    left: Option<u64>,
    shown: u64,
}

impl Sink {
    /// Shows items in `form`, at most `count` of them.
    pub(crate) fn new(form: Form, count: Option<u64>) -> Self {
        Self { form, left: count, shown: 0 }
    }

    /// Takes the records of one answer and appends what they look like. Stops at the count.
    pub(crate) fn page(&mut self, shard: &ShardId, records: &[Record], out: &mut Vec<u8>) {
        for record in records {
            if self.is_full() {
                break;
            }
            let item = Item {
                shard,
                sequence_number: &record.sequence_number,
                sub: 0,
                arrived_ms: record.arrived_ms,
                partition_key: record.partition_key.as_deref(),
                payload: &record.data,
            };
            self.form.append(out, &item);
            self.shown += 1;
            self.left = self.left.map(|left| left - 1);
        }
        self.form.finish(out);
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
