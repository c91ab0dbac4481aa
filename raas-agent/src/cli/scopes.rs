//! Counter scopes by name.

use std::{collections::BTreeMap, iter::once};

use crate::plan::{PortRole, Topology, TunnelSpec};

/// Name and kind of each counter scope.
pub fn scopes(topology: &Topology) -> BTreeMap<u32, (String, &'static str)> {
    let ports = topology.ports.iter().map(|port| {
        let kind = match port.role {
            PortRole::Endpoint { .. } => "endpoint",
            PortRole::Uplink => "uplink",
            PortRole::Tunnel { .. } => "router-tunnel",
        };
        (port.scope, (port.name.clone(), kind))
    });
    let tunnels = topology.tunnels.iter().map(|tunnel| {
        let kind = match tunnel.spec {
            TunnelSpec::Gre { .. } => "gre",
            TunnelSpec::Vxlan { .. } => "vxlan",
        };
        (tunnel.scope, (tunnel.name.clone(), kind))
    });
    once((0, ("-".to_owned(), "none"))).chain(ports).chain(tunnels).collect()
}
