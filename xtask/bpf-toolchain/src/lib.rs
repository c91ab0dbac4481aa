//! What compiles eBPF on this machine: asked by the build scripts that embed an eBPF object, and by `cargo
//! xtask`, which installs and lints.
//!
//! Two toolchains can do it: rustup's nightly with rust-src (`-Z build-std`), or Debian's `rustc-web` with its
//! prebuilt `core` for the BPF target. `cargo xtask setup` installs the second; `RAAS_BPF_RUSTC` names a
//! compiler of the second kind explicitly.
#![forbid(unsafe_code)]

mod object;

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

pub use object::Object;

/// The target of eBPF programs.
pub const TARGET: &str = "bpfel-unknown-none";
/// The variable that names a compiler with a prebuilt `core`.
const EXPLICIT: &str = "RAAS_BPF_RUSTC";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A compiler that can build for the target.
pub enum Compiler {
    /// Named by `RAAS_BPF_RUSTC`, or Debian's `rustc-web`: it ships `core` for the target.
    Prebuilt(PathBuf),
    /// rustup's nightly with rust-src: it builds `core` itself.
    Nightly,
}

impl Compiler {
    /// The compiler that is used here, if there is one.
    pub fn find() -> Option<Self> {
        if let Some(rustc) = env::var_os(EXPLICIT) {
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

/// rustflags of an eBPF program that is to run on a kernel of this architecture.
///
/// Packet headers lie at any alignment, and the kernels that we run on load and store them so: without the
/// feature LLVM would take them apart into bytes.
pub fn rustflags(arch: &str) -> String {
    format!(
        "-C linker=bpf-linker -C link-arg=--btf -C target-cpu=v2 \
         -C link-arg=--cpu-features=+allows-misaligned-mem-access -C debuginfo=2 \
         --cfg bpf_target_arch=\"{arch}\""
    )
}

/// The clippy-driver that belongs to a compiler outside rustup: it has to be of the very same version, since
/// it reads that compiler's `core`.
pub fn clippy_driver(rustc: &Path) -> Option<PathBuf> {
    let driver = rustc.with_file_name("clippy-driver");
    driver.is_file().then_some(driver)
}

/// The workspace's directory.
fn workspace() -> PathBuf {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../..").into()
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
