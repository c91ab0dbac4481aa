//! Ctrl-C and kill, at a time when a network is half up: nothing may stay.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use raas_lab::{sweep, wait_for};
use serde_json::Value;

/// A lab of another process.
struct Lab {
    directory: PathBuf,
    /// The agent of h1.
    agent: u64,
}

/// Starts `raas-lab run --once` on the demo, and waits until its first agent runs.
fn start() -> Result<(Child, Lab)> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_raas-lab"));
    command.args(["run", "--once", config]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("raas-lab")?;
    let pid = format!("\"pid\":{}", child.id());
    let lab = wait_for(Duration::from_secs(30), "lab with an agent", || {
        ensure!(child.try_wait()?.is_none(), "raas-lab has ended");
        let labs = fs::read_dir("/run/raas-lab").context("labs")?.filter_map(|lab| Some(lab.ok()?.path()));
        let mut ours = labs
            .filter(|lab| fs::read_to_string(lab.with_extension("owner")).is_ok_and(|it| it.contains(&pid)));
        Ok(ours.find(|lab| lab.join("h1/agent").exists()))
    })?;
    let agent: Value = serde_json::from_str(&fs::read_to_string(lab.join("h1/agent"))?)?;
    let agent = agent.pointer("/pid").and_then(Value::as_u64).context("the agent's pid")?;
    Ok((child, Lab { directory: lab, agent }))
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(i32::try_from(child.id())?), signal).context("kill")
}

fn check_gone(lab: &Lab) -> Result<()> {
    let directory = lab.directory.display().to_string();
    ensure!(!lab.directory.exists(), "{directory} is still there");
    ensure!(
        !fs::read_to_string("/proc/self/mountinfo")?.contains(&directory),
        "{directory} is still mounted"
    );
    // A process that only waits for its parent is in no namespace.
    ensure!(fs::metadata(format!("/proc/{}/ns/net", lab.agent)).is_err(), "the agent of h1 still runs");
    Ok(())
}

#[test]
fn ctrl_c_and_sigterm_remove_everything() -> Result<()> {
    for (number, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let (mut child, lab) = start()?;
        signal(&child, number)?;
        let status = wait_for(Duration::from_secs(40), "end of raas-lab", || Ok(child.try_wait()?))?;
        ensure!(status.code() == Some(code), "{number}: {status}");
        check_gone(&lab)?;
    }
    Ok(())
}

#[test]
fn what_a_killed_process_leaves_is_swept() -> Result<()> {
    let (mut child, lab) = start()?;
    signal(&child, Signal::SIGKILL)?;
    child.wait()?;
    ensure!(lab.directory.exists(), "nobody can have removed it yet");
    // Another test that makes a lab sweeps too, perhaps at this moment.
    sweep().ok();
    wait_for(Duration::from_secs(40), "end of the lab", || Ok((!lab.directory.exists()).then_some(())))?;
    check_gone(&lab)
}
