//! Puts records into a Kinesis stream. Everything is in the library.
fn main() {}
