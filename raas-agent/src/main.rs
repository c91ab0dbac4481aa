//! The `raas` binary.
fn main() {}
