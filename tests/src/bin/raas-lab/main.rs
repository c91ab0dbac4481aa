//! `raas-lab`: the lab's command line. `cargo xtask run` and `cargo xtask lab` build everything and then
//! become this.
#![forbid(unsafe_code)]

mod manage;
mod run;
mod show;
mod steps;

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Parser, Subcommand};
use raas_agent::model::Hook;
use raas_lab::{DEFAULT_NAME, sweep};

/// Simulated RaaS hypervisors on this machine.
#[derive(Parser)]
#[command(max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring up a network, report on it, and keep it until Ctrl-C
    Run {
        /// Configuration directory
        config: PathBuf,
        /// Exit after the report: 0 if everything is as expected, 1 otherwise
        #[arg(long)]
        once: bool,
        /// Where the program sits on every port and uplink, instead of what the configuration says
        #[arg(long)]
        hook: Option<Hook>,
    },
    /// Bring up a network that stays
    Up {
        /// Configuration directory
        config: PathBuf,
        /// Where the program sits on every port and uplink, instead of what the configuration says
        #[arg(long)]
        hook: Option<Hook>,
    },
    /// Remove the network that stays
    Down,
    /// Show `raas status` of each hypervisor
    Status,
    /// Run a command in a hypervisor or a namespace of it
    Exec {
        /// `HYPERVISOR` or `HYPERVISOR/NAMESPACE`
        place: String,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Remove labs whose process was killed
    Sweep,
}

fn main() -> ExitCode {
    // Not as `Result`: that would be printed for debugging, with a backtrace.
    run().unwrap_or_else(|error| {
        eprintln!("raas-lab: {error:#}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<ExitCode> {
    match Cli::parse().verb {
        Verb::Run { config, once, hook } => run::run(&config, once, hook),
        Verb::Up { config, hook } => manage::up(&config, hook),
        Verb::Down => raas_lab::Lab::remove(DEFAULT_NAME).map(|()| ExitCode::SUCCESS),
        Verb::Status => manage::status(),
        Verb::Exec { place, command } => manage::exec(&place, &command),
        Verb::Sweep => {
            let removed = sweep()?;
            if removed > 0 {
                eprintln!("removed {removed} labs whose process had been killed");
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}
