//! Whatever the events: compiling after each is the same as compiling once, from scratch.

use proptest::{collection::vec, prelude::*};

use super::*;

fn interface() -> impl Strategy<Value = u32> {
    BRIDGE_SIDE..=TO_S2
}

fn address() -> impl Strategy<Value = String> {
    (0_u8..6).prop_map(|last| format!("198.18.0.{last}"))
}

fn prefix() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("0.0.0.0/0".to_owned()),
        Just("198.18.0.0/24".to_owned()),
        Just("198.18.0.0/30".to_owned()),
        Just("203.0.113.0/24".to_owned()),
        address().prop_map(|address| format!("{address}/32")),
    ]
}

fn gateway() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), Just("fe80::2".to_owned()), address()]
}

fn any_route() -> impl Strategy<Value = Route> {
    let kind = prop_oneof![
        8 => Just(RouteKind::Unicast),
        1 => Just(RouteKind::Blackhole),
        1 => Just(RouteKind::Local),
    ];
    let hops = vec((gateway(), interface(), 1_u32..3), 1..3);
    let table = prop_oneof![6 => Just(Table::Main), 1 => Just(Table::Local)];
    (prefix(), hops, kind, table, 0_u32..2, prop::option::of(1_u32..4)).prop_map(
        |(prefix, hops, kind, table, priority, nexthop)| {
            let hops: Vec<_> =
                hops.iter().map(|(gateway, link, weight)| (gateway.as_str(), *link, *weight)).collect();
            Route { kind, table, priority, nexthop, ..route(&prefix, &hops) }
        },
    )
}

fn any_nexthop() -> impl Strategy<Value = NexthopObject> {
    prop_oneof![
        (1_u32..3, gateway(), interface()).prop_map(|(id, gateway, link)| hop_object(id, &gateway, link)),
        vec((1_u32..3, 1_u32..3), 1..3)
            .prop_map(|members| NexthopObject { id: 3, target: NexthopTarget::Group(members) }),
        Just(NexthopObject { id: 2, target: NexthopTarget::Blackhole }),
    ]
}

fn any_station() -> impl Strategy<Value = Station> {
    let port = prop_oneof![Just(PORT1), Just(PORT2), Just(VXLAN_DEVICE), Just(LEAF_PORT)];
    (0x50_u8..0x53, port, any::<bool>()).prop_map(|(last, port, remote)| {
        if remote { behind_vtep(mac(last), REMOTE) } else { behind_port(mac(last), port) }
    })
}

fn any_neighbour() -> impl Strategy<Value = Neighbour> {
    let state = prop_oneof![Just(NeighbourState::REACHABLE), Just(NeighbourState::FAILED)];
    (interface(), address(), 0x50_u8..0x53, state)
        .prop_map(|(link, address, last, state)| neighbour(link, &address, mac(last), state))
}

fn any_leaf_link() -> impl Strategy<Value = Link> {
    (interface(), any::<bool>(), any::<bool>(), 1400_u32..1402).prop_map(|(index, up, carrier, mtu)| {
        let name = ["bridge", "s1", "s2"][(index - BRIDGE_SIDE) as usize];
        Link { up, carrier: up && carrier, mtu, ..a_link(index, name) }
    })
}

fn any_host_link() -> impl Strategy<Value = Link> {
    let link = prop_oneof![Just((PORT1, "rp1")), Just((VXLAN_DEVICE, "rv1")), Just((UPLINK, "uplink0"))];
    (link, 1300_u32..1302).prop_map(|((index, name), mtu)| Link { mtu, ..a_link(index, name) })
}

/// An event in the leaf's namespace or the hypervisor's.
fn any_event() -> impl Strategy<Value = (Place, Event)> {
    let object = prop_oneof![
        6 => any_route().prop_map(|object| (leaf(), Object::Route(object))),
        2 => any_nexthop().prop_map(|object| (leaf(), Object::Nexthop(object))),
        3 => any_neighbour().prop_map(|object| (leaf(), Object::Neighbour(object))),
        2 => any_leaf_link().prop_map(|object| (leaf(), Object::Link(object))),
        3 => any_station().prop_map(|object| (Place::Host, Object::Station(object))),
        1 => any_host_link().prop_map(|object| (Place::Host, Object::Link(object))),
        1 => any_route().prop_map(|object| (Place::Host, Object::Route(object))),
    ];
    let placement = prop_oneof![Just(Placement::Replace), Just(Placement::Append), Just(Placement::Prepend)];
    (object, placement, 0_u8..4).prop_map(|((place, object), placement, what)| {
        (place, if what == 0 { Event::Removed(object) } else { Event::Added(object, placement) })
    })
}

proptest! {
    #[test]
    fn incremental_equals_from_scratch(events in vec((any_event(), any::<bool>()), 1..60)) {
        let (mut often, mut once) = (Net::new(), Net::new());
        let mut applied: BTreeMap<Ipv4Net, RouteAction> = BTreeMap::new();
        for ((place, event), compile) in events {
            once.events(place.clone(), [event.clone()]);
            often.events(place, [event]);
            if compile {
                follow(&mut applied, &often.compile());
            }
        }
        follow(&mut applied, &often.compile());
        once.compile();
        prop_assert_eq!(&applied, once.learner.routes(LEAF).unwrap());
        prop_assert_eq!(often.learner.tables(), once.learner.tables());
    }
}

/// What a reader of the changes has.
fn follow(applied: &mut BTreeMap<Ipv4Net, RouteAction>, changes: &Changes) {
    for (prefix, action) in changes.routers.get(&LEAF).into_iter().flat_map(|change| &change.routes) {
        match action {
            Some(action) => applied.insert(*prefix, action.clone()),
            None => applied.remove(prefix),
        };
    }
}
