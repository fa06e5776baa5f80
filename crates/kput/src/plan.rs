//! Decides which records go into the next request. Pure: time is handed in, nothing is sent from here.
//!
//! A record that was admitted is in exactly one place until it is settled: held back behind an earlier record of its
//! key (`--ordered`), queued for its shard, or in a batch that the caller carries. [`Planner::settle`] brings a batch
//! back and either ends each record or queues it again.

mod bucket;
mod bundle;
mod item;
mod keys;
mod lane;
mod pack;
mod planner;
mod queue;
mod shards;

pub use bucket::{Bucket, Rate};
pub use bundle::Bundler;
pub use item::{Content, Ended, Failure, Item, Place, Span, Verdict, bytes_of};
pub use pack::{Hashes, Pack, Part};
pub use planner::{Order, Planner, Rules};
pub use shards::{Shard, ShardMap, hash_of, record_hash};
