//! The topology, by id.

use std::collections::BTreeMap;

use crate::plan::{Domain, Port, Role, Router, Topology, Tunnel};

/// The topology, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fabric {
    /// Routers.
    pub routers: BTreeMap<u32, Router>,
    /// Bridge domains.
    pub domains: BTreeMap<u32, Domain>,
    /// Tunnels.
    pub tunnels: BTreeMap<u32, Tunnel>,
    /// Interfaces with a program.
    pub ports: Vec<Port>,
}

impl From<Topology> for Fabric {
    fn from(topology: Topology) -> Self {
        Self {
            routers: topology.routers.into_iter().map(|router| (router.id, router)).collect(),
            domains: topology.domains.into_iter().map(|domain| (domain.id, domain)).collect(),
            tunnels: topology.tunnels.into_iter().map(|tunnel| (tunnel.id, tunnel)).collect(),
            ports: topology.ports,
        }
    }
}

impl Fabric {
    /// The fast path can see no difference between router `id` here and in `other`, apart from bridge
    /// domains.
    pub fn same_router(&self, other: &Self, id: u32) -> bool {
        let (Some(ours), Some(theirs)) = (self.routers.get(&id), other.routers.get(&id)) else {
            return false;
        };
        let same_tunnels = ours.interfaces.values().all(|role| match role {
            Role::Tunnel { tunnel } => self.tunnels.get(tunnel) == other.tunnels.get(tunnel),
            Role::Link { .. } | Role::Domain { .. } => true,
        });
        ours.netns == theirs.netns && ours.interfaces == theirs.interfaces && same_tunnels
    }
}

/// The router has an interface on a bridge domain: its adjacencies depend on the hypervisor's bridges.
pub fn is_leaf(router: &Router) -> bool {
    router.interfaces.values().any(|role| matches!(role, Role::Domain { .. }))
}
