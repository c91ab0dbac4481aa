//! The agent's directories. Every path in them is made here.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
};

use anyhow::{Context, Result};

/// The agent's directories. Instances with different directories do not meet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// What survives a reboot: allocations, manifest, leases.
    pub state: PathBuf,
    /// What does not: configuration, sockets and pid files of daemons.
    pub run: PathBuf,
    /// Pinned BPF objects (on bpffs).
    pub pin: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self { state: "/var/lib/raas".into(), run: "/run/raas".into(), pin: "/sys/fs/bpf/raas".into() }
    }
}

impl Paths {
    /// Makes the state and run directories.
    ///
    /// # Errors
    /// If that is refused.
    pub fn create(&self) -> Result<()> {
        for directory in [&self.state, &self.run, &self.leases(), &self.frr(), &self.dhcp()] {
            fs::create_dir_all(directory).with_context(|| {
                format!(
                    "creating {} (is it writable? --state-dir and --run-dir choose another)",
                    directory.display()
                )
            })?;
            // Daemons that drop their privileges pass through, whatever the umask.
            fs::set_permissions(directory, Permissions::from_mode(0o755))
                .with_context(|| format!("setting permissions of {}", directory.display()))?;
        }
        Ok(())
    }

    /// FRR's files and sockets: `vtysh --vty_socket` wants this directory.
    pub fn frr(&self) -> PathBuf {
        self.run.join("frr")
    }

    /// Files of DHCP servers and clients.
    pub fn dhcp(&self) -> PathBuf {
        self.run.join("dhcp")
    }

    /// Leases of DHCP servers.
    pub fn leases(&self) -> PathBuf {
        self.state.join("leases")
    }
}
