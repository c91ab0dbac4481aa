//! DHCP servers: one dnsmasq in each leaf's namespace that wants one.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::{
    command_in,
    identify::{Description, Process},
    remove, run, unstamped,
};
use crate::{apply::DhcpServerState, plan::DhcpServer, platform::Paths};

/// Ends the names of configuration files.
pub(super) const SUFFIX: &str = ".server.conf";

struct Files {
    config: PathBuf,
    pid: PathBuf,
    leases: PathBuf,
}

impl Files {
    fn new(paths: &Paths, name: &str) -> Self {
        Self {
            config: paths.dhcp().join(format!("{name}{SUFFIX}")),
            pid: paths.dhcp().join(format!("{name}.server.pid")),
            leases: paths.leases().join(name),
        }
    }

    fn process(&self) -> Description<'_> {
        Description { pid_file: &self.pid, programs: &["dnsmasq"], argument: &self.config }
    }
}

/// The file with the leases of a server: one a line, in dnsmasq's format.
pub fn lease_file(paths: &Paths, name: &str) -> PathBuf {
    Files::new(paths, name).leases
}

pub(super) fn observe(
    paths: &Paths,
    name: &str,
    netns_of: impl FnOnce(Process) -> Option<String>,
) -> DhcpServerState {
    let files = Files::new(paths, name);
    DhcpServerState {
        netns: files.process().find().and_then(netns_of),
        config: fs::read_to_string(&files.config).ok(),
    }
}

/// Waits until a server ends, at once if it does not run.
pub(super) async fn ended(paths: &Paths, name: String) -> io::Result<()> {
    Files::new(paths, &name).process().ended().await
}

/// Starts a server, ending the one that runs.
///
/// # Errors
/// If dnsmasq refuses to start; what it said is part of the error.
pub async fn start(paths: &Paths, netns: &OwnedFd, server: &DhcpServer) -> Result<()> {
    let files = Files::new(paths, &server.name);
    // In this order: the file always is what the process was started with, also after a crash in between.
    files.process().end().await?;
    paths.create()?;
    fs::write(&files.config, &server.config)
        .with_context(|| format!("writing {}", files.config.display()))?;
    let option = |name: &str, path: &Path| format!("--{name}={}", path.display());
    let mut command = unstamped(command_in(netns, Path::new("dnsmasq"))?);
    command
        .arg(option("conf-file", &files.config))
        .arg(option("pid-file", &files.pid))
        .arg(option("dhcp-leasefile", &files.leases));
    run(&mut command).await?;
    files.process().wait().await?;
    Ok(())
}

/// Ends a server and removes its files.
///
/// # Errors
/// If it does not end, or the files cannot be removed.
pub async fn stop(paths: &Paths, name: &str) -> Result<()> {
    let files = Files::new(paths, name);
    files.process().end().await?;
    remove(&[&files.config, &files.pid, &files.leases])
}
