//! Misbehaviour on demand: what a client has to survive, made to happen at a chosen moment.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::error::ServiceError;

use super::error::{THROUGHPUT_EXCEEDED, status};
use super::iterator::rate_exceeded;
use super::shard::ShardId;

/// Something that goes wrong. As JSON: `{"fault":"fail_requests","operation":"GetRecords","count":2,"code":"…"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Every `every`-th record of `PutRecords` fails, until `count` have failed.
    FailRecords {
        /// How many records fail in all.
        count: u64,
        /// 1 fails every record, 2 every other one.
        #[serde(default = "one")]
        every: u64,
        /// The error code, such as `ProvisionedThroughputExceededException` or `InternalFailure`.
        #[serde(default = "throttling")]
        code: String,
        /// Only records that go to this shard count.
        #[serde(default)]
        shard_id: Option<String>,
    },
    /// The next `count` requests of an operation fail before anything is done.
    FailRequests {
        /// The operation, such as `GetRecords`; `*` for any.
        operation: String,
        /// How many requests fail.
        count: u64,
        /// The error code.
        code: String,
        /// The message; a general one when it is left out.
        #[serde(default)]
        message: Option<String>,
        /// The HTTP status; the code's usual one when it is left out.
        #[serde(default)]
        status: Option<u16>,
    },
    /// The next `count` requests of an operation are carried out, and then fail: the answer is lost on the way.
    LoseAnswers {
        /// The operation, such as `PutRecords`; `*` for any.
        operation: String,
        /// How many answers are lost.
        count: u64,
        /// The error code.
        code: String,
    },
    /// Every shard iterator handed out so far expires.
    ExpireIterators,
    /// The next `count` pages of `GetRecords` are empty, although records wait.
    EmptyPages {
        /// How many pages.
        count: u64,
    },
    /// The end of a closed shard names its children, or, when hidden, does not.
    HideChildShards {
        /// Whether they are hidden from now on.
        hidden: bool,
    },
    /// The next `count` subscriptions break off where they would have sent an event.
    BreakSubscriptions {
        /// How many subscriptions.
        count: u64,
        /// By closing the connection, instead of an `InternalFailureException` in the event stream.
        #[serde(default)]
        abrupt: bool,
    },
    /// Ends every fault that is still waiting to happen.
    Clear,
}

fn one() -> u64 {
    1
}

fn throttling() -> String {
    THROUGHPUT_EXCEEDED.to_owned()
}

/// How a subscription breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Break {
    /// The connection closes.
    Abrupt,
    /// The event stream carries an error.
    Exception,
}

/// The faults that wait for their moment.
#[derive(Debug, Default)]
pub(super) struct Faults {
    waiting: Vec<Waiting>,
    generation: u32,
    children_hidden: bool,
}

#[derive(Debug)]
struct Waiting {
    fault: Fault,
    left: u64,
    /// Records that a `FailRecords` has looked at.
    seen: u64,
}

impl Faults {
    pub(super) fn add(&mut self, fault: Fault) {
        let left = match &fault {
            Fault::ExpireIterators => {
                self.generation += 1;
                return;
            }
            Fault::HideChildShards { hidden } => {
                self.children_hidden = *hidden;
                return;
            }
            Fault::Clear => {
                self.waiting.clear();
                self.children_hidden = false;
                return;
            }
            Fault::FailRecords { count, .. }
            | Fault::FailRequests { count, .. }
            | Fault::LoseAnswers { count, .. }
            | Fault::EmptyPages { count }
            | Fault::BreakSubscriptions { count, .. } => *count,
        };
        if left > 0 {
            self.waiting.push(Waiting { fault, left, seen: 0 });
        }
    }

    /// The error of a request that is to fail before anything is done.
    pub(super) fn refuse(&mut self, operation: &str) -> Option<ServiceError> {
        self.take(|fault| match fault {
            Fault::FailRequests { operation: wanted, code, message, status: given, .. }
                if concerns(wanted, operation) =>
            {
                let message = message.clone().unwrap_or_else(|| format!("Injected fault: {code}."));
                Some(ServiceError::new(given.unwrap_or_else(|| status(code)), code.clone(), message))
            }
            _ => None,
        })
    }

