//! Builds the eBPF object (`raas-ebpf`) that the agent embeds.
//!
//! Two toolchains can do it: rustup's nightly with rust-src (`-Z build-std`), or Debian's `rustc-web` with its prebuilt
//! `core` for the BPF target. `cargo xtask setup` installs the second; `RAAS_BPF_RUSTC` names a compiler of the second kind
//! explicitly.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

const TARGET: &str = "bpfel-unknown-none";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";

/// A compiler that can build `core` for BPF.
enum Toolchain {
    /// rustup's nightly, with rust-src.
    Nightly,
    /// A stable rustc that ships `core` for the target.
    Prebuilt(PathBuf),
}

impl Toolchain {
    fn find() -> Result<Self> {
        if let Some(rustc) = env::var_os("RAAS_BPF_RUSTC") {
            return Ok(Self::Prebuilt(rustc.into()));
        }
        if sysroot(&["rustup", "run", "nightly", "rustc"])
            .is_some_and(|root| root.join("lib/rustlib/src/rust/library/core").is_dir())
        {
            return Ok(Self::Nightly);
        }
        if sysroot(&[DEBIAN_RUSTC]).is_some_and(|root| root.join("lib/rustlib").join(TARGET).is_dir()) {
            return Ok(Self::Prebuilt(DEBIAN_RUSTC.into()));
        }
        bail!(
            "no compiler for {TARGET} found: run `cargo xtask setup`, which installs one and says what it does"
        )
    }

    fn cargo(&self) -> Command {
        match self {
            Self::Nightly => {
                let mut command = Command::new("rustup");
                command.args(["run", "nightly", "cargo", "build", "-Z", "build-std=core"]);
                command.env_remove("RUSTC");
                command
            }
            Self::Prebuilt(rustc) => {
                let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                // aya-ebpf uses `asm_experimental_arch`, which a stable compiler accepts only with RUSTC_BOOTSTRAP.
                command.arg("build").env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
                command
            }
        }
    }
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

fn main() -> Result<()> {
    let workspace = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    for path in ["raas-ebpf/src", "raas-ebpf/Cargo.toml", "raas-common/src", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={}", workspace.join(path).display());
    }
    println!("cargo:rerun-if-env-changed=RAAS_BPF_RUSTC");

    which::which("bpf-linker").context("bpf-linker not found: run `cargo xtask setup`")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target_dir = out.join("ebpf");
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;

    let mut command = Toolchain::find()?.cargo();
    command
        .current_dir(&workspace)
        .args(["--package", "raas-ebpf", "--release", "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        // What cargo tells this script about the host's build must not leak into the BPF one.
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env(
            "RUSTFLAGS",
            // Packet headers lie at any alignment, and the kernels that we run on load and store them so: without the
            // feature LLVM would take them apart into bytes.
            format!(
                "-C linker=bpf-linker -C link-arg=--btf -C target-cpu=v2 -C link-arg=--cpu-features=+allows-misaligned-mem-access \
                 -C debuginfo=2 --cfg bpf_target_arch=\"{arch}\""
            ),
        );
    if env::var_os("CARGO_FEATURE_EBPF_LOG").is_some() {
        command.args(["--features", "log"]);
    }
    let status = command.status().with_context(|| format!("running {command:?}"))?;
    if !status.success() {
        bail!("building the eBPF object failed ({status})");
    }
    fs::copy(target_dir.join(TARGET).join("release/raas-ebpf"), out.join("raas-ebpf.o"))?;
    Ok(())
}
