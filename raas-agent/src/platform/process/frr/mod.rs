//! FRR: one zebra and one bgpd for all routers of the hypervisor, with network namespaces as VRFs (`zebra
//! -n`).
//!
//! Both outlive the agent. Changes go through frr-reload.py, which gives bgpd only the difference, so that
//! sessions that a change does not concern stay up.
//!
//! **Both are restarted, or none, and by SIGKILL.** When bgpd is told to end, it withdraws all routes. When it
//! is killed, its routes stay in the kernel, and a new one says all of them anew; but what was withdrawn
//! meanwhile only zebra can find out, after a restart of its own: it sweeps what nobody has confirmed.

mod daemon;
mod sessions;

use std::{
    fs::{self, Permissions},
    io,
    os::{fd::OwnedFd, unix::fs::PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use nix::unistd::{User, chown};
use tokio::process::Command;
use tracing::warn;

use self::daemon::{Daemon, PROGRAMS, USER};
pub use self::sessions::{Session, Sessions, sessions};
use super::{command, run};
use crate::{apply::Processes, platform::Paths};

struct Files {
    directory: PathBuf,
    /// What the daemons are to run.
    config: PathBuf,
    /// What they run; not there while that is unknown.
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

    fn loaded(&self) -> Option<String> {
        fs::read_to_string(&self.loaded).ok()
    }

    /// Makes the directory with what the daemons and vtysh want to find there.
    fn write(&self, config: &str) -> Result<()> {
        let user = User::from_name(USER)
            .context("looking up user frr")?
            .with_context(|| format!("there is no user {USER}: install package frr"))?;
        // bgpd reads its file when it is user frr already.
        let give = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode))
                .with_context(|| format!("setting permissions of {}", path.display()))?;
            chown(path, Some(user.uid), Some(user.gid))
                .with_context(|| format!("giving {} to {USER}", path.display()))
        };
        fs::create_dir_all(&self.directory)
            .with_context(|| format!("creating {}", self.directory.display()))?;
        give(&self.directory, 0o755)?;
        // vtysh shows a hostname as configuration of its own, and takes it from here. Without it, each reload would find that
        // the one in frr.conf is missing.
        let hostname: String = config.lines().filter(|line| line.starts_with("hostname ")).collect();
        for (path, text) in [(&self.config, config), (&self.directory.join("vtysh.conf"), &hostname)] {
            fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
            give(path, 0o640)?;
        }
        Ok(())
    }

    /// A vtysh that talks to our daemons.
    fn vtysh(&self) -> Command {
        let mut command = command(Path::new("vtysh"));
        for option in ["--vty_socket", "--config_dir"] {
            command.arg(option).arg(&self.directory);
        }
        command
    }
}

pub(super) fn observe(paths: &Paths) -> Processes {
    let files = Files::new(paths);
    Processes {
        zebra: files.is_running(Daemon::Zebra),
        bgpd: files.is_running(Daemon::Bgpd),
        frr: files.loaded(),
        ..Processes::default()
    }
}

/// Gives FRR its configuration, and starts it in the hypervisor's namespace if it does not run. A daemon that
/// runs without the other is restarted with it.
///
/// The namespaces that the configuration names must be there, and `/run/netns` with them, which zebra watches.
/// Those that it no longer names must be there still.
///
/// # Errors
/// If FRR is not installed, a daemon does not start, or it refuses a line; what it said is part of the error.
pub async fn load(paths: &Paths, netns: &OwnedFd, config: &str) -> Result<()> {
    let files = Files::new(paths);
    let is_loaded = files.loaded().as_deref() == Some(config);
    // What is loaded is unknown from here until the end.
    super::remove(&[&files.loaded])?;
    files.write(config)?;

    let (running, ended): (Vec<_>, Vec<_>) =
        Daemon::ALL.into_iter().partition(|daemon| files.is_running(*daemon));
    if !ended.is_empty() {
        // A daemon that starts only logs what it does not understand.
        run(files.vtysh().args(["--dryrun", "--inputfile"]).arg(&files.config))
            .await
            .context("checking the configuration")?;
        if !running.is_empty() {
            warn!("FRR's {ended:?} has ended: {running:?} is restarted too");
        }
        for daemon in running {
            daemon.process(&files.pid(daemon)).kill().await?;
        }
        for daemon in Daemon::ALL {
            daemon.start(&files, netns, profile(config)).await?;
        }
    } else if !is_loaded {
        run(&mut reload(&files)).await.context("changing the configuration")?;
    }
    fs::copy(&files.config, &files.loaded).with_context(|| format!("writing {}", files.loaded.display()))?;
    Ok(())
}

/// The profile that a configuration asks for. A daemon wants to know it before its first line.
fn profile(config: &str) -> Option<&str> {
    config.lines().find_map(|line| line.strip_prefix("frr defaults ")).map(str::trim)
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

/// Waits until a daemon ends, at once if one does not run.
///
/// # Errors
/// If the kernel cannot tell (`pidfd_open`, Linux 5.3).
pub async fn ended(paths: &Paths) -> io::Result<()> {
    let files = Files::new(paths);
    let [zebra, bgpd] = Daemon::ALL.map(|daemon| files.pid(daemon));
    let (zebra, bgpd) = (Daemon::Zebra.process(&zebra), Daemon::Bgpd.process(&bgpd));
    tokio::select! {
        result = zebra.ended() => result,
        result = bgpd.ended() => result,
    }
}

/// Kills both daemons; the kernel keeps their routes. The next [`load`] starts them.
///
/// # Errors
/// If one does not end.
pub async fn kill(paths: &Paths) -> Result<()> {
    let files = Files::new(paths);
    for daemon in Daemon::ALL {
        daemon.process(&files.pid(daemon)).kill().await?;
    }
    Ok(())
}

/// Ends the daemons and removes their files. Their kernel routes go with the namespaces.
///
/// # Errors
/// If one does not end, or the files cannot be removed.
pub async fn stop(paths: &Paths) -> Result<()> {
    let files = Files::new(paths);
    for daemon in Daemon::ALL.into_iter().rev() {
        daemon.process(&files.pid(daemon)).end().await?;
    }
    match fs::remove_dir_all(&files.directory) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", files.directory.display()))
        }
        _ => Ok(()),
    }
}
