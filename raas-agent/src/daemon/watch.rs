//! Notices that the configuration changed: files in its directory, or SIGHUP.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tracing::warn;

use super::Event;

/// An editor writes a file in several steps; a change counts when nothing more has happened for this long.
const QUIET: Duration = Duration::from_millis(200);

/// Watches the directory for as long as the receiver of `events` lives.
pub fn spawn(directory: &Path, events: mpsc::Sender<Event>) -> Result<JoinHandle<()>> {
    // One place is enough: a change that finds it taken is announced already.
    let (sender, mut changes) = mpsc::channel(1);
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading the files is an access, which must not look like a change.
        if !matches!(event, Ok(notify::Event { kind: EventKind::Access(_), .. })) {
            let _ = sender.try_send(());
        }
    })
    .context("starting to watch files")?;
    let directory = directory.to_owned();
    watcher
        .watch(&directory, RecursiveMode::NonRecursive)
        .with_context(|| format!("watching {}", directory.display()))?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {
                    // The directory may be another one by now, under the same name.
                    drop(watcher.unwatch(&directory));
                    if let Err(error) = watcher.watch(&directory, RecursiveMode::NonRecursive) {
                        warn!("watching {}: {error}", directory.display());
                    }
                }
                change = changes.recv() => {
                    if change.is_none() {
                        return;
                    }
                    while let Ok(Some(())) = timeout(QUIET, changes.recv()).await {}
                }
            }
            if events.send(Event::ConfigChanged).await.is_err() {
                return;
            }
        }
    }))
}
