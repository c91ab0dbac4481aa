//! A network that scenarios share.

use std::{
    fs, panic,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use raas_agent::model::Hook;
use raas_lab::{Lab, Options};
use tempfile::TempDir;

/// How long a network may take to come up, on a machine that brings several up at a time.
pub const READY: Duration = Duration::from_secs(120);

/// A lab that is brought up when first needed.
pub struct Network {
    config: &'static str,
    hook: Option<Hook>,
    foreign: bool,
    state: Mutex<State>,
}

enum State {
    Unused,
    /// The agents read a copy of the configuration, which scenarios may change.
    Up {
        lab: Box<Lab>,
        #[expect(dead_code, reason = "held so that the directory stays")]
        config: TempDir,
    },
    Failed,
}

impl Network {
    /// A network of the configuration in `config`, relative to the workspace. `foreign` says whether foreign machines
    /// may be plugged into its underlay.
    pub fn new(config: &'static str, hook: Option<Hook>, foreign: bool) -> Self {
        Self { config, hook, foreign, state: Mutex::new(State::Unused) }
    }

    /// The configuration and the hook, as the first part of a scenario's name.
    pub fn name(&self) -> String {
        let config = self.config.rsplit('/').next().unwrap_or(self.config);
        self.hook.map_or_else(|| config.to_owned(), |hook| format!("{config}-{hook}"))
    }

    /// Runs a scenario when no other runs on this network. If it fails, the network's state is printed, and
    /// the next one gets a new network.
    pub fn run(&self, scenario: fn(&Lab) -> Result<()>) -> Result<()> {
        // A scenario that panics does so below, where it is caught.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Unused) {
            *state = State::Failed;
            let (lab, config) = self.bring_up()?;
            *state = State::Up { lab: Box::new(lab), config };
        }
        let State::Up { lab, .. } = &*state else {
            return Err(anyhow!("the network did not come up, see the first scenario of it"));
        };
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| scenario(lab)));
        if !matches!(outcome, Ok(Ok(()))) {
            eprintln!("{}:\n{}", self.name(), lab.dump());
            *state = State::Unused;
        }
        outcome.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    fn bring_up(&self) -> Result<(Lab, TempDir)> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(self.config);
        let config = TempDir::new().context("a directory for the configuration")?;
        for entry in fs::read_dir(&source).with_context(|| source.display().to_string())? {
            let entry = entry?;
            fs::copy(entry.path(), config.path().join(entry.file_name()))
                .context("copying the configuration")?;
        }
        let lab = Lab::up(config.path(), &Options { name: None, hook: self.hook, foreign: self.foreign })?;
        if let Err(error) = lab.wait_ready(READY) {
            eprintln!("{}:\n{}", self.name(), lab.dump());
            return Err(error);
        }
        Ok((lab, config))
    }
}
