//! What Kinesis accepts. Every number has its unit and its source.

/// Records in one PutRecords request (Kinesis API model, `PutRecordsRequestEntryList`).
pub const REQUEST_RECORDS: usize = 500;

/// Bytes in one PutRecords request: data before base64 plus partition keys (API reference of PutRecords, since 2025-10-28).
pub const REQUEST_BYTES: usize = 10 * 1024 * 1024;

/// The largest record a stream can be configured for: data plus partition key
/// (`MaxRecordSizeInKiB`, 1024 to 10240 KiB, Kinesis API model).
pub const RECORD_BYTES: usize = 10_240 * 1024;

/// The largest record of a stream that was not configured otherwise (Kinesis API model, `MaxRecordSizeInKiB`).
pub const DEFAULT_RECORD_BYTES: usize = 1024 * 1024;

/// Characters, not bytes, in a partition key (Kinesis API model, `PartitionKey`).
pub const KEY_CHARACTERS: usize = 256;
