//! The RaaS agent as a library: what the `raas` binary and the tests share.
#![deny(unsafe_code)] // Except in the few files of `platform` that say why.

pub mod apply;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod exact;
pub mod exits;
pub mod fib;
pub mod learn;
pub mod model;
pub mod plan;
pub mod platform;
pub mod report;
pub mod tunnel;

/// The fast path's object file (ELF), with the programs `raas_xdp` and `raas_tc`, and
/// their twins for `raas explain`.
pub static EBPF_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/raas-ebpf.o"));
