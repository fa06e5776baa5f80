//! Settings, names and the process contract that every tool shares.
