//! `cargo xtask lab`: simulated hypervisors that stay until they are told to go.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::Subcommand;

use crate::{
    cargo::{build_lab, exec_lab},
    setup,
};

/// What to do with the lab.
#[derive(Subcommand)]
pub enum Verb {
    /// Bring up the hypervisors of a configuration directory, each a network and mount namespace with an
    /// agent in it
    Up {
        /// The network to bring up
        #[arg(value_name = "CONFIG_DIR", default_value = "config/demo")]
        config: PathBuf,
        /// Where the program sits on every port and uplink; without it, as the configuration says
        #[arg(long, value_parser = ["xdp", "tc", "auto"])]
        hook: Option<String>,
    },
    /// Remove it, and everything in it
    Down,
    /// Show its hypervisors, and `raas status` of each
    Status,
    /// Run a command in a hypervisor, or in a namespace of it: `lab exec h1/raas-acme-l1a -- vtysh`
    Exec {
        /// Where: a hypervisor, or a namespace of it
        #[arg(value_name = "HYPERVISOR[/NAMESPACE]")]
        place: String,
        /// What
        #[arg(last = true, required = true, value_name = "CMD")]
        command: Vec<OsString>,
    },
}

/// Builds, then becomes `raas-lab`.
pub fn run(verb: &Verb) -> Result<ExitCode> {
    setup::ensure_done()?;
    build_lab()?;
    let words: Vec<OsString> = match verb {
        Verb::Up { config, hook } => {
            let mut words = vec!["up".into(), absolute(config)?.into_os_string()];
            if let Some(hook) = hook {
                words.extend(["--hook".into(), hook.into()]);
            }
            words
        }
        Verb::Down => vec!["down".into()],
        Verb::Status => vec!["status".into()],
        Verb::Exec { place, command } => {
            ["exec".into(), place.into(), "--".into()].into_iter().chain(command.iter().cloned()).collect()
        }
    };
    exec_lab(words)
}

/// A directory that must exist, as an absolute path: cargo runs the lab in the workspace's directory.
pub fn absolute(directory: &Path) -> Result<PathBuf> {
    directory.canonicalize().with_context(|| format!("configuration directory {}", directory.display()))
}
