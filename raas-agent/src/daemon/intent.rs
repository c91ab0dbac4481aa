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

    /// Writes the manifest and the numbers given out, before anything is built with them.
    pub fn save(&self, options: &Options) -> Result<()> {
        state::write(&options.paths.state, ALLOCATIONS, &self.allocations)
            .and_then(|()| state::write(&options.paths.state, MANIFEST, &*self.desired))
            .context("saving what is to be applied")
    }
}
