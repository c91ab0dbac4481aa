//! Files of the state directory, in JSON: read tolerantly, written so that a crash leaves the old or the new
//! content.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};
use tracing::warn;

use super::Paths;
use crate::plan::Desired;

/// Names → ids and addresses that must stay.
pub const ALLOCATIONS: &str = "allocations.json";
/// What was applied last.
pub const MANIFEST: &str = "manifest.json";

/// Reads a file of the state directory. One that is missing is `None`; so is one that this version does not
/// understand, which is kept beside as `*.unreadable`.
///
/// # Errors
/// If it exists and cannot be read.
pub fn read<T: DeserializeOwned>(state: &Path, name: &str) -> Result<Option<T>> {
    let path = state.join(name);
    let text = match fs::read(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.with_context(|| format!("reading {}", path.display()))?,
    };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(e) => {
            let aside = PathBuf::from(format!("{}.unreadable", path.display()));
            warn!("{} is not understood ({e}); kept as {}", path.display(), aside.display());
            fs::copy(&path, &aside).with_context(|| format!("writing {}", aside.display()))?;
            Ok(None)
        }
    }
}

/// Writes a file of the state directory.
///
/// # Errors
/// If the directory is not writable or full. The old file is then unharmed.
pub fn write<T: Serialize>(state: &Path, name: &str, value: &T) -> Result<()> {
    let path = state.join(name);
    let text = serde_json::to_vec_pretty(value).context("serialising")?;
    replace(&path, &text).with_context(|| {
        format!("writing {} (is the directory writable? --state-dir chooses another)", path.display())
    })
}

/// Removes a file of the state directory; that it is gone already is no error.
///
/// # Errors
/// If that is refused.
pub fn remove(state: &Path, name: &str) -> Result<()> {
    let path = state.join(name);
    match fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// What was applied last, for those who only look at it.
///
/// # Errors
/// If nothing is applied here, or the manifest cannot be read.
pub fn manifest(paths: &Paths) -> Result<Desired> {
    read(&paths.state, MANIFEST)?.with_context(|| {
        format!("nothing is applied here (no manifest in {}): is an agent running?", paths.state.display())
    })
}

/// Write, fsync, rename, fsync of the directory: the name leads to complete content at every moment.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let temporary = path.with_extension("new");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_rubbish_is_put_aside() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(read::<Vec<u32>>(state.path(), ALLOCATIONS).unwrap(), None);
        write(state.path(), ALLOCATIONS, &[1, 2]).unwrap();
        assert_eq!(read(state.path(), ALLOCATIONS).unwrap(), Some(vec![1, 2]));
        fs::write(state.path().join(ALLOCATIONS), "{").unwrap();
        assert_eq!(read::<Vec<u32>>(state.path(), ALLOCATIONS).unwrap(), None);
        assert_eq!(fs::read_to_string(state.path().join("allocations.json.unreadable")).unwrap(), "{");
    }

    #[test]
    fn a_refusal_names_the_file_and_the_remedy() {
        let state = tempfile::tempdir().unwrap();
        let blocked = state.path().join("file");
        fs::write(&blocked, "").unwrap();
        let error = format!("{:#}", write(&blocked, MANIFEST, &0).unwrap_err());
        assert!(error.contains("manifest.json") && error.contains("--state-dir"), "{error}");
    }
}
