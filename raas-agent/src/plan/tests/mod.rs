//! The planner as a whole.

mod golden;
mod invariants;
mod network;
mod reachability;

use super::{Allocations, Desired, Options, PlanError, plan};
use crate::model::Network;

/// A first plan, without options.
fn planned(network: &Network, hypervisor: &str) -> Result<Desired, PlanError> {
    let hypervisor = hypervisor.parse().expect("a legal name");
    plan(network, &hypervisor, &Allocations::default(), &Options::default()).map(|(desired, _)| desired)
}
