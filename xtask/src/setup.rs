//! `cargo xtask setup`: finds what building and running needs, and installs what is missing where it may.

use std::{
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail, ensure};
use bpf_toolchain::Compiler;

use crate::{
    cargo::typed,
    packages::{COMPILER, LINKER, Package, RUNTIME},
};

/// The LLVM that bpf-linker is built with. It must not be older than the one in the compiler.
const LLVM_PREFIX: &str = "/usr/lib/llvm-22";
const CARGO_INSTALL: &[&str] =
    &["install", "bpf-linker@^0.13", "--locked", "--no-default-features", "--features", "llvm-22"];

/// How much to say when nothing is missing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// The verb `setup`: what was found.
    Full,
    /// A step before another verb: nothing.
    Quiet,
}

/// What is missing.
struct Missing {
    packages: Vec<Package>,
    linker: bool,
}

impl Missing {
    /// Of what everything needs, and of `more`.
    fn find(more: &[Package]) -> Self {
        let compiler = if Compiler::find().is_some() { &[] } else { COMPILER };
        let linker = !bpf_toolchain::has_linker();
        let needed = RUNTIME.iter().chain(more).chain(compiler).chain(if linker { LINKER } else { &[] });
        Self { packages: needed.filter(|package| !package.is_present()).copied().collect(), linker }
    }

    fn is_empty(&self) -> bool {
        self.packages.is_empty() && !self.linker
    }

    fn print(&self) {
        println!("missing:");
        for package in &self.packages {
            println!("  {:<24} {}", package.name, package.why);
        }
        if self.linker {
            println!("  {:<24} links eBPF programs (from crates.io, about a minute)", "bpf-linker");
        }
    }

    /// The commands that install it, each as it would be typed by root.
    fn commands(&self) -> Vec<Command> {
        let mut commands = Vec::new();
        if !self.packages.is_empty() {
            let mut update = Command::new("apt-get");
            update.args(["update", "--quiet"]);
            commands.push(update);
            let mut install = Command::new("apt-get");
            install.args(["install", "--yes", "--no-install-recommends"]);
            install.args(self.packages.iter().map(|package| package.name));
            install.env("DEBIAN_FRONTEND", "noninteractive");
            commands.push(install);
        }
        if self.linker {
            let mut cargo = Command::new("cargo");
            cargo.args(CARGO_INSTALL).env("LLVM_PREFIX", LLVM_PREFIX);
            commands.push(cargo);
        }
        commands
    }
}

/// Installs what is missing, or says how. Exit code 1: something is missing that it may not install.
/// `more` is wanted besides what everything needs.
pub fn run(report: Report, more: &[Package]) -> Result<ExitCode> {
    let missing = Missing::find(more);
    if missing.is_empty() {
        if report == Report::Full {
            let compiler = match Compiler::find() {
                Some(Compiler::Nightly) => "rustup's nightly, with rust-src".to_owned(),
                Some(Compiler::Prebuilt(rustc)) => rustc.display().to_string(),
                None => bail!("the packages are there, but no compiler that can build for eBPF was found"),
            };
            println!("nothing is missing; eBPF is compiled by {compiler}");
        }
        return Ok(ExitCode::SUCCESS);
    }
    missing.print();
    let commands = missing.commands();
    if !nix::unistd::geteuid().is_root() || !Path::new("/etc/debian_version").exists() {
        println!("\nInstall it: on Debian, as root\n");
        for command in &commands {
            println!("    {}", typed(command));
        }
        println!(
            "\nInstead of rustc-web, `rustup toolchain install nightly --component rust-src` does as well."
        );
        return Ok(ExitCode::FAILURE);
    }
    for mut command in commands {
        println!("+ {}", typed(&command));
        let status = command.status().with_context(|| format!("running `{}`", typed(&command)))?;
        ensure!(status.success(), "`{}` failed ({status})", typed(&command));
    }
    let missing = Missing::find(more);
    if !missing.is_empty() {
        missing.print();
        bail!("still missing after installation; is cargo's bin directory in PATH?");
    }
    Ok(ExitCode::SUCCESS)
}

/// A step before another verb.
pub fn ensure_done() -> Result<()> {
    ensure_done_with(&[])
}

/// As [`ensure_done`], for a verb that needs more packages.
pub fn ensure_done_with(more: &[Package]) -> Result<()> {
    ensure!(run(Report::Quiet, more)? == ExitCode::SUCCESS, "set-up is not complete, see above");
    Ok(())
}
