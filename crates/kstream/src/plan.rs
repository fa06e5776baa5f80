//! What has to change to make a stream as wanted. Pure.

use std::collections::BTreeMap;
use std::fmt;

use config::member::Stream;

use crate::args::Ensure;

/// One change. The order of the variants is the order they are made in: capacity can be refused, so it comes first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Change {
    /// To provisioned capacity.
    Provisioned,
    /// To on-demand capacity.
    OnDemand,
    /// To this many shards; `from` is what there is now.
    Shards { from: i32, to: i32 },
    /// To this largest record.
    MaxRecordSize { from: i32, to: i32 },
    /// To a longer retention.
    LongerRetention { from: i32, to: i32 },
    /// To a shorter retention: older records are gone at once.
    ShorterRetention { from: i32, to: i32 },
    /// These tags are missing or have another value.
    Tags(BTreeMap<String, String>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Provisioned => write!(formatter, "capacity: on-demand → provisioned"),
            Self::OnDemand => write!(formatter, "capacity: provisioned → on-demand"),
            Self::Shards { from, to } => write!(formatter, "shards: {from} → {to}"),
            Self::MaxRecordSize { from, to } => write!(formatter, "largest record: {from} KiB → {to} KiB"),
            Self::LongerRetention { from, to } => write!(formatter, "retention: {from} h → {to} h"),
            Self::ShorterRetention { from, to } => {
                write!(formatter, "retention: {from} h → {to} h (records older than {to} h are gone)")
            }
            Self::Tags(tags) => {
                write!(formatter, "tags:")?;
                tags.iter().try_for_each(|(key, value)| write!(formatter, " {key}={value}"))
            }
        }
    }
}

const PROVISIONED: &str = "PROVISIONED";

/// The largest record of a stream that says nothing of it (`large-records.html`, AWS).
const DEFAULT_MAX_RECORD_SIZE_KIB: i32 = 1024;

/// The changes that make `live` as `wanted`. What is not asked for stays as it is.
pub(crate) fn changes(live: &Stream, live_tags: &BTreeMap<String, String>, wanted: &Ensure) -> Vec<Change> {
    let mut changes = Vec::new();
    let is_provisioned = live.mode.as_deref() == Some(PROVISIONED);
    if wanted.on_demand && is_provisioned {
        changes.push(Change::OnDemand);
    }
    if let Some(to) = wanted.shards {
        if !is_provisioned {
            changes.push(Change::Provisioned);
        }
        let from = live.open_shards.unwrap_or_default();
        if from != to {
            changes.push(Change::Shards { from, to });
        }
    }
    if let Some(to) = wanted.max_record_size_kib {
        let from = live.max_record_size_kib.unwrap_or(DEFAULT_MAX_RECORD_SIZE_KIB);
        if from != to {
            changes.push(Change::MaxRecordSize { from, to });
        }
    }
    if let (Some(from), Some(to)) = (live.retention_hours, wanted.retention_hours) {
        if from < to {
            changes.push(Change::LongerRetention { from, to });
        } else if to < from {
            changes.push(Change::ShorterRetention { from, to });
        }
    }
    let differs = |(key, value): &&(String, String)| live_tags.get(key) != Some(value);
    let tags: BTreeMap<_, _> = wanted.tags.iter().filter(differs).cloned().collect();
    if !tags.is_empty() {
        changes.push(Change::Tags(tags));
    }
    changes
}

/// The next shard count on the way from `from` to `to`: one call may at most double or halve
/// (Kinesis API model, `UpdateShardCount`).
pub(crate) fn next_shard_count(from: i32, to: i32) -> i32 {
    if to > from { to.min(from.saturating_mul(2)) } else { to.max(from / 2 + from % 2) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use config::member::Stream;

    use super::{Change, changes, next_shard_count};
    use crate::args::Ensure;

    fn live(mode: &str) -> Stream {
        Stream {
            name: "s".parse().unwrap(),
            arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/s".parse().unwrap(),
            status: Some("ACTIVE".into()),
            mode: Some(mode.into()),
            open_shards: Some(4),
            max_record_size_kib: Some(1024),
            retention_hours: Some(24),
            kms_key: None,
        }
    }

    fn check(mode: &str, wanted: &Ensure, expected: &[Change]) {
        let tags = BTreeMap::from([("team".to_owned(), "sensors".to_owned())]);
        assert_eq!(changes(&live(mode), &tags, wanted), expected);
    }

    #[test]
    fn what_is_not_asked_for_stays() {
        check("ON_DEMAND", &Ensure::default(), &[]);
        check("PROVISIONED", &Ensure::default(), &[]);
    }

    #[test]
    fn shards_make_a_stream_provisioned() {
        let wanted = || Ensure { shards: Some(2), ..Ensure::default() };
        check("ON_DEMAND", &wanted(), &[Change::Provisioned, Change::Shards { from: 4, to: 2 }]);
        check("PROVISIONED", &wanted(), &[Change::Shards { from: 4, to: 2 }]);
        check("PROVISIONED", &Ensure { shards: Some(4), ..Ensure::default() }, &[]);
        check("PROVISIONED", &Ensure { on_demand: true, ..Ensure::default() }, &[Change::OnDemand]);
    }

    #[test]
    fn retention_goes_both_ways() {
        let wanted = |hours| Ensure { retention_hours: Some(hours), ..Ensure::default() };
        check("ON_DEMAND", &wanted(48), &[Change::LongerRetention { from: 24, to: 48 }]);
        check("ON_DEMAND", &wanted(24), &[]);
    }

    #[test]
    fn only_tags_that_differ_are_set() {
        let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let wanted = Ensure { tags: vec![tag("team", "sensors"), tag("stage", "test")], ..Ensure::default() };
        check("ON_DEMAND", &wanted, &[Change::Tags(BTreeMap::from([tag("stage", "test")]))]);
    }

    #[test]
    fn a_resize_takes_steps_of_at_most_double_or_half() {
        let steps = |mut from, to| {
            let mut steps = Vec::new();
            while from != to {
                from = next_shard_count(from, to);
                steps.push(from);
            }
            steps
        };
        assert_eq!(steps(1, 7), [2, 4, 7]);
        assert_eq!(steps(9, 2), [5, 3, 2]);
    }
}
