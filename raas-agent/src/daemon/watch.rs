//! Notices that the configuration changed: files in its directory, the directory itself, or SIGHUP.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use notify::{EventKind, RecursiveMode, Watcher as _};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::warn;

use super::Event;

/// An editor writes a file in several steps; a change counts when nothing more has happened for this long.
const QUIET: Duration = Duration::from_millis(200);

/// How often to look whether the directory is still the one that is watched.
const GLANCE: Duration = Duration::from_secs(1);

/// What tells two directories apart that had the same name one after the other: device, inode (which comes
/// round again), time of birth.
type Identity = (u64, u64, Option<SystemTime>);

fn identity(directory: &Path) -> Option<Identity> {
    let metadata = fs::metadata(directory).ok()?;
    Some((metadata.dev(), metadata.ino(), metadata.created().ok()))
}

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
    let mut watched = identity(&directory);
    watcher
        .watch(&directory, RecursiveMode::NonRecursive)
        .with_context(|| format!("watching {}", directory.display()))?;
    let mut hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    Ok(tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = hangup.recv() => {}
                _ = glances.tick() => {
                    let now = identity(&directory);
                    if now == watched {
                        continue;
                    }
                    // Another one has its name, or none: what is watched is not what is read.
                    drop(watcher.unwatch(&directory));
                    watched = now;
                    if now.is_some() && let Err(error) = watcher.watch(&directory, RecursiveMode::NonRecursive) {
                        warn!("watching {}: {error}", directory.display());
                        watched = None;
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
