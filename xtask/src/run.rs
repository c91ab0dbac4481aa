//! `cargo xtask run`.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;

use crate::{
    cargo::{build_lab, exec_lab},
    lab::absolute,
    setup,
};

/// Options of `cargo xtask run`.
#[derive(clap::Args)]
pub struct Args {
    /// Exit after the report: 0 if everything is as expected, 1 otherwise
    #[arg(long)]
    once: bool,
    /// Where the program sits on every port and uplink; without it, as the configuration says
    #[arg(long, value_parser = ["xdp", "tc", "auto"])]
    hook: Option<String>,
    /// The network to bring up
    #[arg(long, value_name = "DIR", default_value = "config/demo")]
    config: PathBuf,
}

/// Builds, then becomes `raas-lab run`.
pub fn run(args: &Args) -> Result<ExitCode> {
    setup::ensure_done()?;
    build_lab()?;
    let mut words = vec!["run".into(), absolute(&args.config)?.into_os_string()];
    if args.once {
        words.push("--once".into());
    }
    if let Some(hook) = &args.hook {
        words.extend(["--hook".into(), hook.into()]);
    }
    exec_lab(words)
}
