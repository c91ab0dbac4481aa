//! FRR: one zebra and one bgpd for all routers of the hypervisor, with network namespaces as VRFs (`zebra
//! -n`).
//!
//! Both outlive the agent. Changes go through frr-reload.py, which gives bgpd only the difference, so that
//! sessions that a change does not concern stay up; zebra's part of the configuration (route maps) is bgpd's
//! too. Kernel routes survive zebra's end (`--retain`) and are swept after its restart only if nobody has
//! confirmed them within the time of `--graceful_restart`.

use std::{
    fs::{self, Permissions},
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::unistd::{User, chown};
use tokio::process::Command;

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

/// In the order of starting.
const DAEMONS: [Daemon; 2] = [Daemon::Zebra, Daemon::Bgpd];

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

    /// What it looks like: its pid file is also one of its arguments.
    fn process(self, pid_file: &Path) -> Description<'_> {
        let programs = match self {
            Self::Zebra => &["zebra"],
            Self::Bgpd => &["bgpd"],
        };
        Description { pid_file, programs, argument: pid_file }
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
        daemon.process(&self.pid(daemon)).find().is_some()
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

    async fn start(&self, daemon: Daemon, netns: &OwnedFd, profile: Option<&str>) -> Result<()> {
        let pid_file = self.pid(daemon);
        let mut command = command_in(netns, &Path::new(PROGRAMS).join(daemon.name()))?;
        command
            .args(["-d", "-u", USER, "-g", USER])
            // No TCP port for the command line.
            .args(["-P", "0"])
            .args(daemon.options())
            .args(profile.map(|profile| format!("--profile={profile}")))
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
        daemon.process(&pid_file).wait().await?;
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
    let is_loaded = fs::read_to_string(&files.loaded).is_ok_and(|loaded| loaded == config);
    // What is loaded is unknown from here until the end.
    super::remove(&[&files.loaded])?;
    fs::write(&files.config, config).with_context(|| format!("writing {}", files.config.display()))?;

    let (running, new): (Vec<_>, Vec<_>) = DAEMONS.into_iter().partition(|daemon| files.is_running(*daemon));
    for daemon in &new {
        files.start(*daemon, netns, profile(config)).await?;
    }
    // A daemon without any configuration takes it as it is. (frr-reload.py would take its part for missing,
    // and add it in an order that vtysh does not understand.)
    for daemon in &new {
        run(&mut boot(&files, *daemon)).await.with_context(|| format!("configuring {}", daemon.name()))?;
    }
    if running.iter().any(|daemon| matches!(daemon, Daemon::Bgpd)) && !is_loaded {
        run(&mut reload(&files)).await.context("changing the configuration")?;
    }
    fs::copy(&files.config, &files.loaded).with_context(|| format!("writing {}", files.loaded.display()))?;
    Ok(())
}

/// The profile that a configuration asks for. A daemon wants to know it before its first line.
fn profile(config: &str) -> Option<&str> {
    config.lines().find_map(|line| line.strip_prefix("frr defaults ")).map(str::trim)
}

/// Gives one daemon the whole configuration; vtysh leaves out what is not the daemon's.
fn boot(files: &Files, daemon: Daemon) -> Command {
    let mut command = command(Path::new("vtysh"));
    for option in ["--vty_socket", "--config_dir"] {
        command.arg(option).arg(&files.directory);
    }
    command.args(["-d", daemon.name(), "-f"]).arg(&files.config);
    command
}

/// Gives bgpd the difference between what it runs and the configuration. Only bgpd: zebra shows its VRFs'
/// namespaces and the hypervisor's own `no ip forwarding` as configuration, and frr-reload.py would undo
/// both.
fn reload(files: &Files) -> Command {
    let mut command = command(&Path::new(PROGRAMS).join("frr-reload.py"));
    command.args(["--reload", "--stdout", "--log-level", "error", "--daemon", Daemon::Bgpd.name()]);
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
    for daemon in DAEMONS.into_iter().rev() {
        daemon.process(&files.pid(daemon)).end().await?;
    }
    match fs::remove_dir_all(&files.directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", files.directory.display()))
        }
        _ => Ok(()),
    }
}
