//! Where things are pinned.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use raas_common::ABI_VERSION;

use super::{attach::Hook, mount};

/// The directory of this ABI version's pins.
#[derive(Clone, Debug)]
pub struct Pins {
    base: PathBuf,
    root: PathBuf,
}

impl Pins {
    /// Below `pin_dir`, `/sys/fs/bpf/raas` by default. Touches nothing.
    pub fn new(pin_dir: impl Into<PathBuf>) -> Self {
        let base = pin_dir.into();
        let root = base.join(format!("v{ABI_VERSION}"));
        Self { base, root }
    }

    /// Makes the directories, on a BPF file system that is mounted if there is none yet.
    pub(super) fn create(&self) -> Result<()> {
        mount::ensure(&self.base)?;
        for directory in [self.maps(), self.programs(), self.links()] {
            fs::create_dir_all(&directory).with_context(|| format!("creating {}", directory.display()))?;
        }
        Ok(())
    }

    /// Directory of the maps.
    pub(super) fn maps(&self) -> PathBuf {
        self.root.join("maps")
    }

    /// A map's pin.
    pub fn map(&self, name: &str) -> PathBuf {
        self.maps().join(name)
    }

    /// Directory of the programs.
    pub(super) fn programs(&self) -> PathBuf {
        self.root.join("programs")
    }

    /// A program's pin.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    /// Directory of the links.
    pub(super) fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    /// The pin of the link that holds a program on an interface.
    pub fn link(&self, interface: &str, hook: Hook) -> PathBuf {
        // The BPF file system reserves names with dots; interface names cannot contain colons
        // (dev_valid_name).
        self.links().join(format!("{}-{hook}", interface.replace('.', ":")))
    }

    /// Removes everything of this version: programs are detached, maps are freed once nobody uses them.
    pub fn remove_all(&self) -> Result<()> {
        match fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("removing {}", self.root.display()))
            }
            _ => {
                mount::release(&self.base)?;
                // Another version's pins, or somebody else's files in there, are no fault of ours.
                drop(fs::remove_dir(&self.base));
                Ok(())
            }
        }
    }
}

/// That a map is there: it is from when an agent first starts until `raas down`, or a reboot.
pub(super) fn ensure_loaded(map: &Path) -> Result<()> {
    let there = map.try_exists().with_context(|| format!("looking at {}", map.display()))?;
    anyhow::ensure!(there, "the fast path is not loaded (no {}): is the agent running?", map.display());
    Ok(())
}

/// Names in a directory of pins; none if there is no such directory.
pub(super) fn names(directory: &Path) -> Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {}", directory.display()))?,
    };
    entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()
        .with_context(|| format!("reading {}", directory.display()))
}

/// Removes a pin, and says whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("removing {}", path.display())),
    }
}
