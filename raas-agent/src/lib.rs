//! The RaaS agent as a library: what the `raas` binary and the tests share.

pub mod learn;
pub mod model;
pub mod plan;
pub mod platform;
