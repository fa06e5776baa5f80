//! How often an account may call an operation: the other reason, beside busy shards, why the service says "too fast".

use std::collections::BTreeMap;

use crate::error::ServiceError;

use super::error::limit_exceeded;
use super::limits::Bucket;

/// Calls a second that one account may make, by the API reference. None where only shards have rates.
/// The reference gives `ListShards` its rate for each stream; here all streams share it.
fn calls_per_second(operation: &str) -> Option<u32> {
    match operation {
        "DescribeLimits" => Some(1),
        "AddTagsToStream"
        | "CreateStream"
        | "DeleteStream"
        | "DeregisterStreamConsumer"
        | "DescribeAccountSettings"
        | "ListStreamConsumers"
        | "ListStreams"
        | "ListTagsForStream"
        | "MergeShards"
        | "RegisterStreamConsumer"
        | "RemoveTagsFromStream"
        | "SplitShard" => Some(5),
        "DescribeStream" | "UpdateShardCount" => Some(10),
        "DescribeStreamConsumer" | "DescribeStreamSummary" => Some(20),
        "ListShards" => Some(1_000),
        _ => None,
    }
}

/// What is left of the account's calls.
#[derive(Debug, Default)]
pub(super) struct Quotas {
    calls: BTreeMap<String, Bucket>,
}

impl Quotas {
    /// # Errors
    /// `LimitExceededException` when the operation was called too often within the last second.
    pub(super) fn call(&mut self, operation: &str, account: &str, now_ms: u64) -> Result<(), ServiceError> {
        let Some(rate) = calls_per_second(operation) else { return Ok(()) };
        let bucket = self.calls.entry(operation.to_owned()).or_default();
        bucket.refill(rate, rate, now_ms);
        if bucket.take_one() {
            return Ok(());
        }
        Err(limit_exceeded(format!("Rate exceeded for {operation} under account {account}.")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(quotas: &mut Quotas, operation: &str, now_ms: u64) -> usize {
        (0..2_000).filter(|_| quotas.call(operation, "123456789012", now_ms).is_ok()).count()
    }

    #[test]
    fn each_operation_has_its_own_rate() {
        let mut quotas = Quotas::default();
        assert_eq!(passed(&mut quotas, "CreateStream", 0), 5);
        assert_eq!(passed(&mut quotas, "DescribeStream", 0), 10);
        assert_eq!(passed(&mut quotas, "DescribeStreamSummary", 0), 20);
        assert_eq!(passed(&mut quotas, "ListShards", 0), 1_000);
        assert_eq!(passed(&mut quotas, "PutRecords", 0), 2_000);
        assert_eq!(passed(&mut quotas, "CreateStream", 1_000), 5);
    }
}
