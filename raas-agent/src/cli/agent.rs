//! `raas agent`.

use std::{
    env,
    io::{self, IsTerminal as _},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use tracing::error;
use tracing_subscriber::EnvFilter;

use super::hook;
use crate::{
    daemon::{self, Options},
    model::{Hook, Name},
    platform::{Paths, monitor::Monitor},
};

/// Exit code for a command line (or environment) that is wrong.
const USAGE: u8 = 2;

/// Arguments of `raas agent`.
#[derive(Args)]
pub struct Arguments {
    /// Directory with fabric.toml and a file for each tenant.
    #[arg(long, value_name = "DIR")]
    config: PathBuf,
    /// Which of the fabric's hypervisors this machine is.
    #[arg(long, value_name = "NAME")]
    hypervisor: Name,
    /// Put every program on this hook (`xdp`, `tc` or `auto`), whatever the configuration says.
    #[arg(long, value_name = "HOOK", value_parser = hook)]
    hook: Option<Hook>,
    /// Receive buffer of each watched network namespace. What does not fit in a burst of changes is read anew.
    #[arg(long, default_value_t = Monitor::RECEIVE_BUFFER, value_name = "BYTES")]
    netlink_buffer: usize,
    /// How to log, to standard error. RAAS_LOG takes a filter (`debug`, `raas_agent::learn=trace`); `info` without.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    log: LogFormat,
}

/// How to log.
#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for journald and collectors.
    Json,
}

/// Runs the agent until a signal ends it.
pub fn run(paths: Paths, arguments: Arguments) -> Result<ExitCode> {
    let filter = env::var("RAAS_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = match EnvFilter::try_new(&filter) {
        Ok(filter) => filter,
        Err(error) => {
            eprintln!("raas: RAAS_LOG is `{filter}`: {error}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match arguments.log {
        LogFormat::Text => log.with_target(false).init(),
        LogFormat::Json => log.json().init(),
    }
    let options = Options {
        paths,
        config: arguments.config,
        hypervisor: arguments.hypervisor,
        hook: arguments.hook,
        netlink_buffer: arguments.netlink_buffer,
    };
    let result = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(daemon::run(options));
    match (result, arguments.log) {
        // Whoever asked for JSON gets nothing else.
        (Err(error), LogFormat::Json) => {
            error!("{error:#}");
            Ok(ExitCode::FAILURE)
        }
        (result, _) => result,
    }
}
