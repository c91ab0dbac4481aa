//! Removing labs: by their files alone, so that it works for those of another process too.

use std::{
    collections::HashSet,
    fs::File,
    process::{self, Command, Stdio},
    sync::{Mutex, Once, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

use crate::{
    agent,
    files::{Files, UNDERLAY},
    owner::Owner,
    processes,
    space::Space,
    wait_for,
};

/// Labs that this process has to remove. Locked while one is removed, so that a signal cannot end the process
/// halfway.
static LIVE: Mutex<Vec<Files>> = Mutex::new(Vec::new());

/// Takes responsibility for a lab: it is removed by [`remove_live`], or when SIGINT or SIGTERM arrives.
pub fn register(files: &Files) -> Result<()> {
    static HANDLER: Once = Once::new();
    let mut result = Ok(());
    HANDLER.call_once(|| result = handle_signals());
    result?;
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).push(files.clone());
    Ok(())
}

/// Gives a lab up without removing it.
pub fn release(files: &Files) {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner).retain(|live| live.root() != files.root());
}

/// Removes a lab of this process.
pub fn remove_live(files: &Files) -> Result<()> {
    let mut live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
    let result = remove(files);
    live.retain(|live| live.root() != files.root());
    result
}

/// On SIGINT and SIGTERM: removes all labs of this process and ends it, with the shell's exit code for the
/// signal.
fn handle_signals() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM]).context("signal handlers")?;
    thread::spawn(move || {
        let signal = signals.forever().next().unwrap_or(SIGTERM);
        // Kept until the end: nobody begins a new lab, or ends the process, meanwhile.
        let live = LIVE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut code = 128 + signal;
        if !live.is_empty() {
            eprintln!("\nremoving the lab");
        }
        for files in live.iter() {
            if let Err(error) = remove(files) {
                eprintln!("removing {}: {error:#}", files.root().display());
                code = 1;
            }
        }
        process::exit(code);
    });
    Ok(())
}

/// Removes the labs whose process has ended without doing so. Returns their number.
pub fn sweep() -> Result<usize> {
    let mut removed = 0;
    for files in Files::all()? {
        // Without an owner it is one that stays.
        if Owner::read(&files.owner()).is_none_or(Owner::is_alive) {
            continue;
        }
        // Somebody else may be sweeping: whoever has the lock does it.
        let Ok(lock) = File::open(files.owner()) else { continue };
        if lock.try_lock().is_ok() {
            remove(&files)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Removes a lab: agents, what they made, processes, namespaces, files. Does as much as it can, and returns
/// the first error.
pub fn remove(files: &Files) -> Result<()> {
    let spaces = files.spaces()?;
    let stopped: Vec<Result<()>> = thread::scope(|scope| {
        let machines = spaces.iter().filter(|(name, _)| name != UNDERLAY);
        let stopping: Vec<_> =
            machines.map(|(name, space)| scope.spawn(move || stop_agent(files, name, space))).collect();
        stopping.into_iter().map(|thread| thread.join().unwrap_or(Ok(()))).collect()
    });
    let mut ours = HashSet::new();
    for (_, space) in &spaces {
        // Where making a lab failed halfway there may be files without namespaces: then there are no
        // processes either.
        ours.extend(space.inodes().unwrap_or_default());
    }
    let ended = processes::end(&ours);
    let removed = files.remove();
    stopped.into_iter().chain([ended, removed]).collect()
}

/// Stops a hypervisor's agent, if one was started, and removes what it made.
fn stop_agent(files: &Files, hypervisor: &str, space: &Space) -> Result<()> {
    let Some(owner) = Owner::read(&files.agent(hypervisor)) else { return Ok(()) };
    if owner.is_alive() {
        // It may end at this very moment.
        let _ = kill(owner.pid(), Signal::SIGTERM);
        wait_for(Duration::from_secs(5), "end of the agent", || {
            processes::reap(owner.pid());
            Ok((!owner.is_alive()).then_some(()))
        })?;
    }
    let mut down = space.within(None, || {
        let mut command = Command::new(agent::binary()?);
        command.arg("down").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().with_context(|| format!("running {command:?}"))
    })?;
    // What it does not manage in this time goes with the namespaces.
    let done = wait_for(Duration::from_secs(20), "end of `raas down`", || Ok(down.try_wait()?));
    if done.is_err() {
        let _ = down.kill();
        let _ = down.wait();
    }
    done.map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Killed right after it wrote the owner, and right after it made the directory.
    #[test]
    fn a_lab_that_was_hardly_begun_is_swept() {
        for made in [false, true] {
            let name = format!("test-{}-{made}", process::id());
            let files = Files::create(&name).expect("a lab");
            if !made {
                files.remove().expect("removing it");
            }
            let mut ended = Command::new("sleep").arg("60").spawn().expect("a process");
            let owner = Owner::of(ended.id());
            ended.kill().expect("its pid is ours");
            ended.wait().expect("its end");
            fs::create_dir_all(files.root().parent().expect("a parent")).expect("the parent");
            owner.expect("it ran").write(&files.owner()).expect("the owner");
            sweep().expect("sweeping");
            assert!(!files.owner().exists() && !files.root().exists(), "made: {made}");
        }
    }
}
