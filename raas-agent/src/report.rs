//! What a running agent says of itself, in `<run-dir>/agent.json`, for `raas status`.

use std::{
    collections::{BTreeMap, VecDeque},
    fs,
    io::{self, Write as _},
    path::PathBuf,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use crate::platform::{Paths, lock};

/// The agent's own view, rewritten whenever it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentReport {
    /// Process id.
    pub pid: u32,
    /// The first full synchronisation is done: the fast path follows the kernel.
    pub synchronised: bool,
    /// What the fast path knows of each router, by full name.
    pub routers: BTreeMap<String, RouterReport>,
    /// FIB nodes in use.
    pub fib_nodes_used: u32,
    /// FIB nodes in the pool.
    pub fib_nodes: u32,
    /// Nexthops in use.
    pub nexthops_used: u32,
    /// Nexthops that there may be.
    pub nexthops: u32,
    /// Nexthop groups in use.
    pub groups_used: u32,
    /// Nexthop groups that there may be.
    pub groups: u32,
    /// Namespaces resynchronised after a netlink overrun or an interrupted dump, since start.
    pub resynchronisations: u64,
    /// What somebody else had changed and the agent has put right.
    pub repairs: Repairs,
    /// The last applies left something undone; none if the last did not.
    pub failing: Option<Failing>,
    /// What is wrong now: a configuration that was refused, an action that failed, a full table. Empty: all is well.
    pub faults: Vec<String>,
}

/// What the fast path knows of a router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterReport {
    /// Routes in its table.
    pub routes: usize,
    /// Routes that did not fit: the kernel forwards what takes them.
    pub waiting: usize,
    /// The kernel forwards all of its packets, as a route that did not fit could not even be marked as such.
    pub held: bool,
}

/// Repairs that are kept: more than a router's loss takes.
const RECENT: usize = 100;

/// What somebody else had changed and the agent has put right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repairs {
    /// Number of steps since the agent's start.
    pub steps: u64,
    /// The last of them, the newest last.
    pub recent: VecDeque<Repair>,
}

/// A step that put something right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// When it was taken.
    pub at: Time,
    /// What it was.
    pub step: String,
}

impl Repairs {
    /// Takes note of steps that were just taken.
    pub fn add(&mut self, steps: Vec<String>) {
        let at = Time::now();
        self.steps += steps.len() as u64;
        self.recent.extend(steps.into_iter().map(|step| Repair { at, step }));
        let surplus = self.recent.len().saturating_sub(RECENT);
        self.recent.drain(..surplus);
    }
}

/// Applies in a row that left something undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// When the first was.
    pub since: Time,
    /// Their number.
    pub attempts: u32,
}

/// A time of day, seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// Now.
    pub fn now() -> Self {
        Self(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs())
    }

    /// How long ago it was; zero if the clock was set back.
    pub fn age(self) -> Duration {
        Duration::from_secs(Self::now().0.saturating_sub(self.0))
    }
}

impl AgentReport {
    fn path(paths: &Paths) -> PathBuf {
        paths.run.join("agent.json")
    }

    /// Writes it, all or nothing.
    pub fn write(&self, paths: &Paths) -> Result<()> {
        let path = Self::path(paths);
        let temporary = path.with_extension("json.new");
        let write = || -> Result<()> {
            fs::File::create(&temporary)?.write_all(&serde_json::to_vec_pretty(self)?)?;
            Ok(fs::rename(&temporary, &path)?)
        };
        write().with_context(|| format!("writing {}", path.display()))
    }

    /// Removes the last one written.
    pub fn remove(paths: &Paths) -> Result<()> {
        let path = Self::path(paths);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", path.display()))
            }
            _ => Ok(()),
        }
    }

    /// The last one written, and whether an agent runs. One that runs and has not reported yet has an empty
    /// report.
    pub fn read(paths: &Paths) -> (Self, bool) {
        let last = || -> Option<Self> { serde_json::from_slice(&fs::read(Self::path(paths)).ok()?).ok() };
        let last = last().unwrap_or_default();
        match lock::holder(&paths.state) {
            None => (last, false),
            Some(pid) if pid == last.pid => (last, true),
            Some(_) => (Self::default(), true),
        }
    }
}
