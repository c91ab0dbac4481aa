//! `cargo xtask lint`.

use std::{
    env::consts::ARCH,
    process::{Command, ExitCode},
};

use anyhow::Result;
use bpf_toolchain::{Compiler, TARGET, clippy_driver, rustflags};

use crate::{
    cargo::{cargo, check, workspace},
    setup,
};

/// rustfmt and clippy over everything; the first that complains ends it.
pub fn run() -> Result<ExitCode> {
    setup::ensure_done()?;
    check(cargo().args(["fmt", "--all", "--check"]))?;
    check(cargo().args(["clippy", "--quiet", "--all-targets", "--", "-D", "warnings"]))?;
    ebpf()?;
    Ok(ExitCode::SUCCESS)
}

/// Clippy over the eBPF programs, for their own target.
fn ebpf() -> Result<()> {
    let mut command = match Compiler::find() {
        Some(Compiler::Prebuilt(rustc)) => {
            let Some(driver) = clippy_driver(&rustc) else {
                println!(
                    "no clippy-driver beside {}: eBPF is not linted (install rust-web-clippy)",
                    rustc.display()
                );
                return Ok(());
            };
            // What `cargo clippy` does, with a driver of the compiler's version; rustup's cannot read its
            // `core`.
            let mut command = cargo();
            command.arg("check").env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
            command.env("RUSTC_WORKSPACE_WRAPPER", driver).env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
            command
        }
        Some(Compiler::Nightly) => {
            let mut command = Command::new("rustup");
            command.args(["run", "nightly", "cargo", "clippy", "-Z", "build-std=core"]).env_remove("RUSTC");
            command.env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__").current_dir(workspace());
            command
        }
        None => return Ok(()),
    };
    command.args(["--quiet", "--package", "raas-ebpf", "--package", "raas-bench-ebpf"]);
    command.args(["--release", "--target", TARGET]);
    // A directory of its own: another compiler than the workspace's.
    command.args(["--target-dir", "target/lint-ebpf"]).env("RUSTFLAGS", rustflags(ARCH));
    check(&mut command)
}
