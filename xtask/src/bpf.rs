//! What compiles eBPF on this machine. `raas-agent/build.rs` decides by the same rules, in the same order.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The target of eBPF programs.
pub const TARGET: &str = "bpfel-unknown-none";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A compiler that can build `core` for BPF.
pub enum Compiler {
    /// Named by `RAAS_BPF_RUSTC`, or Debian's `rustc-web`: it ships `core` for the target.
    Prebuilt(PathBuf),
    /// rustup's nightly with rust-src: it builds `core` itself.
    Nightly,
}

impl Compiler {
    /// The compiler that the build will use, if there is one.
    pub fn find() -> Option<Self> {
        if let Some(rustc) = env::var_os("RAAS_BPF_RUSTC") {
            return Some(Self::Prebuilt(rustc.into()));
        }
        if sysroot(&["rustup", "run", "nightly", "rustc"])
            .is_some_and(|root| root.join("lib/rustlib/src/rust/library/core").is_dir())
        {
            return Some(Self::Nightly);
        }
        sysroot(&[DEBIAN_RUSTC])
            .is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir())
            .then(|| Self::Prebuilt(DEBIAN_RUSTC.into()))
    }
}

/// Whether there is a bpf-linker that runs: it stops to when the LLVM that it was linked with is removed.
pub fn has_linker() -> bool {
    Command::new("bpf-linker").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// rustflags of the eBPF program, as `raas-agent/build.rs` sets them.
pub fn rustflags() -> String {
    format!(
        "-C linker=bpf-linker -C link-arg=--btf -C debuginfo=2 --cfg bpf_target_arch=\"{}\"",
        env::consts::ARCH
    )
}

/// The clippy-driver that belongs to a compiler outside rustup: it has to be of the very same version, since
/// it reads that compiler's `core`.
pub fn clippy_driver(rustc: &Path) -> Option<PathBuf> {
    let driver = rustc.with_file_name("clippy-driver");
    driver.is_file().then_some(driver)
}

/// The sysroot that a rustc reports, if it runs at all.
fn sysroot(rustc: &[&str]) -> Option<PathBuf> {
    let output = Command::new(rustc[0])
        .args(&rustc[1..])
        .args(["--print", "sysroot"])
        .env_remove("RUSTUP_TOOLCHAIN")
        .output()
        .ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
}
