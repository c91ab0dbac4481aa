//! The lab that stays.

use std::{
    env,
    ffi::OsString,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};
use raas_agent::model::Hook;
use raas_lab::{DEFAULT_NAME, Hypervisor, Lab, Options};

use crate::{run::READY, steps::Steps};

/// Brings the lab up and leaves it.
pub fn up(config: &Path, hook: Option<Hook>) -> Result<ExitCode> {
    let mut steps = Steps::begin("hypervisors");
    let lab = Lab::up(config, &Options { name: Some(DEFAULT_NAME.to_owned()), hook, ..Options::default() })?;
    let ready = lab.wait_ready_with(READY, |phase, done, all| steps.step(&phase.to_string(), done, all));
    steps.end();
    // Also one that is not ready stays: somebody wants to see why.
    lab.stay()?;
    ready.context("the lab stays up, but it is not ready; `cargo xtask lab down` removes it")?;
    Ok(ExitCode::SUCCESS)
}

/// Shows what each agent says.
pub fn status() -> Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for hypervisor in Hypervisor::all(DEFAULT_NAME)? {
        println!("{}", hypervisor.name);
        let status = hypervisor
            .within(None, || command(&["raas".into(), "status".into()]).status().context("raas"))?;
        if !status.success() {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Becomes a command in a hypervisor, or in a namespace of it.
pub fn exec(place: &str, words: &[OsString]) -> Result<ExitCode> {
    let (name, netns) = match place.split_once('/') {
        Some((name, netns)) => (name, Some(netns)),
        None => (place, None),
    };
    let hypervisors = Hypervisor::all(DEFAULT_NAME)?;
    let Some(hypervisor) = hypervisors.iter().find(|hypervisor| hypervisor.name == name) else {
        let names: Vec<_> = hypervisors.iter().map(|hypervisor| hypervisor.name.as_str()).collect();
        bail!("no hypervisor `{name}`; there are {}", names.join(", "));
    };
    // The whole process becomes the command, in the namespaces of the thread that says so.
    hypervisor.within(netns, || Err(command(words).exec()).with_context(|| format!("running {words:?}")))
}

/// A command that finds our `raas`.
fn command(words: &[OsString]) -> Command {
    let mut command = Command::new(words.first().map_or_else(OsString::new, OsString::clone));
    command.args(words.iter().skip(1));
    let ours = env::current_exe().ok().and_then(|this| Some(this.parent()?.to_path_buf()));
    let path = env::var_os("PATH").unwrap_or_default();
    if let Ok(path) = env::join_paths(ours.into_iter().chain(env::split_paths(&path))) {
        command.env("PATH", path);
    }
    command
}
