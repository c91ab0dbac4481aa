//! The RaaS agent as a library: what the `raas` binary and the tests share.

pub mod config;
pub mod fib;
pub mod model;
pub mod paths;
pub mod plan;
pub mod report;

/// The fast path's object file (ELF), with the programs `raas_xdp` and `raas_tc`.
pub static EBPF_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/raas-ebpf.o"));
