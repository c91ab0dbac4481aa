//! Files of the state directory, in JSON: read tolerantly, written so that a crash leaves the old or the new
//! content.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
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
    match parse(&path)? {
        None => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(e)) => {
            let aside = PathBuf::from(format!("{}.unreadable", path.display()));
            warn!("{} is not understood ({e}); kept as {}", path.display(), aside.display());
            fs::copy(&path, &aside).with_context(|| format!("writing {}", aside.display()))?;
            Ok(None)
        }
    }
}

/// Reads a file: `None` if it is missing, an inner error if it is not understood.
fn parse<T: DeserializeOwned>(path: &Path) -> Result<Option<serde_json::Result<T>>> {
    match fs::read(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("reading {}", path.display())),
        Ok(text) => Ok(Some(serde_json::from_slice(&text))),
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
    applied(paths)?.with_context(|| {
        format!("nothing is applied here (no manifest in {}): is an agent running?", paths.state.display())
    })
}

/// What was applied last, if anything was.
///
/// # Errors
/// If the manifest cannot be read, or is not understood: then nobody knows what was applied.
pub fn applied(paths: &Paths) -> Result<Option<Desired>> {
    let path = paths.state.join(MANIFEST);
    parse(&path)?.transpose().with_context(|| {
        format!(
            "{} is not understood: start the agent, which writes it anew, or remove everything with \
             `raas down --hypervisor NAME`",
            path.display()
        )
    })
}

/// That nothing of another hypervisor was applied from these directories: its things would be left alone for
/// ever.
///
/// # Errors
/// If something was.
pub fn ensure_of(paths: &Paths, hypervisor: &str) -> Result<()> {
    match read::<Desired>(&paths.state, MANIFEST)? {
        Some(manifest) if manifest.hypervisor != hypervisor => bail!(
            "{} belongs to hypervisor {}: `raas down` first, or choose another --state-dir, --run-dir and \
             --pin-dir",
            paths.state.display(),
            manifest.hypervisor
        ),
        _ => Ok(()),
    }
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

    fn paths(state: &Path) -> Paths {
        Paths { state: state.to_owned(), ..Paths::default() }
    }

    #[test]
    fn an_unreadable_manifest_is_not_taken_for_none() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(applied(&paths(state.path())).unwrap(), None);
        fs::write(state.path().join(MANIFEST), "{").unwrap();
        let error = format!("{:#}", applied(&paths(state.path())).unwrap_err());
        assert!(error.contains("down --hypervisor"), "{error}");
    }

    #[test]
    fn directories_are_one_hypervisors() {
        let state = tempfile::tempdir().unwrap();
        ensure_of(&paths(state.path()), "h1").unwrap();
        write(state.path(), MANIFEST, &Desired { hypervisor: "h1".into(), ..Desired::default() }).unwrap();
        ensure_of(&paths(state.path()), "h1").unwrap();
        let error = ensure_of(&paths(state.path()), "h2").unwrap_err().to_string();
        assert!(error.contains("belongs to hypervisor h1"), "{error}");
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
