//! Kernel parameters of a namespace. `/proc/sys/net` shows the namespace of the thread that looks, so a
//! thread goes there.

use std::{fs, io, os::fd::OwnedFd, path::Path};

use anyhow::{Context, Result};

use super::netns::run_in;

/// Where kernel parameters are.
const DIRECTORY: &str = "/proc/sys";

/// Reads parameters (paths under `/proc/sys`) in a namespace; those that do not exist are left out.
///
/// # Errors
/// If one exists and cannot be read.
pub async fn read(netns: &OwnedFd, paths: Vec<String>) -> Result<Vec<(String, String)>> {
    run_in(netns, move || {
        let mut values = Vec::with_capacity(paths.len());
        for path in paths {
            match fs::read_to_string(Path::new(DIRECTORY).join(&path)) {
                Ok(value) => values.push((path, value.trim_end().to_owned())),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e).with_context(|| format!("reading {DIRECTORY}/{path}")),
            }
        }
        Ok(values)
    })
    .await
}

/// Writes parameters in a namespace, in order.
///
/// # Errors
/// At the first that cannot be written.
pub async fn write(netns: &OwnedFd, values: Vec<(String, u32)>) -> Result<()> {
    run_in(netns, move || {
        for (path, value) in values {
            fs::write(Path::new(DIRECTORY).join(&path), value.to_string())
                .with_context(|| format!("writing {value} to {DIRECTORY}/{path}"))?;
        }
        Ok(())
    })
    .await
}
