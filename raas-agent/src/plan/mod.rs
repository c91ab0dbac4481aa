//! From the validated network to what must exist on one hypervisor. Pure: no I/O, no clock, no randomness.
//!
//! [`plan`] is the one way in; the same function serves first start, change and repair. [`Reachability`] says
//! what the whole network should achieve, for those who test it.

mod allocations;
mod attachment;
mod builder;
mod check;
mod desired;
mod dnsmasq;
mod endpoint;
mod error;
mod frr;
mod leaf;
mod names;
mod peer;
mod reachability;
mod segment;
mod spine;
mod stretch;
#[cfg(test)]
mod tests;
mod transit;
mod uplink;

pub use allocations::{Allocations, Numbers};
pub use desired::{
    Address, Bridge, Desired, DhcpClient, DhcpServer, Domain, Namespace, NamespaceKind, Nexthop4, Place,
    Port, PortRole, Role, Router, StaticRoute, Topology, Tunnel, TunnelSpec, VethEnd, VethPair, Vxlan,
};
pub use error::{PlanError, Pool};
pub use reachability::{Reachability, Station};

use crate::model::{Hook, Name, Network};

/// What the command line adds to the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Hook of all endpoint ports and uplinks, whatever the configuration says.
    pub hook_override: Option<Hook>,
}

/// What must exist on `hypervisor`, and the numbers given out for it, which are `previous` of the next plan.
pub fn plan(
    network: &Network,
    hypervisor: &Name,
    previous: &Allocations,
    options: &Options,
) -> Result<(Desired, Allocations), PlanError> {
    let here = network.fabric.hypervisor(hypervisor).ok_or_else(|| PlanError::UnknownHypervisor {
        name: hypervisor.clone(),
        known: network.fabric.hypervisors.iter().map(|known| known.name.clone()).collect(),
    })?;
    let mut builder = builder::Builder::new(network, here, previous, options);
    builder.add_uplinks()?;
    for tenant in &network.tenants {
        builder.add_transits(tenant)?;
        for vpc in tenant.vpcs.iter().filter(|vpc| vpc.hypervisor == here.name) {
            builder.add_spines(tenant, vpc)?;
            builder.add_subnets(tenant, vpc)?;
        }
        builder.add_attachments(tenant)?;
        builder.add_peers(tenant)?;
    }
    builder.finish()
}
