//! Building an eBPF object, from the build script of the package that embeds it.

use std::{env, fs, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{Compiler, EXPLICIT, TARGET, has_linker, rustflags, workspace};

/// An eBPF package of this workspace, to be built. The object will be `$OUT_DIR/<package>.o`.
pub struct Object {
    package: &'static str,
    sources: Vec<&'static str>,
    features: Vec<&'static str>,
}

impl Object {
    /// The object of `package`, which depends on these files and directories of the workspace.
    pub fn new(package: &'static str, sources: &[&'static str]) -> Self {
        Self { package, sources: sources.to_vec(), features: Vec::new() }
    }

    /// With a feature of the package.
    pub fn feature(mut self, feature: &'static str) -> Self {
        self.features.push(feature);
        self
    }

    /// Builds it.
    pub fn build(&self) -> Result<()> {
        let workspace = workspace();
        for path in self.sources.iter().chain(&["Cargo.lock"]) {
            println!("cargo:rerun-if-changed={}", workspace.join(path).display());
        }
        println!("cargo:rerun-if-env-changed={EXPLICIT}");

        ensure!(has_linker(), "no bpf-linker that runs: run `cargo xtask setup`");
        let out = PathBuf::from(env::var("OUT_DIR")?);
        // A directory of its own: another compiler than the workspace's, and cargo has that one locked.
        let target_dir = out.join("ebpf");
        let mut command = cargo()?;
        command
            .current_dir(workspace)
            .args(["--package", self.package, "--release", "--target", TARGET, "--target-dir"])
            .arg(&target_dir)
            // What cargo tells the build script about the host's build must not leak into the BPF one.
            .env_remove("RUSTC_WRAPPER")
            .env_remove("RUSTC_WORKSPACE_WRAPPER")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", rustflags(&env::var("CARGO_CFG_TARGET_ARCH")?));
        for feature in &self.features {
            command.args(["--features", feature]);
        }
        let status = command.status().with_context(|| format!("running {command:?}"))?;
        ensure!(status.success(), "building the eBPF object of {} failed ({status})", self.package);
        let object = target_dir.join(TARGET).join("release").join(self.package);
        fs::copy(&object, out.join(format!("{}.o", self.package)))
            .with_context(|| format!("copying {}", object.display()))?;
        Ok(())
    }
}

/// `cargo build`, by the compiler that can.
fn cargo() -> Result<Command> {
    Ok(match Compiler::find() {
        Some(Compiler::Nightly) => {
            let mut command = Command::new("rustup");
            command.args(["run", "nightly", "cargo", "build", "-Z", "build-std=core"]);
            command.env_remove("RUSTC");
            command
        }
        Some(Compiler::Prebuilt(rustc)) => {
            let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            // aya-ebpf uses `asm_experimental_arch`, which a stable compiler accepts only with RUSTC_BOOTSTRAP.
            command.arg("build").env("RUSTC", rustc).env("RUSTC_BOOTSTRAP", "1");
            command
        }
        None => bail!(
            "no compiler for {TARGET} found: run `cargo xtask setup`, which installs one and says what it does"
        ),
    })
}
