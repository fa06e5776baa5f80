//! Puts records into a Kinesis stream.
//!
//! # Line formats
//! Input: one record a line (`--input lines`), the whole of it (`raw`), NUL-separated (`nul`), kpeek's envelopes
//! (`envelope`), CSV rows as JSON objects (`csv`). gzip and Zstandard input is unpacked, except for `raw`.
//!
//! Receipts on stdout, in input order, one a record:
//! - `{"line":1,"shard_id":"shardId-000000000001","sequence_number":"…"}`: stored;
//! - the same with `"sub":3`: stored as the fourth record of an aggregate (`--aggregate`);
//! - `{"line":7,"error":{"code":"…","message":"…"}}`: given up;
//! - `{"line":9,"skipped":"…"}`: left out because the user wanted it so;
//! - `{"line":2,"known":"stored"}`, or `"dead-letter"`: dealt with by an earlier run, as the journal says.
//!
//! Of several files, `"file":"…"` follows the line.
//!
//! # How it works
//! [`input`] reads on a thread of its own. [`plan`] decides what is sent when; it is pure. [`put`] is the only module
//! that sends. [`run`] moves things between them, and [`receipt`] restores input order.
//!
//! Order: PutRecords promises none, not even inside one request, because an entry can fail while a later one is stored.
//! `--ordered` therefore keeps at most one record of a partition key on its way.
//!
//! Aggregates: `--aggregate` packs records of one predicted shard together. When an answer names a shard that does not take
//! all of them, the shards are listed again and *all* records of that aggregate are sent again: a consumer such as
//! the KCL drops the whole of it. One that does not check sees those records twice.
//!
//! Resuming: `--journal` notes what is stored before the receipt is given, so a run that was killed goes on without
//! repeating anything that has a receipt ([`journal`]).
//!
//! Duplicates: a request that times out may have arrived. Its records are sent again, so a record may be stored twice;
//! a record with a receipt has been stored.

pub mod answer;
pub mod args;
pub mod bill;
pub mod body;
pub mod dead_letter;
pub mod dry_run;
pub mod input;
pub mod journal;
pub mod limits;
pub mod plan;
pub mod put;
pub mod rate;
pub mod receipt;
pub mod record;
pub mod run;
pub mod scan;
mod start;
pub mod stream;
pub mod tally;
pub mod target;
pub mod transport;

pub use args::Args;
pub use start::start;
