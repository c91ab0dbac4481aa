//! `cargo xtask bench`.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf, absolute},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    cargo::{cargo, check, typed},
    setup,
};

/// Options of `cargo xtask bench`.
#[derive(clap::Args)]
pub struct Args {
    /// Cases to measure, by the beginning of their name (`fib`, `program/xdp`); without any, all of them
    names: Vec<String>,
    /// Write the figures there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put plots there, instead of into target/bench of the workspace
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Rounds of each case, in which ours and its peers take turns; 5 or more
    #[arg(long, value_name = "N")]
    rounds: Option<u32>,
    /// Only list the cases
    #[arg(long)]
    list: bool,
}

/// Builds in release mode, then becomes `raas-bench`, which finds `raas` beside itself.
pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure_done()?;
    check(cargo().args(["build", "--quiet", "--release", "-p", "raas-agent", "-p", "raas-tests", "--bins"]))?;
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "-p", "raas-tests", "--bin", "raas-bench", "--"]);
    command.args(&args.names);
    for (option, path) in [("--json", &args.json), ("--plots", &args.plots)] {
        if let Some(path) = path {
            command.arg(option).arg(from_here(path)?);
        }
    }
    if let Some(rounds) = args.rounds {
        command.args(["--rounds", &rounds.to_string()]);
    }
    if args.list {
        command.arg("--list");
    }
    let error = command.exec();
    bail!("running `{}`: {error}", typed(&command));
}

/// A path as it is seen from where cargo runs the benchmarks: the workspace's directory.
fn from_here(path: &Path) -> Result<OsString> {
    let path = absolute(path).with_context(|| format!("the path {}", path.display()))?;
    Ok(path.into_os_string())
}
