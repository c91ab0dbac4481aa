//! What the kernel must be asked for, because packets of the fast path do not show it who is alive.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use raas_common::Mac;

use super::{
    compile::{Fabric, Segments, next_hop},
    event::{Neighbour, NeighbourState},
    state::Namespace,
};
use crate::plan::{Place, Role, Router};

/// A request to a kernel namespace. All are harmless to repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make the neighbour if need be, resolve it, and keep it resolved (`NTF_EXT_MANAGED`).
    Manage {
        /// Namespace.
        place: Place,
        /// Interface index.
        interface: u32,
        /// Address of the neighbour.
        address: IpAddr,
    },
    /// Let the neighbour age as any other.
    Release {
        /// Namespace.
        place: Place,
        /// Interface index.
        interface: u32,
        /// Address of the neighbour.
        address: IpAddr,
    },
    /// Delete the neighbour: it did not answer, and a managed one would be asked for ever.
    Forget {
        /// Namespace.
        place: Place,
        /// Interface index.
        interface: u32,
        /// Address of the neighbour.
        address: IpAddr,
    },
    /// Take a station from the bridge that EVPN has put there: FRR notices, and says anew where it is, to the bridge
    /// and to the VXLAN device.
    Relearn {
        /// Interface index of the VXLAN device.
        device: u32,
        /// The station.
        mac: Mac,
    },
    /// Tell the bridge that a station still sends (in the hypervisor's namespace).
    Refresh {
        /// Interface index of the bridge port.
        port: u32,
        /// The station.
        mac: Mac,
    },
}

/// Requests for the neighbours of a leaf: its stations are kept resolved until they stop answering.
pub fn of_leaf(router: &Router, namespace: &Namespace) -> Vec<Request> {
    let on_domain = |interface: u32| {
        let role = namespace.link_up(interface).and_then(|link| router.interfaces.get(&link.name));
        matches!(role, Some(Role::Domain { .. }))
    };
    let place = || Place::Namespace(router.netns.clone());
    let request = |neighbour: &Neighbour| {
        let Neighbour { interface, address, state, managed, .. } = *neighbour;
        if state == NeighbourState::FAILED {
            managed.then(|| Request::Forget { place: place(), interface, address })
        } else {
            let wanted = state.is_valid() && !state.is_static() && !managed;
            wanted.then(|| Request::Manage { place: place(), interface, address })
        }
    };
    namespace
        .neighbours
        .values()
        .filter(|neighbour| on_domain(neighbour.interface))
        .filter_map(request)
        .collect()
}

/// Requests for the next hops of tunnels. `managed` is what was asked for before, and is brought up to date.
pub fn of_underlay(fabric: &Fabric, host: &Namespace, managed: &mut BTreeSet<(IpAddr, u32)>) -> Vec<Request> {
    let hops = fabric.tunnels.values().filter_map(|tunnel| next_hop(host, tunnel.remote));
    let wanted: BTreeSet<_> = hops.map(|hop| (hop.neighbour, hop.interface)).collect();
    let mut requests = Vec::new();
    for &(address, interface) in managed.difference(&wanted) {
        if host.neighbours.get(&(address, interface)).is_some_and(|neighbour| neighbour.managed) {
            requests.push(Request::Release { place: Place::Host, interface, address });
        }
    }
    managed.retain(|key| wanted.contains(key));
    for &(address, interface) in &wanted {
        let known = host.neighbours.get(&(address, interface));
        if known.is_none_or(|neighbour| !neighbour.managed && !neighbour.state.is_static()) {
            requests.push(Request::Manage { place: Place::Host, interface, address });
            managed.insert((address, interface));
        }
    }
    requests
}

/// Requests for the stations that a bridge sees behind its VXLAN device, where the device does not know behind which
/// VTEP: what FRR put there, somebody has taken away. FRR does not mind, and packets would be flooded for ever. Only
/// for those of which that was so at the last call: the two entries do not come at the same moment. `lost` is what was
/// found then, and is brought up to date.
pub fn of_remotes(segments: &Segments, host: &Namespace, lost: &mut BTreeSet<(u32, Mac)>) -> Vec<Request> {
    let found: BTreeSet<_> = segments.unreachable(host).collect();
    let due = lost.intersection(&found).map(|&(device, mac)| Request::Relearn { device, mac }).collect();
    *lost = found;
    due
}

/// Requests for the stations behind ports from which the fast path has just forwarded something. Where
/// several stations share a port, nobody knows which of them sent: those age, and one that still sends is
/// learned again from its next packet, which is left to the bridge.
pub fn of_ports(segments: &Segments, host: &Namespace, active: &BTreeSet<u32>) -> Vec<Request> {
    let mut stations: BTreeMap<u32, Vec<Mac>> = BTreeMap::new();
    for (port, mac) in segments.learned(host).filter(|(port, _)| active.contains(port)) {
        stations.entry(port).or_default().push(mac);
    }
    let alone = stations.into_iter().filter_map(|(port, macs)| match macs.as_slice() {
        &[mac] => Some(Request::Refresh { port, mac }),
        _ => None,
    });
    alone.collect()
}
