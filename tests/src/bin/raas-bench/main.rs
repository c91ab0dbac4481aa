//! `raas-bench`: how fast it is, beside its peers. `cargo xtask bench` builds everything in release mode and
//! then becomes this.
//!
//! A benchmark is a file with a [`Benchmark`](catalogue::Benchmark), listed in [`catalogue::ALL`]. It measures
//! its cases through a [`Session`]: rounds, in which ours and each peer take turns.
#![deny(unsafe_code)] // Except in two files, which say why.

mod apart;
mod batch;
mod catalogue;
mod cpu;
mod empty;
mod fib_load;
mod fib_lookup;
mod figures;
mod kernel;
mod machine;
mod plot;
mod program;
mod report;
mod routes;
mod session;
mod tables;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result, ensure};
use clap::Parser;

use session::Session;

/// eBPF programs of the benchmarks (`tests/ebpf`).
static EBPF_OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/raas-bench-ebpf.o"));

/// Fewest rounds of which a median is shown.
const LEAST_ROUNDS: u32 = 5;

/// Measures RaaS beside its peers: median of several rounds, in which they take turns.
#[derive(Parser)]
#[command(max_term_width = 110)]
struct Cli {
    /// Cases to measure, by the beginning of their name (`fib`, `program/xdp`); without any, all of them
    names: Vec<String>,
    /// Write the figures there, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Put plots there
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    plots: PathBuf,
    /// Rounds of each case
    #[arg(long, default_value_t = LEAST_ROUNDS, value_parser = clap::value_parser!(u32).range(i64::from(LEAST_ROUNDS)..))]
    rounds: u32,
    /// Only list the cases
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    // Not as `Result`: that would be printed for debugging, with a backtrace.
    run(&Cli::parse()).unwrap_or_else(|error| {
        eprintln!("raas-bench: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(cli: &Cli) -> Result<ExitCode> {
    let selected = catalogue::select(catalogue::ALL, &cli.names)?;
    if cli.list {
        selected.iter().flat_map(|(_, cases)| cases).for_each(|case| println!("{case}"));
        return Ok(ExitCode::SUCCESS);
    }
    ensure!(
        nix::unistd::geteuid().is_root(),
        "benchmarks load eBPF programs and make namespaces: run as root"
    );
    if let Some(file) = &cli.json {
        // Not after an hour: a file that cannot be written.
        std::fs::write(file, "[]\n").with_context(|| format!("writing {}", file.display()))?;
    }

    println!("{}", machine::describe()?);
    let mut failed = false;
    let mut session = Session::new(cli.rounds, cli.plots.clone());
    for (benchmark, cases) in selected {
        session.select(cases);
        if let Err(error) = (benchmark.run)(&mut session) {
            eprintln!("raas-bench: {}: {error:#}", benchmark.name);
            failed = true;
        }
    }
    let results = session.into_results();
    println!("{}", report::table(&results));
    println!("load average at the end: {}", machine::load()?);
    if let Some(file) = &cli.json {
        std::fs::write(file, report::json(&results)?)
            .with_context(|| format!("writing {}", file.display()))?;
        println!("figures: {}", file.display());
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