    /// The error of a request that was carried out and whose answer is lost.
    pub(super) fn lose_answer(&mut self, operation: &str) -> Option<ServiceError> {
        self.take(|fault| match fault {
            Fault::LoseAnswers { operation: wanted, code, .. } if concerns(wanted, operation) => {
                Some(ServiceError::new(status(code), code.clone(), "Injected fault: the answer was lost."))
            }
            _ => None,
        })
    }

    /// The code and message of a record that is to fail.
    pub(super) fn fail_record(
        &mut self,
        shard: ShardId,
        stream: &str,
        account: &str,
    ) -> Option<(Cow<'static, str>, String)> {
        let (at, code) = self.waiting.iter_mut().enumerate().find_map(|(at, waiting)| {
            let Fault::FailRecords { every, code, shard_id, .. } = &waiting.fault else { return None };
            if shard_id.as_ref().is_some_and(|wanted| *wanted != shard.to_string()) {
                return None;
            }
            waiting.seen += 1;
            waiting.seen.is_multiple_of((*every).max(1)).then(|| (at, code.clone()))
        })?;
        self.count_down(at);
        let message = match code.as_str() {
            THROUGHPUT_EXCEEDED => rate_exceeded(shard, stream, account).message,
            _ => "Internal service failure.".to_owned(),
        };
        Some((code.into(), message))
    }

    /// Whether the next page is to be empty; counts it if so.
    pub(super) fn empty_page(&mut self) -> bool {
        self.take(|fault| matches!(fault, Fault::EmptyPages { .. }).then_some(())).is_some()
    }

    /// How the next subscription is to break off, if it is to; counts it if so.
    pub(super) fn break_subscription(&mut self) -> Option<Break> {
        self.take(|fault| match fault {
            Fault::BreakSubscriptions { abrupt: true, .. } => Some(Break::Abrupt),
            Fault::BreakSubscriptions { abrupt: false, .. } => Some(Break::Exception),
            _ => None,
        })
    }

    /// Iterators of any other generation have expired.
    pub(super) fn iterator_generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn hides_children(&self) -> bool {
        self.children_hidden
    }

    /// The first waiting fault that `pick` has a use for, counted down.
    fn take<T>(&mut self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let (at, found) =
            self.waiting.iter().enumerate().find_map(|(at, waiting)| Some((at, pick(&waiting.fault)?)))?;
        self.count_down(at);
        Some(found)
    }

    fn count_down(&mut self, at: usize) {
        if let Some(waiting) = self.waiting.get_mut(at) {
            waiting.left -= 1;
            if waiting.left == 0 {
                self.waiting.remove(at);
            }
        }
    }
}

fn concerns(wanted: &str, operation: &str) -> bool {
    wanted == "*" || wanted == operation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    fn failed(faults: &mut Faults, shards: &[u32]) -> Vec<bool> {
        shards.iter().map(|shard| faults.fail_record(ShardId(*shard), "s", "a").is_some()).collect()
    }

    #[test]
    fn every_second_record_fails_until_the_count_is_used_up() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"fault":"fail_records","count":2,"every":2}"#));
        assert_eq!(failed(&mut faults, &[0; 6]), [false, true, false, true, false, false]);
    }

    #[test]
    fn one_shard_can_be_singled_out() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"fault":"fail_records","count":9,"shard_id":"shardId-000000000001"}"#));
        assert_eq!(failed(&mut faults, &[0, 1, 0, 1]), [false, true, false, true]);
    }

    #[test]
    fn a_request_fails_as_often_as_was_said_and_others_do_not() {
        let mut faults = Faults::default();
        faults.add(fault(r#"{"fault":"fail_requests","operation":"GetRecords","count":1,"code":"InternalFailureException"}"#));
        assert_eq!(faults.refuse("PutRecords"), None);
        assert_eq!(faults.refuse("GetRecords").unwrap().status, 500);
        assert_eq!(faults.refuse("GetRecords"), None);
    }

    #[test]
    fn clearing_ends_what_waits() {
        let mut faults = Faults::default();
        faults.add(Fault::EmptyPages { count: 3 });
        faults.add(Fault::Clear);
        assert!(!faults.empty_page());
    }

    #[test]
    fn a_misspelt_fault_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"fault":"fail_records","count":1,"evry":2}"#).is_err());
    }
}
