//! DHCP clients: one udhcpc in each endpoint's namespace that wants one.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::{fd::OwnedFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, bail};

use super::{
    PATH, command_in,
    identify::{Description, Process},
    remove,
};
use crate::{apply::DhcpClientState, plan::DhcpClient, platform::Paths};

/// Ends the names of pid files.
pub(super) const SUFFIX: &str = ".client.pid";

const SCRIPT: &str = include_str!("udhcpc.sh");

struct Files {
    pid: PathBuf,
    lease: PathBuf,
    /// Each client has its own copy: as an argument of the process, it says whose client it is.
    script: PathBuf,
}

impl Files {
    fn new(paths: &Paths, name: &str) -> Self {
        let file = |suffix| paths.dhcp().join(format!("{name}{suffix}"));
        Self { pid: file(SUFFIX), lease: file(".lease"), script: file(".client.sh") }
    }

    fn process(&self) -> Description<'_> {
        // Debian's udhcpc is a link to busybox.
        Description { pid_file: &self.pid, programs: &["busybox", "udhcpc"], argument: &self.script }
    }
}

pub(super) fn observe(
    paths: &Paths,
    name: &str,
    netns_of: impl FnOnce(Process) -> Option<String>,
) -> DhcpClientState {
    let files = Files::new(paths, name);
    DhcpClientState {
        netns: files.process().find().and_then(netns_of),
        address: fs::read_to_string(&files.lease).ok().and_then(|lease| lease.trim().parse().ok()),
    }
}

/// Waits until a client ends, at once if it does not run.
pub(super) async fn ended(paths: &Paths, name: String) -> io::Result<()> {
    Files::new(paths, &name).process().ended().await
}

/// Starts a client, ending the one that runs. Does not wait for a lease: the server may not be there yet, and
/// the client asks until it has one.
///
/// # Errors
/// If neither udhcpc nor busybox is installed, or it does not start.
pub async fn start(paths: &Paths, netns: &OwnedFd, client: &DhcpClient) -> Result<()> {
    let files = Files::new(paths, &client.name);
    files.process().end().await?;
    paths.create()?;
    remove(&[&files.lease, &files.pid])?;
    write_script(&files.script)?;

    let (program, applet) = program()?;
    let mut command = command_in(netns, &program)?;
    command
        .args(applet)
        .env("RAAS_LEASE", &files.lease)
        // In the foreground: in the background it goes only once it has a lease, and we would wait.
        .args(["-f", "-i", "eth0", "-O", "mtu"])
        // A request each second until there is a lease: a stretched subnet's server answers once EVPN has joined the segment.
        .args(["-t", "0", "-T", "1"])
        .args(["-x", &format!("hostname:{}", client.name)])
        // It writes its pid itself: if the agent is killed now, the next one finds the client.
        .arg("-p")
        .arg(&files.pid)
        .arg("-s")
        .arg(&files.script)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Dropping the handle leaves the process alone; tokio reaps it should it end before the agent.
    command.spawn().with_context(|| format!("starting {}", program.display()))?;
    files.process().wait().await?;
    Ok(())
}

/// Ends a client and removes its files. The address stays, as with any client that is killed.
///
/// # Errors
/// If it does not end, or the files cannot be removed.
pub async fn stop(paths: &Paths, name: &str) -> Result<()> {
    let files = Files::new(paths, name);
    files.process().end().await?;
    remove(&[&files.pid, &files.lease, &files.script])
}

fn write_script(path: &Path) -> Result<()> {
    remove(&[path])?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o755);
    let file = options.open(path).and_then(|mut file| file.write_all(SCRIPT.as_bytes()));
    file.with_context(|| format!("writing {}", path.display()))
}

/// The client's program, and what makes it the client.
fn program() -> Result<(PathBuf, &'static [&'static str])> {
    let find = |name: &str| PATH.split(':').map(|dir| Path::new(dir).join(name)).find(|path| path.exists());
    if let Some(udhcpc) = find("udhcpc") {
        return Ok((udhcpc, &[]));
    }
    match find("busybox") {
        Some(busybox) => Ok((busybox, &["udhcpc"])),
        None => bail!("no DHCP client: install package udhcpc, or busybox with that applet"),
    }
}
