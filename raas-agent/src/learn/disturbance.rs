//! Which events say that somebody took something away or changed it, so that what exists should be compared
//! with what is desired before it is time.
//!
//! The agent's own doings are among them: the comparison after those finds nothing to do. What a tenant can
//! bring about (carrier, learned stations, neighbours that come and go) is not.

use std::net::IpAddr;

use super::{
    event::{Event, Link, Neighbour, NeighbourState, Object},
    state::Namespace,
};
use crate::plan::Desired;

/// Whether `event` disturbs what `namespace` is known to have. To be asked before the event is applied.
pub fn disturbs(namespace: &Namespace, event: &Event) -> bool {
    // Before the first dump is complete, nothing is known that could be disturbed.
    namespace.synchronised()
        && match event {
            // Something was lost meanwhile, and nobody knows what.
            Event::ResyncEnd => true,
            Event::ResyncBegin | Event::Dumped(_) => false,
            Event::Added(Object::Link(link), _) => {
                namespace.links.get(&link.index).is_none_or(|old| is_other(old, link))
            }
            Event::Added(Object::Neighbour(neighbour), _) => {
                neighbour.state != NeighbourState::PERMANENT && was_permanent(namespace, neighbour)
            }
            Event::Removed(Object::Link(_) | Object::Address(_)) => true,
            Event::Removed(Object::Neighbour(neighbour)) => was_permanent(namespace, neighbour),
            Event::Removed(Object::Route(route)) => route.protocol == Desired::ROUTE_PROTOCOL,
            Event::Added(..) | Event::Removed(..) => false,
        }
}

/// Whether an interface has other settings than before: those that only root can change.
fn is_other(old: &Link, new: &Link) -> bool {
    let settings = |link: &Link| (link.name.clone(), link.up, link.mac, link.mtu, link.master);
    settings(old) != settings(new)
}

fn was_permanent(namespace: &Namespace, neighbour: &Neighbour) -> bool {
    let key: (IpAddr, u32) = (neighbour.address, neighbour.interface);
    namespace.neighbours.get(&key).is_some_and(|old| old.state == NeighbourState::PERMANENT)
}

#[cfg(test)]
mod tests {
    use raas_common::Mac;

    use super::*;
    use crate::learn::event::{Address, Placement, Route, RouteKind, Table};

    fn link() -> Link {
        Link {
            index: 7,
            name: "l1a".into(),
            up: true,
            carrier: true,
            mac: Mac::default(),
            mtu: 1500,
            master: None,
        }
    }

    fn neighbour(state: NeighbourState) -> Neighbour {
        let address = "169.254.0.1".parse().unwrap();
        Neighbour { interface: 7, address, mac: Some(Mac::default()), state, managed: false }
    }

    fn route(protocol: u8) -> Object {
        Object::Route(Route {
            table: Table::Main,
            prefix: "198.18.0.0/24".parse().unwrap(),
            tos: 0,
            priority: 0,
            kind: RouteKind::Blackhole,
            protocol,
            source: None,
            mtu: 0,
            nexthop: None,
            hops: Vec::new(),
        })
    }

    #[test]
    fn what_is_taken_away_disturbs_and_what_tenants_do_does_not() {
        let mut namespace = Namespace::default();
        let added = |object| Event::Added(object, Placement::Replace);
        let gone = Event::Removed(Object::Link(link()));
        assert!(!disturbs(&namespace, &gone), "nothing is known yet");
        namespace.apply(Event::ResyncBegin);
        namespace.apply(Event::Dumped(Object::Link(link())));
        namespace.apply(Event::Dumped(Object::Neighbour(neighbour(NeighbourState::PERMANENT))));
        namespace.apply(Event::ResyncEnd);

        let address = Address { interface: 7, address: "198.18.0.1/24".parse().unwrap() };
        for event in [
            gone,
            added(Object::Link(Link { up: false, ..link() })),
            added(Object::Link(Link { master: Some(3), ..link() })),
            added(Object::Link(Link { index: 8, ..link() })),
            added(Object::Neighbour(neighbour(NeighbourState::FAILED))),
            Event::Removed(Object::Neighbour(neighbour(NeighbourState::FAILED))),
            Event::Removed(Object::Address(address)),
            Event::Removed(route(Desired::ROUTE_PROTOCOL)),
            Event::ResyncEnd,
        ] {
            assert!(disturbs(&namespace, &event), "{event:?}");
        }
        let stranger = Neighbour { interface: 9, ..neighbour(NeighbourState::FAILED) };
        for event in [
            added(Object::Link(Link { carrier: false, ..link() })),
            added(Object::Neighbour(neighbour(NeighbourState::PERMANENT))),
            Event::Removed(Object::Neighbour(stranger)),
            Event::Removed(route(libc::RTPROT_BOOT)),
            added(route(Desired::ROUTE_PROTOCOL)),
            added(Object::Address(address)),
        ] {
            assert!(!disturbs(&namespace, &event), "{event:?}");
        }
    }
}
