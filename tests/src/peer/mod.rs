//! Foreign machines on a lab's underlay, which no agent of ours runs on: what others have written speaks with us
//! there.
//!
//! Each is a value: what it has started ends, and its namespaces go, when it is dropped. What a killed process
//! leaves of it goes with its lab.

mod bird;
mod guest;
mod ovs;

use std::{
    collections::HashSet,
    ffi::OsStr,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;

pub use bird::Bird;
pub use guest::Guest;
pub use ovs::{OpenVSwitch, Tunnel};

use crate::{Lab, lab::output, processes, space::Space, underlay};

/// A machine that is plugged into a lab's underlay: namespaces of its own, `/run` included, with an `uplink0`.
#[derive(Debug)]
pub struct Foreign {
    name: String,
    space: Space,
    inodes: HashSet<u64>,
}

impl Lab {
    /// Plugs a machine into the underlay. The lab must have been made for it.
    pub fn plug(&self, name: &str) -> Result<Foreign> {
        let space = Space::create(&self.files().space_dir(name))?;
        let inodes = space.inodes()?;
        let foreign = Foreign { name: name.to_owned(), space, inodes };
        underlay::plug(self.files(), name, &foreign.space, self.network().fabric.mtu)?;
        Ok(foreign)
    }
}

impl Foreign {
    /// Gives its `uplink0` an address of the underlay.
    pub fn address(&self, address: Ipv4Net) -> Result<()> {
        self.run(&format!("ip address add {address} dev uplink0")).map(drop)
    }

    /// Runs `f` there.
    pub fn within<T: Send>(&self, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.space.within(None, f)
    }

    /// Starts a command there.
    pub fn spawn(&self, command: &mut Command) -> Result<Child> {
        self.within(|| command.spawn().with_context(|| format!("running {command:?}")))
    }

    /// Runs a shell command there, and returns what it prints. It must succeed.
    pub fn run(&self, script: &str) -> Result<String> {
        let output = self.within(|| output(&["sh", "-c", script].map(OsStr::new)))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let (printed, complaint) = (text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "{}: `{script}`: {printed} {complaint}", self.name);
        Ok(printed)
    }

    /// Starts a daemon there; its output is not looked at.
    fn daemon(&self, program: &str, arguments: &[&str]) -> Result<Child> {
        let mut command = Command::new(program);
        self.spawn(command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // A namespace takes its time to end, and the bridge's port with it.
        let unplugged = self.run("ip link delete uplink0").map(drop);
        let removed = [unplugged, processes::end(&self.inodes), self.space.remove()];
        for error in removed.into_iter().filter_map(Result::err) {
            eprintln!("removing {}: {error:#}", self.name);
        }
    }
}

/// Something that runs shell commands: a machine, or the guest on one.
pub trait Shell {
    /// Runs a command and returns what it prints. It must succeed.
    fn shell(&self, script: &str) -> Result<String>;
}

impl Shell for Foreign {
    fn shell(&self, script: &str) -> Result<String> {
        self.run(script)
    }
}
