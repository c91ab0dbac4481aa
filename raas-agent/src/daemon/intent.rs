//! What the operator wants: the configuration, planned for this hypervisor.

use std::sync::Arc;

use anyhow::{Context as _, Result};

use super::Options;
use crate::{
    config,
    plan::{self, Allocations, Desired},
    platform::state::{self, ALLOCATIONS, MANIFEST},
};

/// A configuration that passed every check, planned.
pub struct Intent {
    /// What must exist here.
    pub desired: Arc<Desired>,
    /// Nodes in the FIB's pool.
    pub fib_nodes: u32,
    allocations: Allocations,
}

/// Why a configuration is not taken, for the operator: it may have many lines.
pub struct Refusal(pub String);

impl Intent {
    /// Reads and plans. Nothing is changed, on disk or elsewhere.
    pub fn read(options: &Options) -> Result<Result<Self, Refusal>> {
        let network = match config::load(&options.config) {
            Ok(network) => network,
            Err(faults) => return Ok(Err(Refusal(faults.to_string()))),
        };
        let previous: Allocations = state::read(&options.paths.state, ALLOCATIONS)?.unwrap_or_default();
        let planning = plan::Options { hook_override: options.hook };
        Ok(match plan::plan(&network, &options.hypervisor, &previous, &planning) {
            Ok((desired, allocations)) => {
                let desired = Arc::new(desired);
                Ok(Self { desired, fib_nodes: network.fabric.fib_nodes, allocations })
            }
            Err(error) => Err(Refusal(error.to_string())),
        })
    }

    /// Reads again, and saves what is not `current`. Faults are what is wrong, a line each; then all is as it
    /// was, and `current` stays desired.
    pub fn renew(options: &Options, current: &Desired) -> Result<Self, Vec<String>> {
        let intent = match Self::read(options) {
            Ok(Ok(intent)) => intent,
            Ok(Err(Refusal(faults))) => return Err(faults.lines().map(str::to_owned).collect()),
            Err(error) => return Err(vec![format!("reading the configuration: {error:#}")]),
        };
        if *intent.desired != *current {
            intent.save(options).map_err(|error| vec![format!("{error:#}")])?;
        }
        Ok(intent)
    }

    /// Writes the manifest and the numbers given out, before anything is built with them.
    pub fn save(&self, options: &Options) -> Result<()> {
        state::write(&options.paths.state, ALLOCATIONS, &self.allocations)
            .and_then(|()| state::write(&options.paths.state, MANIFEST, &*self.desired))
            .context("saving what is to be applied")
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;
    use crate::platform::Paths;

    #[test]
    fn what_cannot_be_saved_or_read_is_not_taken() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        fs::create_dir(&state).unwrap();
        let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/demo");
        let mut options = Options {
            paths: Paths { state: state.clone(), run: directory.path().into(), pin: directory.path().into() },
            config: demo,
            hypervisor: "h1".parse().unwrap(),
            hook: None,
            netlink_buffer: 1 << 20,
        };
        let intent = Intent::read(&options).unwrap().ok().unwrap();
        intent.save(&options).unwrap();
        let same = Intent::renew(&options, &intent.desired).unwrap();
        assert_eq!(same.desired, intent.desired);

        let other = Desired { hypervisor: "elsewhere".into(), ..(*intent.desired).clone() };
        let manifest = state.join(MANIFEST);
        fs::remove_file(&manifest).unwrap();
        fs::create_dir(&manifest).unwrap();
        let faults = Intent::renew(&options, &other).err().unwrap();
        assert!(faults[0].contains(MANIFEST), "{faults:?}");

        options.config = directory.path().join("none");
        assert!(Intent::renew(&options, &other).is_err());
    }
}
