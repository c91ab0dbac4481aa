//! Where a lab keeps what outlives a process: one directory under `/run/raas-lab` for each lab.
//!
//! ```text
//! /run/raas-lab/NAME.owner     pid and start time of the process that the lab belongs to; none of one that stays
//! /run/raas-lab/NAME/          a tmpfs, mounted private: nowhere else can a mount namespace be kept alive
//!     underlay/net, mnt        namespaces with the bridge between hypervisors, if there is one
//!     HYPERVISOR/net, mnt      namespaces of a hypervisor
//!     HYPERVISOR/agent         pid and start time of its agent
//!     HYPERVISOR/agent.log     output of its agent
//! ```

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use nix::mount::{MntFlags, MsFlags, mount, umount2};

use crate::{owner::Owner, space::Space};

/// Where the directories of labs are.
pub const LABS: &str = "/run/raas-lab";
/// Name of the lab that stays, if no other is given.
pub const DEFAULT_NAME: &str = "lab";
/// Name of the namespace with the bridge between hypervisors. No hypervisor may have it.
pub const UNDERLAY: &str = "underlay";

/// The directory of one lab.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Makes the directory of a new lab. It fails if there is one of that name.
    pub fn create(name: &str) -> Result<Self> {
        let files = Self { root: Path::new(LABS).join(name) };
        let root = &files.root;
        loop {
            fs::create_dir_all(LABS).with_context(|| format!("creating {LABS}"))?;
            if root.is_dir() {
                bail!("there is a lab `{name}` already; `cargo xtask lab down` removes that of `lab up`");
            }
            // First of all: whatever this process has made when it is killed, the next one finds its owner.
            if let Err(error) = Owner::current()?.write(&files.owner()) {
                if Path::new(LABS).is_dir() {
                    return Err(error);
                }
                continue;
            }
            match fs::create_dir(root).map_err(|error| error.kind()) {
                Ok(()) => break,
                // Somebody has just removed the last lab, and the parent with it.
                Err(io::ErrorKind::NotFound) => {}
                Err(io::ErrorKind::AlreadyExists) => {
                    bail!("there is a lab `{name}` already; `cargo xtask lab down` removes that of `lab up`")
                }
                Err(kind) => bail!("creating {}: {kind}", root.display()),
            }
        }
        let none = None::<&str>;
        mount(Some("raas-lab"), root, Some("tmpfs"), MsFlags::MS_NOSUID, Some("mode=0755"))
            .and_then(|()| mount(none, root, none, MsFlags::MS_PRIVATE, none))
            .with_context(|| format!("mounting a tmpfs on {}", root.display()))?;
        Ok(files)
    }

    /// The directory of an existing lab.
    pub fn open(name: &str) -> Result<Self> {
        let root = Path::new(LABS).join(name);
        if !root.is_dir() {
            bail!("no lab `{name}` is up; `cargo xtask lab up` brings one up");
        }
        Ok(Self { root })
    }

    /// All labs of this machine, those included of which there is only the owner.
    pub fn all() -> Result<Vec<Self>> {
        match fs::read_dir(LABS) {
            Ok(entries) => {
                let root = |entry: io::Result<fs::DirEntry>| Ok(entry?.path().with_extension(""));
                let roots: BTreeSet<PathBuf> = entries.map(root).collect::<Result<_>>()?;
                Ok(roots.into_iter().map(|root| Self { root }).collect())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).context(LABS),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Directory of a hypervisor, or of the underlay.
    pub fn space_dir(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// File that names the process that the lab belongs to.
    ///
    /// Outside of the directory: it is there before that is made.
    pub fn owner(&self) -> PathBuf {
        self.root.with_extension("owner")
    }

    /// File that names a hypervisor's agent.
    pub fn agent(&self, hypervisor: &str) -> PathBuf {
        self.space_dir(hypervisor).join("agent")
    }

    /// Output of a hypervisor's agent.
    pub fn agent_log(&self, hypervisor: &str) -> PathBuf {
        self.space_dir(hypervisor).join("agent.log")
    }

    /// The namespaces that there are, by name; the underlay is one of them.
    pub fn spaces(&self) -> Result<Vec<(String, Space)>> {
        let mut spaces = Vec::new();
        if !self.root.is_dir() {
            return Ok(spaces);
        }
        for entry in fs::read_dir(&self.root).with_context(|| self.root.display().to_string())? {
            let entry = entry?;
            if let Some(space) = Space::open(&entry.path()) {
                spaces.push((entry.file_name().to_string_lossy().into_owned(), space));
            }
        }
        spaces.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(spaces)
    }

    /// Unmounts and removes all of it. The namespaces go when nothing else holds them.
    pub fn remove(&self) -> Result<()> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").context("/proc/self/mountinfo")?;
        // Innermost first: a later mount may lie on an earlier one.
        for target in mounts.lines().rev().filter_map(|line| line.split(' ').nth(4)) {
            if Path::new(target).starts_with(&self.root) {
                umount2(target, MntFlags::MNT_DETACH).with_context(|| format!("unmounting {target}"))?;
            }
        }
        match fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("removing {}", self.root.display()));
            }
            _ => {}
        }
        let _ = fs::remove_file(self.owner());
        // The last lab takes the parent with it; while there are others this fails, as it should.
        let _ = fs::remove_dir(LABS);
        Ok(())
    }
}
