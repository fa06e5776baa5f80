//! Creates, shows, prices and deletes a Kinesis stream.
