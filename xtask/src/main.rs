//! `cargo xtask`: the commands of this repository, one file a verb.
//!
//! xtask itself depends on nothing that needs the BPF toolchain, since [`setup`] is what finds or installs
//! it. The verbs that need the agent run set-up first, then cargo.
#![forbid(unsafe_code)]

mod bench;
mod cargo;
mod lab;
mod lint;
mod packages;
mod run;
mod setup;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Set-up, the demo network, the lab, tests, benchmarks and lints of RaaS.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Find what building and running RaaS needs; as root on Debian, install what is missing
    ///
    /// Says what it installs and why. Elsewhere, or without root, it prints the exact commands and exits 1.
    Setup,
    /// Bring up the demo network, show its reachability and throughput, and keep it until Ctrl-C
    Run(run::Args),
    /// Run all tests: unit tests, packet tables through the kernel, and the demo as scenarios
    Test(test::Args),
    /// Measure RaaS beside its peers: a table, JSON, and plots of the sweeps
    Bench(bench::Args),
    /// rustfmt and clippy, warnings denied, over the workspace and over the eBPF program for its own target
    Lint,
    /// Simulated hypervisors on this machine, for any configuration directory
    #[command(subcommand)]
    Lab(lab::Verb),
}

fn main() -> Result<ExitCode> {
    match Cli::parse().verb {
        Verb::Setup => setup::run(setup::Report::Full, &[]),
        Verb::Run(args) => run::run(&args),
        Verb::Test(args) => test::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Lint => lint::run(),
        Verb::Lab(verb) => lab::run(&verb),
    }
}
