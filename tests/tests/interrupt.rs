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

/// Starts `raas-lab run --once` on the demo, and waits until its first agent runs. Returns the lab's directory too.
fn start() -> Result<(Child, PathBuf)> {
    let config = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");
    let mut command = Command::new(env!("CARGO_BIN_EXE_raas-lab"));
    command.args(["run", "--once", config]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("raas-lab")?;
    let pid = format!("\"pid\":{}", child.id());
    let lab = wait_for(Duration::from_secs(30), "lab with an agent", || {
        ensure!(child.try_wait()?.is_none(), "raas-lab has ended");
        let labs = fs::read_dir("/run/raas-lab").context("labs")?.filter_map(|lab| Some(lab.ok()?.path()));
        let mut ours =
            labs.filter(|lab| fs::read_to_string(lab.join("owner")).is_ok_and(|it| it.contains(&pid)));
        Ok(ours.find(|lab| lab.join("h1/agent").exists()))
    })?;
    Ok((child, lab))
}

fn signal(child: &Child, signal: Signal) -> Result<()> {
    kill(Pid::from_raw(i32::try_from(child.id())?), signal).context("kill")
}

fn check_gone(lab: &PathBuf) -> Result<()> {
    ensure!(!lab.exists(), "{} is still there", lab.display());
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    ensure!(!mounts.contains(&lab.display().to_string()), "{} is still mounted", lab.display());
    let agents = Command::new("pgrep").args(["-f", &format!("raas.*{}", lab.display())]).output()?;
    ensure!(agents.stdout.is_empty(), "processes: {}", String::from_utf8_lossy(&agents.stdout));
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
    ensure!(lab.exists(), "nobody can have removed it yet");
    // Another test that makes a lab sweeps too, perhaps at this moment.
    sweep().ok();
    wait_for(Duration::from_secs(40), "end of the lab", || Ok((!lab.exists()).then_some(())))?;
    check_gone(&lab)
}
