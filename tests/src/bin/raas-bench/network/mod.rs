//! What the benchmarks of whole networks share: the networks, and what is sent through them.

pub mod demo;
pub mod fabric;
pub mod flat;
pub mod flood;
pub mod precedence;
