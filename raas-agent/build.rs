//! Builds the eBPF object (`raas-ebpf`) that the agent embeds.

use std::env;

use anyhow::Result;
use bpf_toolchain::Object;

fn main() -> Result<()> {
    let mut object = Object::new("raas-ebpf", &["raas-ebpf/src", "raas-ebpf/Cargo.toml", "raas-common/src"]);
    if env::var_os("CARGO_FEATURE_EBPF_LOG").is_some() {
        object = object.feature("log");
    }
    object.build()
}
