//! The agent's binary, and the JSON that it speaks.

use std::{env, net::Ipv4Addr, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

/// The `raas` binary that cargo has built beside the one that runs now. `RAAS_BIN` names another.
pub fn binary() -> Result<PathBuf> {
    if let Some(binary) = env::var_os("RAAS_BIN") {
        return Ok(binary.into());
    }
    let this = env::current_exe().context("path of this binary")?;
    let mut directory = this.parent().context("this binary is in no directory")?;
    // Tests are in target/PROFILE/deps, binaries in target/PROFILE.
    if directory.ends_with("deps") {
        directory = directory.parent().context("deps is in no directory")?;
    }
    let binary = directory.join("raas");
    ensure!(binary.is_file(), "{} is not there: `cargo build -p raas-agent` makes it", binary.display());
    Ok(binary)
}

/// `raas status --json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    /// Name of the hypervisor.
    pub hypervisor: String,
    /// `on` or `off`.
    pub fast_path: String,
    /// `running`, `stopped` or `starting`.
    pub agent: String,
    /// Its routers.
    pub routers: Vec<Router>,
    /// Its ports: endpoints, uplinks, tunnel ends.
    pub ports: Vec<Port>,
    /// Namespaces that were read anew because something was missed.
    pub resynchronisations: u64,
    /// What somebody else had changed and the agent has put right.
    pub repairs: Repairs,
    /// The last applies left something undone.
    pub failing: Option<Failing>,
    /// What is wrong now.
    pub faults: Vec<String>,
}

/// Repairs in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Repairs {
    /// Steps since the agent's start.
    pub steps: u64,
    /// The last of them, the newest last.
    pub recent: Vec<Repair>,
}

/// A repair in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Repair {
    /// What was done.
    pub step: String,
}

/// Applies that left something undone, in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Failing {
    /// How many in a row.
    pub attempts: u32,
}

impl Status {
    /// Whether the agent has done all that it has to, and nothing is wrong.
    pub fn is_well(&self) -> bool {
        self.agent == "running" && self.faults.is_empty()
    }

    /// Sessions that are up, and all that there should be.
    pub fn sessions(&self) -> (usize, usize) {
        let sessions = self.routers.iter().flat_map(|router| &router.sessions);
        (sessions.clone().filter(|session| session.is_established()).count(), sessions.count())
    }
}

/// A router in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Router {
    /// Full name, `acme/l1a`.
    pub name: String,
    /// Name of its namespace.
    pub netns: String,
    /// Address of its `lo`.
    pub loopback: Option<Ipv4Addr>,
    /// Routes that the fast path has of it.
    pub routes: usize,
    /// Its BGP sessions.
    pub sessions: Vec<Session>,
}

/// A BGP session in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Session {
    /// The neighbour.
    pub neighbor: String,
    /// State of its finite state machine (RFC 4271, section 8).
    pub state: String,
}

impl Session {
    /// Whether it exchanges routes.
    pub fn is_established(&self) -> bool {
        self.state.eq_ignore_ascii_case("established")
    }
}

/// A port in [`Status`].
#[derive(Clone, Debug, Deserialize)]
pub struct Port {
    /// Full name.
    pub name: String,
    /// Kernel name.
    pub interface: String,
    /// `endpoint`, `uplink` or `tunnel`.
    pub kind: String,
    /// `xdp` or `tc`.
    pub hook: String,
}

/// One row of `raas counters --json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Counter {
    /// What counted: full name of a port or tunnel.
    pub scope: String,
    /// What that is: `endpoint`, `uplink`, `gre`, `vxlan`.
    pub kind: String,
    /// Name of the exit, as in `raas_common::Exit::ALL`.
    pub exit: String,
    /// `forwarded`, `tunnel`, `punted` or `dropped`.
    pub class: String,
    /// Packets since the agent first started.
    pub packets: u64,
}
