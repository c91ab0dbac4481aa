//! Where an instance keeps its things.

use std::path::PathBuf;

/// Directories of one instance. Several instances share a machine when these differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What must survive a reboot: allocations and manifest.
    pub state: PathBuf,
    /// What need not: sockets, pid files, rendered configuration.
    pub run: PathBuf,
    /// Pinned programs, links and maps; on a BPF file system.
    pub pin: PathBuf,
}

impl Paths {
    /// FRR's vty sockets, pid files and configuration.
    pub fn frr(&self) -> PathBuf {
        self.run.join("frr")
    }
}
