//! FRR's daemons, and how each is started.

use std::{os::fd::OwnedFd, path::Path};

use anyhow::Result;

use super::Files;
use crate::platform::process::{command_in, identify::Description, run};

/// Where Debian's package has the daemons and frr-reload.py.
pub(super) const PROGRAMS: &str = "/usr/lib/frr";
/// The user that the daemons become.
pub(super) const USER: &str = "frr";
/// How long a new zebra leaves alone the routes that it finds, seconds; it then removes those that nobody has announced anew.
/// BGP is back in seconds, with large tables too (30,000 routes a second).
const SWEEP_AFTER: &str = "30";
/// Netlink receive buffer, bytes: 100,000 routes at once lose none.
const NETLINK_BUFFER: &str = "33554432";

/// A daemon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Daemon {
    Zebra,
    Bgpd,
}

impl Daemon {
    /// In the order of starting: bgpd wants zebra's socket.
    pub(super) const ALL: [Self; 2] = [Self::Zebra, Self::Bgpd];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Zebra => "zebra",
            Self::Bgpd => "bgpd",
        }
    }

    /// What it looks like: its pid file is also one of its arguments.
    pub(super) fn process(self, pid_file: &Path) -> Description<'_> {
        let programs = match self {
            Self::Zebra => &["zebra"],
            Self::Bgpd => &["bgpd"],
        };
        Description { pid_file, programs, argument: pid_file }
    }

    /// Starts it in the hypervisor's namespace, `netns`. When this returns, it has read its configuration, and it answers:
    /// only then does the process that was started end and leave the daemon behind.
    pub(super) async fn start(self, files: &Files, netns: &OwnedFd, profile: Option<&str>) -> Result<()> {
        let pid_file = files.pid(self);
        let mut command = command_in(netns, &Path::new(PROGRAMS).join(self.name()))?;
        command
            .args(["--daemon", "--user", USER, "--group", USER])
            // No TCP port for the command line.
            .args(["--vty_port", "0"])
            .args(profile.map(|profile| format!("--profile={profile}")))
            .arg("--pid_file")
            .arg(&pid_file)
            .arg("--socket")
            .arg(files.directory.join("zserv.api"))
            .arg("--vty_socket")
            .arg(&files.directory)
            .arg("--log")
            .arg(format!("file:{}", files.directory.join(format!("{}.log", self.name())).display()))
            .args(["--log-level", "warnings"]);
        match self {
            Self::Zebra => command
                .args(["--vrfwnetns", "--retain", "--graceful_restart", SWEEP_AFTER])
                .args(["--nl-bufsize", NETLINK_BUFFER])
                .args(["--config_file", "/dev/null"]),
            // Not `--listenon`, which would keep port 179 to one address: it implies `--no_kernel`, and bgpd would install no
            // route. It listens in the routers' namespaces, in the hypervisor's own only for EVPN, and turns away whoever is
            // not a configured neighbour.
            Self::Bgpd => command.arg("--config_file").arg(&files.config),
        };
        run(&mut command).await?;
        self.process(&pid_file).wait().await?;
        Ok(())
    }
}
