//! Processes by the namespaces that they are in: the only test of "ours" that no process can forget or
//! inherit wrongly.

use std::{collections::HashSet, fs, os::unix::fs::MetadataExt as _, time::Duration};

use anyhow::{Context as _, Result};
use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};

use crate::wait::wait_for;

/// Processes that are in one of these namespaces (inode numbers), by network or by mounts. Zombies are in
/// none.
pub fn inside(namespaces: &HashSet<u64>) -> Result<Vec<Pid>> {
    let mut pids = Vec::new();
    for entry in fs::read_dir("/proc").context("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end while we look: then it is in none.
        let is_in = |kind: &str| {
            fs::metadata(entry.path().join("ns").join(kind)).is_ok_and(|ns| namespaces.contains(&ns.ino()))
        };
        if is_in("net") || is_in("mnt") {
            pids.push(Pid::from_raw(pid));
        }
    }
    Ok(pids)
}

/// Ends all processes in these namespaces: asks first, then kills.
pub fn end(namespaces: &HashSet<u64>) -> Result<()> {
    for (signal, patience) in
        [(Signal::SIGTERM, Duration::from_secs(3)), (Signal::SIGKILL, Duration::from_secs(5))]
    {
        let asked = inside(namespaces)?;
        for pid in &asked {
            // It may have ended meanwhile.
            let _ = kill(*pid, signal);
        }
        let gone = wait_for(patience, "end of the lab's processes", || {
            asked.iter().for_each(|pid| reap(*pid));
            Ok(inside(namespaces)?.is_empty().then_some(()))
        });
        if gone.is_ok() || signal == Signal::SIGKILL {
            return gone;
        }
    }
    Ok(())
}

/// Takes the exit status of a child of ours, so that it does not stay as a zombie.
pub fn reap(pid: Pid) {
    // ECHILD: it is not our child, then somebody else does it.
    let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
}
