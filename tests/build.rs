//! Builds the eBPF object (`raas-bench-ebpf`) that the benchmarks embed.

use anyhow::Result;
use bpf_toolchain::Object;

fn main() -> Result<()> {
    let sources = ["tests/ebpf", "raas-ebpf/src", "raas-ebpf/Cargo.toml", "raas-common/src"];
    Object::new("raas-bench-ebpf", &sources).build()
}
