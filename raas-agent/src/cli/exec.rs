//! `raas exec ROUTER -- CMD`.

use std::{fs::File, io::ErrorKind, os::unix::process::CommandExt as _, process::Command, process::ExitCode};

use anyhow::{Context as _, Result, bail};
use nix::sched::{CloneFlags, setns};

use super::pick::pick;
use crate::platform::{Paths, state};

/// Exit codes of a command that is not there, and of one that cannot be run (POSIX, Shell Command Language
/// 2.8.2).
const NOT_FOUND: u8 = 127;
const NOT_RUN: u8 = 126;

/// Replaces this process by the command, in the namespace. Returns only on failure.
pub fn run(paths: &Paths, router: &str, command: &[String]) -> Result<ExitCode> {
    let manifest = state::manifest(paths)?;
    let by_netns = manifest.namespaces.iter().find(|namespace| namespace.netns == router);
    let namespace = match by_netns {
        Some(namespace) => namespace,
        None => pick(&manifest.namespaces, |namespace| &namespace.name, router, "routers and endpoints")?,
    };
    let path = format!("/run/netns/{}", namespace.netns);
    let file = match File::open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!(
                "{path}, the namespace of {}, is missing; the agent, if it runs, rebuilds it",
                namespace.name
            )
        }
        file => file.with_context(|| format!("opening {path}"))?,
    };
    // This process has one thread, so the whole of it moves.
    setns(file, CloneFlags::CLONE_NEWNET).with_context(|| format!("entering {path}"))?;

    let (program, arguments) = command.split_first().context("no command given")?;
    let mut child = Command::new(program);
    if program == "vtysh" {
        child.arg("--vty_socket").arg(paths.frr());
    }
    let error = child.args(arguments).exec();
    eprintln!("raas: running {program}: {error}");
    Ok(ExitCode::from(if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }))
}
