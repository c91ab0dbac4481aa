//! `cargo xtask test`.

use std::{
    os::unix::process::CommandExt as _,
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    cargo::{build_lab, cargo, check},
    packages::PEERS,
    setup,
};

/// Longest that interrupted tests may take to clean up.
const CLEANING: Duration = Duration::from_secs(60);

/// Options of `cargo xtask test`.
#[derive(clap::Args)]
pub struct Args {
    /// Passed to `cargo test`, for example the name of a test, or `-- --nocapture`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    cargo_test: Vec<String>,
}

/// Unit tests, packet tables and scenarios. What an interrupted scenario leaves is removed before this
/// returns.
pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure_done_with(PEERS)?;
    build_lab()?;
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signal handlers")?;

    let mut command = cargo();
    command.args(["test", "--workspace", "--exclude", "raas-ebpf", "--exclude", "raas-bench-ebpf"]);
    command.args(&args.cargo_test);
    // A process group of its own: one signal reaches cargo and the tests alike, whether a terminal or a CI
    // runner sent it.
    let mut tests = command.process_group(0).spawn().with_context(|| format!("running {command:?}"))?;
    let group = Pid::from_raw(i32::try_from(tests.id())?);
    thread::spawn(move || {
        for signal in signals.forever() {
            // The group is gone when the tests have just ended: nothing to do then.
            let _ = Signal::try_from(signal).and_then(|signal| killpg(group, signal));
        }
    });
    let status = tests.wait().context("waiting for cargo test")?;
    // Interrupted, cargo is the first to go, and the tests still remove their networks.
    let start = Instant::now();
    while killpg(group, None).is_ok() && start.elapsed() < CLEANING {
        thread::sleep(Duration::from_millis(50));
    }

    check(cargo().args(["run", "--quiet", "-p", "raas-tests", "--bin", "raas-lab", "--", "sweep"]))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
