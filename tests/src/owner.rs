//! A process (that a lab belongs to, or an agent), by pid and start time: pids come round again.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// Identity of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    pid: u32,
    /// In clock ticks after boot, as `/proc/PID/stat` says.
    start: u64,
}

impl Owner {
    /// This process.
    pub fn current() -> Result<Self> {
        Self::of(std::process::id())
    }

    /// A process that runs.
    pub fn of(pid: u32) -> Result<Self> {
        let start = start_time(pid).with_context(|| format!("process {pid} does not run"))?;
        Ok(Self { pid, start })
    }

    /// Its process id, valid while [`Self::is_alive`].
    pub fn pid(self) -> Pid {
        Pid::from_raw(self.pid.cast_signed())
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        start_time(self.pid) == Some(self.start)
    }

    /// Writes it to a file.
    pub fn write(self, file: &Path) -> Result<()> {
        fs::write(file, serde_json::to_string(&self)?).with_context(|| format!("writing {}", file.display()))
    }

    /// Reads it from a file, if that is there and whole.
    pub fn read(file: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(file).ok()?).ok()
    }
}

/// Start time of a process; none if there is no such process, or it has ended and waits for its parent.
fn start_time(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses, and may hold anything. See proc_pid_stat(5) for the
    // rest.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_alone_is_no_identity() {
        let this = Owner::current().expect("we run");
        assert!(this.is_alive());
        assert!(!Owner { start: this.start + 1, ..this }.is_alive());
    }
}
