//! Daemons that outlive the agent: FRR, DHCP servers, DHCP clients. What runs is read from the machine at
//! each observation, and nothing is signalled that has not just been recognised as ours.
#![expect(unsafe_code, reason = "what a child does between fork and exec")]

pub mod dnsmasq;
pub mod frr;
mod identify;
mod pidfd;
pub mod udhcpc;
mod unstamped;

use std::{
    collections::BTreeMap,
    fs, io,
    os::fd::OwnedFd,
    path::Path,
    process::{Output, Stdio},
};

use anyhow::{Context, Result, bail};
use futures::{FutureExt as _, StreamExt as _, future::BoxFuture, stream::FuturesUnordered};
use nix::{
    sched::{CloneFlags, setns},
    unistd::setsid,
};
use tokio::process::Command;

use self::unstamped::Unstamped;
use super::{Paths, netns::Places};
use crate::{apply::Processes, plan::Place};

/// What daemons and scripts find their programs in.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Looks at our processes. `ours`: names of our namespaces, open in `places`.
///
/// # Errors
/// If the run directory cannot be read.
pub fn observe(paths: &Paths, places: &Places, ours: &[&str]) -> Result<Processes> {
    let mut namespaces = Vec::with_capacity(ours.len());
    for netns in ours {
        let identity = places.get(&Place::Namespace((*netns).to_owned()))?.identity();
        namespaces.push((identity, *netns));
    }
    let netns_of = |process: identify::Process| {
        let identity = process.netns().ok()?;
        let (_, netns) = namespaces.iter().find(|(of, _)| *of == identity)?;
        Some((*netns).to_owned())
    };
    let mut servers = BTreeMap::new();
    for name in names(&paths.dhcp(), dnsmasq::SUFFIX)? {
        let state = dnsmasq::observe(paths, &name, netns_of);
        servers.insert(name, state);
    }
    let mut clients = BTreeMap::new();
    for name in names(&paths.dhcp(), udhcpc::SUFFIX)? {
        let state = udhcpc::observe(paths, &name, netns_of);
        clients.insert(name, state);
    }
    Ok(Processes { dhcp_servers: servers, dhcp_clients: clients, ..frr::observe(paths) })
}

/// Waits until one of our processes ends, at once if one that should run does not. `frr`: whether FRR should.
///
/// # Errors
/// If the kernel cannot tell (`pidfd_open`, Linux 5.3), or the run directory cannot be read.
pub async fn ended(paths: &Paths, frr: bool) -> Result<()> {
    let mut ends: FuturesUnordered<BoxFuture<'_, io::Result<()>>> = FuturesUnordered::new();
    if frr {
        ends.push(frr::ended(paths).boxed());
    }
    for name in names(&paths.dhcp(), dnsmasq::SUFFIX)? {
        ends.push(dnsmasq::ended(paths, name).boxed());
    }
    for name in names(&paths.dhcp(), udhcpc::SUFFIX)? {
        ends.push(udhcpc::ended(paths, name).boxed());
    }
    match ends.next().await {
        Some(ended) => ended.context("waiting for the end of a process"),
        None => std::future::pending().await,
    }
}

/// Removes the files of our processes, once these have ended.
///
/// # Errors
/// If a directory cannot be removed.
pub fn remove_files(paths: &Paths) -> Result<()> {
    for directory in [paths.frr(), paths.dhcp(), paths.leases()] {
        match fs::remove_dir_all(&directory) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("removing {}", directory.display()));
            }
            _ => {}
        }
    }
    // Somebody else's files in there are no fault of ours.
    drop(fs::remove_dir(&paths.run));
    Ok(())
}

/// Names of the files with this suffix, without it.
fn names(directory: &Path, suffix: &str) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {}", directory.display()))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let file = entry.with_context(|| format!("reading {}", directory.display()))?.file_name();
        names.extend(file.to_str().and_then(|file| file.strip_suffix(suffix)).map(str::to_owned));
    }
    Ok(names)
}

/// A command that runs in a namespace, in a session of its own: signals to the agent's terminal do not reach
/// it.
fn command_in(netns: &OwnedFd, program: &Path) -> Result<Command> {
    let netns = netns.try_clone().context("duplicating a namespace's descriptor")?;
    let mut command = command(program);
    // SAFETY: runs in the child between fork and exec, where only async-signal-safe calls are allowed; setns
    // and setsid are plain system calls, and nothing is allocated. The descriptor is close-on-exec. Only the
    // child enters the namespace (it is not `ip netns exec`: /sys stays as it is, and with it /sys/fs/bpf).
    unsafe {
        command.pre_exec(move || {
            setns(&netns, CloneFlags::CLONE_NEWNET)?;
            setsid()?;
            Ok(())
        });
    }
    Ok(command)
}

/// A command that cannot have packets stamped, where that can be refused. Where not (an architecture that seccomp is not
/// known for, a kernel without `CONFIG_SECCOMP_FILTER`), packets take longer, which is no reason to do without the command.
fn unstamped(mut command: Command) -> Command {
    if let Ok(filter) = Unstamped::new() {
        // SAFETY: as in `command_in`: system calls, and nothing is allocated.
        unsafe {
            command.pre_exec(move || {
                drop(filter.enforce());
                Ok(())
            });
        }
    }
    command
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
///
/// # Errors
/// If it cannot be started, or fails; what it printed is part of the error.
async fn run(command: &mut Command) -> Result<Output> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.output().await.with_context(|| format!("starting {program} (is it installed?)"))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{program} failed ({}): {}", output.status, String::from_utf8_lossy(&said).trim());
    }
    Ok(output)
}

/// Removes files that may not be there.
fn remove(files: &[&Path]) -> Result<()> {
    for file in files {
        match fs::remove_file(file) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(e).with_context(|| format!("removing {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}
