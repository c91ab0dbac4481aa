//! Running cargo, and the lab's own binary through it.

use std::{env, ffi::OsStr, os::unix::process::CommandExt as _, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};

/// The cargo that runs us, in the workspace's directory.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    // Cargo gave these to xtask for xtask's own package.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR") {
            command.env_remove(name);
        }
    }
    command
}

/// The workspace's directory.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."))
}

/// Runs a command and requires it to succeed.
pub fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("running `{}`", typed(command)))?;
    ensure!(status.success(), "`{}` failed ({status})", typed(command));
    Ok(())
}

/// Builds the binaries that a lab consists of: `raas`, and `raas-lab`, which finds it beside itself.
pub fn build_lab() -> Result<()> {
    check(cargo().args(["build", "--quiet", "-p", "raas-agent", "-p", "raas-tests", "--bins"]))
}

/// Becomes `raas-lab` with these arguments, so that signals reach it directly. Returns only if that fails.
pub fn exec_lab<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Result<std::process::ExitCode> {
    let mut command = cargo();
    command.args(["run", "--quiet", "-p", "raas-tests", "--bin", "raas-lab", "--"]).args(args);
    let error = command.exec();
    bail!("running `{}`: {error}", typed(&command));
}

/// A command as one would type it, with the variables that are set for it.
pub fn typed(command: &Command) -> String {
    let variables = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    variables.chain(words.map(|word| word.to_string_lossy().into_owned())).collect::<Vec<_>>().join(" ")
}
