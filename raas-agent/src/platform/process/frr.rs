//! FRR: one zebra and one bgpd for all routers of the hypervisor, with network namespaces as VRFs (`zebra -n`).
//!
//! Both outlive the agent. Changes go through frr-reload.py, which gives the daemons only the difference, so that sessions
//! that a change does not concern stay up. Kernel routes survive zebra's end (`--retain`) and are swept after its restart
//! only if nobody has confirmed them within the time of `--graceful_restart`.

use std::{
    fs::{self, Permissions},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::unistd::{User, chown};

use super::{command, command_in, identify::Description, run};
use crate::{apply::Processes, platform::Paths};

/// Where Debian's package has the daemons and frr-reload.py.
const PROGRAMS: &str = "/usr/lib/frr";
/// The user that the daemons become.
const USER: &str = "frr";
/// How long zebra leaves routes of its predecessor alone, seconds: as long as BGP may take to come back.
const SWEEP_AFTER: &str = "120";
/// Netlink receive buffer, bytes: 100,000 routes at once lose none.
const NETLINK_BUFFER: &str = "33554432";

/// A daemon.
#[derive(Clone, Copy)]
enum Daemon {
    Zebra,
    Bgpd,
}

impl Daemon {
    fn name(self) -> &'static str {
        match self {
            Self::Zebra => "zebra",
            Self::Bgpd => "bgpd",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Zebra => {
                &["-n", "--retain", "--graceful_restart", SWEEP_AFTER, "--nl-bufsize", NETLINK_BUFFER]
            }
            Self::Bgpd => &[],
        }
    }
}

struct Files {
    directory: PathBuf,
    config: PathBuf,
    loaded: PathBuf,
}

impl Files {
    fn new(paths: &Paths) -> Self {
        let directory = paths.frr();
        Self { config: directory.join("frr.conf"), loaded: directory.join("loaded.conf"), directory }
    }

    fn pid(&self, daemon: Daemon) -> PathBuf {
        self.directory.join(format!("{}.pid", daemon.name()))
    }

    fn is_running(&self, daemon: Daemon) -> bool {
        let pid_file = self.pid(daemon);
        Description { pid_file: &pid_file, programs: &[daemon.name()], argument: &pid_file }.find().is_some()
    }

    async fn end(&self, daemon: Daemon) -> Result<()> {
        let pid_file = self.pid(daemon);
        Description { pid_file: &pid_file, programs: &[daemon.name()], argument: &pid_file }.end().await
    }

    /// Makes the directory with what the daemons and vtysh expect there.
    fn prepare(&self) -> Result<()> {
        let user = User::from_name(USER)
            .context("looking up user frr")?
            .with_context(|| format!("there is no user {USER}: install package frr"))?;
        fs::create_dir_all(&self.directory)
            .with_context(|| format!("creating {}", self.directory.display()))?;
        fs::set_permissions(&self.directory, Permissions::from_mode(0o755))?;
        chown(&self.directory, Some(user.uid), Some(user.gid))
            .with_context(|| format!("giving {} to {USER}", self.directory.display()))?;
        for file in ["vtysh.conf", "empty.conf"] {
            let path = self.directory.join(file);
            fs::write(&path, "").with_context(|| format!("writing {}", path.display()))?;
            chown(&path, Some(user.uid), Some(user.gid))?;
        }
        Ok(())
    }

    async fn start(&self, daemon: Daemon, netns: &OwnedFd) -> Result<()> {
        let pid_file = self.pid(daemon);
        let mut command = command_in(netns, &Path::new(PROGRAMS).join(daemon.name()))?;
        command
            .args(["-d", "-u", USER, "-g", USER])
            // No TCP port for the command line.
            .args(["-P", "0"])
            .args(daemon.options())
            .arg("--pid_file")
            .arg(&pid_file)
            .arg("--socket")
            .arg(self.directory.join("zserv.api"))
            .arg("--vty_socket")
            .arg(&self.directory)
            .arg("--config_file")
            .arg(self.directory.join("empty.conf"))
            .arg("--log")
            .arg(format!("file:{}", self.directory.join(format!("{}.log", daemon.name())).display()))
            .args(["--log-level", "warnings"]);
        run(&mut command).await?;
        Description { pid_file: &pid_file, programs: &[daemon.name()], argument: &pid_file }.wait().await?;
        Ok(())
    }
}

pub(super) fn observe(paths: &Paths) -> Processes {
    let files = Files::new(paths);
    Processes {
        zebra: files.is_running(Daemon::Zebra),
        bgpd: files.is_running(Daemon::Bgpd),
        frr: fs::read_to_string(&files.loaded).ok(),
        ..Processes::default()
    }
}

/// Starts those daemons that do not run, in the hypervisor's namespace, and gives FRR its configuration.
///
/// # Errors
/// If FRR is not installed, a daemon does not start, or it refuses a line; what it said is part of the error.
pub async fn load(paths: &Paths, netns: &OwnedFd, config: &str) -> Result<()> {
    let files = Files::new(paths);
    files.prepare()?;
    // What is loaded is unknown from here until the end.
    super::remove(&[&files.loaded])?;
    let mut is_new = true;
    for daemon in [Daemon::Zebra, Daemon::Bgpd] {
        if files.is_running(daemon) {
            is_new = false;
        } else {
            files.start(daemon, netns).await?;
        }
    }
    fs::write(&files.config, config).with_context(|| format!("writing {}", files.config.display()))?;
    let mut command = if is_new { boot(&files) } else { reload(&files) };
    run(&mut command).await.context("loading frr.conf")?;
    fs::copy(&files.config, &files.loaded).with_context(|| format!("writing {}", files.loaded.display()))?;
    Ok(())
}

/// Daemons without any configuration take it as it is, which is faster than comparing.
fn boot(files: &Files) -> tokio::process::Command {
    let mut command = command(Path::new("vtysh"));
    command.arg("--vty_socket").arg(&files.directory);
    command.arg("--config_dir").arg(&files.directory).arg("-f").arg(&files.config);
    command
}

fn reload(files: &Files) -> tokio::process::Command {
    let mut command = command(&Path::new(PROGRAMS).join("frr-reload.py"));
    command.args(["--reload", "--stdout", "--log-level", "error"]);
    for option in ["--confdir", "--rundir", "--vty_socket"] {
        command.arg(option).arg(&files.directory);
    }
    command.arg(&files.config);
    command
}

/// Ends the daemons and removes their files. Their kernel routes go with the namespaces.
///
/// # Errors
/// If one does not end, or the files cannot be removed.
pub async fn stop(paths: &Paths) -> Result<()> {
    let files = Files::new(paths);
    for daemon in [Daemon::Bgpd, Daemon::Zebra] {
        files.end(daemon).await?;
    }
    match fs::remove_dir_all(&files.directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", files.directory.display()))
        }
        _ => Ok(()),
    }
}
