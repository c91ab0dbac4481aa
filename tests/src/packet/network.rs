//! The network that every case starts from: one bridge domain, three routers in a row, a tunnel of each kind.
#![expect(missing_docs, reason = "its parts, in groups that say what they are")]

use std::net::Ipv4Addr;

use super::{
    Underlay,
    fib::Fib,
    program::{INGRESS, Program},
};
use raas_common::{
    BUCKETS, Be32, Domain, EncapSlot, FdbEntry, FdbKey, FdbKind, FibEntry, FibRoot, Globals, GlobalsFlags,
    Group, Mac, Nexthop, NexthopKind, Port, PortKind, Router, TunnelIngress, TunnelKey, TunnelKind,
};

/// Counter scopes: of the port that packets enter, and of the tunnels.
pub const PORT: u32 = 10;
pub const GRE: u32 = 21;
pub const KEYED: u32 = 22;
pub const VXLAN: u32 = 23;
pub const SCOPES: &[u32] = &[0, PORT, GRE, KEYED, VXLAN];

pub const DOMAIN: u32 = 5;
/// Behind the port that packets enter.
pub const ALICE: Mac = station(0xa1);
/// Behind the same port, and not the port's one source.
pub const ANNA: Mac = station(0xa2);
/// Behind another port of the domain.
pub const BOB: Mac = station(0xb0);
/// Behind the VXLAN tunnel.
pub const CAROL: Mac = station(0xc0);
/// Behind a VXLAN tunnel whose underlay nexthop is not resolved.
pub const CLAIRE: Mac = station(0xc1);
/// The leaf's.
pub const GATEWAY: Mac = station(0x01);
/// The leaf's, and a neighbour's, in another domain.
pub const LEAF: Mac = station(0x02);
pub const NEIGHBOUR: Mac = station(0xe0);
/// The router's end of a GRE tunnel's veth, and what stands as the sender of what is handed up to it.
pub const TUNNEL_END: Mac = Mac::new([0x02, 0, 0, 0, 0, 0x77]);
pub const TUNNEL_OUTER: Mac = Mac::new([0x00, 0, 0, 0, 0, 0x77]);

pub const ALICE_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
pub const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Interfaces.
pub const BOB_PORT: u32 = 7;
pub const NEIGHBOUR_PORT: u32 = 8;
pub const TUNNEL_DEVICE: u32 = 30;
pub const UPLINK: u32 = 40;

/// Tunnels.
pub const GRE_TUNNEL: u32 = 1;
pub const KEYED_TUNNEL: u32 = 2;
pub const VXLAN_TUNNEL: u32 = 3;
pub const DEAD_TUNNEL: u32 = 4;
pub const KEY: u32 = 0x0102_0304;
pub const VNI: u32 = 0x01_f5a0;

/// Routers in a row: the leaf is the one of the bridge domain, tunnels lead to the transit.
pub const LEAF_ROUTER: u32 = 1;
pub const SPINE_ROUTER: u32 = 2;
pub const TRANSIT_ROUTER: u32 = 3;
/// What all of them shuffle flows with: not their number.
pub const SEED: u32 = 0x5eed_0001;

/// From this hypervisor to the other.
pub const TO_PEER: Underlay = Underlay {
    source_mac: Mac::new([0x02, 0, 0, 0, 1, 1]),
    destination_mac: Mac::new([0x02, 0, 0, 0, 1, 2]),
    source: Ipv4Addr::new(203, 0, 113, 1),
    destination: Ipv4Addr::new(203, 0, 113, 2),
};

/// Destinations, by what the leaf does with them.
pub const TO_NEIGHBOUR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
pub const TO_VXLAN: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 9);
pub const TO_GRE: Ipv4Addr = Ipv4Addr::new(198, 18, 2, 1);
pub const TO_KEYED: Ipv4Addr = Ipv4Addr::new(198, 18, 3, 1);
pub const TO_NARROW: Ipv4Addr = Ipv4Addr::new(198, 18, 5, 1);
pub const TO_GROUP: Ipv4Addr = Ipv4Addr::new(198, 18, 6, 1);
pub const TO_DEAD: Ipv4Addr = Ipv4Addr::new(198, 18, 7, 1);
pub const TO_BLACKHOLE: Ipv4Addr = Ipv4Addr::new(198, 18, 8, 1);
pub const TO_KERNEL: Ipv4Addr = Ipv4Addr::new(198, 18, 9, 1);
pub const TO_LOOP: Ipv4Addr = Ipv4Addr::new(198, 18, 10, 1);
/// Leaf, spine, transit, then a neighbour of the transit.
pub const THREE_HOPS: Ipv4Addr = Ipv4Addr::new(198, 18, 20, 1);
/// Leaf, spine, transit, then GRE.
pub const THREE_HOPS_GRE: Ipv4Addr = Ipv4Addr::new(198, 18, 21, 1);
pub const NOWHERE: Ipv4Addr = Ipv4Addr::new(198, 18, 99, 1);

/// The MTU of most ways, of the GRE tunnels, of what VXLAN leads to, and of the narrow one.
pub const MTU: u32 = 1500;
pub const GRE_MTU: u32 = 1458;
pub const VXLAN_MTU: u32 = 1450;
pub const NARROW_MTU: u32 = 576;

const fn station(last: u8) -> Mac {
    Mac::new([0x06, 0, 0, 0, 0, last])
}

/// What packets enter through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    Endpoint,
    Uplink,
    Tunnel,
    Nothing,
}

/// Lays the network out in a program's maps, whatever was there before.
pub fn lay_out(program: &mut Program, entry: Entry) {
    set_fast_path(program, true);
    program.clear::<u32, Port>("PORTS");
    let port = |kind, owner, source| Port { kind, owner, scope: PORT, source, pad: 0 };
    let port = match entry {
        Entry::Endpoint => Some(port(PortKind::ENDPOINT, DOMAIN, ALICE)),
        Entry::Uplink => Some(port(PortKind::UPLINK, 0, Mac::default())),
        Entry::Tunnel => Some(port(PortKind::TUNNEL, GRE_TUNNEL, Mac::default())),
        Entry::Nothing => None,
    };
    if let Some(port) = port {
        program.insert::<u32, Port>("PORTS", INGRESS, port);
    }
    program.set_devices(&[BOB_PORT, NEIGHBOUR_PORT, TUNNEL_DEVICE, UPLINK]);
    lay_out_domain(program);
    lay_out_routers(program);
    lay_out_tunnels(program);
}

pub fn set_fast_path(program: &mut Program, on: bool) {
    let flags = if on { GlobalsFlags::FAST_PATH_ON } else { 0 };
    program.set("GLOBALS", 0, Globals { flags, abi_version: raas_common::ABI_VERSION });
}

/// The one MAC that may speak at the endpoint's port without a look into the FDB.
pub fn set_source(program: &mut Program, source: Mac) {
    let port = Port { kind: PortKind::ENDPOINT, owner: DOMAIN, scope: PORT, source, pad: 0 };
    program.insert::<u32, Port>("PORTS", INGRESS, port);
}

pub fn set_station(program: &mut Program, mac: Mac, kind: FdbKind, target: u32, mtu: u32) {
    let key = FdbKey { domain: DOMAIN, mac, pad: 0 };
    program.insert("FDB", key, FdbEntry { kind, target, mtu, flags: 0 });
}

fn lay_out_domain(program: &mut Program) {
    let address = Be32::new(GATEWAY_IP.into());
    let gateway = Domain { router: LEAF_ROUTER, gateway: GATEWAY, pad: 0, address };
    program.set("DOMAINS", DOMAIN, gateway);
    program.clear::<FdbKey, FdbEntry>("FDB");
    set_station(program, ALICE, FdbKind::PORT, INGRESS, MTU);
    set_station(program, ANNA, FdbKind::PORT, INGRESS, MTU);
    set_station(program, BOB, FdbKind::PORT, BOB_PORT, MTU);
    set_station(program, CAROL, FdbKind::VXLAN, VXLAN_TUNNEL, VXLAN_MTU);
    set_station(program, CLAIRE, FdbKind::VXLAN, DEAD_TUNNEL, VXLAN_MTU);
}

fn lay_out_routers(program: &mut Program) {
    let nexthop = |kind, target, mtu| Nexthop { kind, target, mtu, ..Nexthop::default() };
    let neighbour =
        |kind, target, mtu| Nexthop { destination: NEIGHBOUR, source: LEAF, ..nexthop(kind, target, mtu) };
    let nexthops = [
        Nexthop::default(),
        neighbour(NexthopKind::PORT, NEIGHBOUR_PORT, MTU),
        neighbour(NexthopKind::VXLAN, VXLAN_TUNNEL, VXLAN_MTU),
        nexthop(NexthopKind::GRE, GRE_TUNNEL, GRE_MTU),
        nexthop(NexthopKind::GRE, KEYED_TUNNEL, GRE_MTU),
        neighbour(NexthopKind::PORT, NEIGHBOUR_PORT, NARROW_MTU),
        nexthop(NexthopKind::GRE, DEAD_TUNNEL, GRE_MTU),
        nexthop(NexthopKind::BLACKHOLE, 0, 0),
        nexthop(NexthopKind::PUNT, 0, 0),
        nexthop(NexthopKind::ROUTER, LEAF_ROUTER, MTU),
        nexthop(NexthopKind::ROUTER, SPINE_ROUTER, MTU),
        nexthop(NexthopKind::ROUTER, TRANSIT_ROUTER, MTU),
    ];
    for (index, nexthop) in (0..).zip(nexthops) {
        program.set("NEXTHOPS", index, nexthop);
    }
    // Even buckets to the neighbour's port, odd ones into the GRE tunnel.
    let mut group = Group { buckets: [1; BUCKETS] };
    group.buckets.iter_mut().skip(1).step_by(2).for_each(|bucket| *bucket = 3);
    program.set("GROUPS", 1, group);

    set_fib(program, [(TO_VXLAN, 4, FibEntry::nexthop(2)), (TO_KEYED, 3, FibEntry::nexthop(4))]);
}

/// Writes the routers' tries; the leaf has these two routes besides its own.
pub fn set_fib(program: &mut Program, leaf_routes: [(Ipv4Addr, usize, FibEntry); 2]) {
    let mut fib = Fib::default();
    let [leaf, spine, transit] = [(); 3].map(|()| fib.root());
    for (prefix, bytes, entry) in leaf_routes {
        fib.add(leaf, prefix, bytes, entry);
    }
    fib.add(leaf, TO_NEIGHBOUR, 4, FibEntry::nexthop(1));
    fib.add(leaf, TO_GRE, 3, FibEntry::nexthop(3));
    fib.add(leaf, TO_NARROW, 3, FibEntry::nexthop(5));
    fib.add(leaf, TO_GROUP, 3, FibEntry::group(1));
    fib.add(leaf, TO_DEAD, 3, FibEntry::nexthop(6));
    fib.add(leaf, TO_BLACKHOLE, 3, FibEntry::nexthop(7));
    fib.add(leaf, TO_KERNEL, 3, FibEntry::nexthop(8));
    fib.add(leaf, TO_LOOP, 3, FibEntry::nexthop(9));
    fib.add(leaf, THREE_HOPS, 3, FibEntry::nexthop(10));
    fib.add(leaf, THREE_HOPS_GRE, 3, FibEntry::nexthop(10));
    fib.add(spine, THREE_HOPS, 2, FibEntry::nexthop(11));
    fib.add(transit, THREE_HOPS, 3, FibEntry::nexthop(1));
    fib.add(transit, THREE_HOPS_GRE, 3, FibEntry::nexthop(3));
    fib.add(transit, TO_NEIGHBOUR, 4, FibEntry::nexthop(1));
    fib.add(transit, TO_VXLAN, 4, FibEntry::nexthop(2));
    fib.add(transit, TO_GRE, 3, FibEntry::nexthop(3));
    fib.add(transit, TO_KEYED, 3, FibEntry::nexthop(4));
    fib.add(transit, TO_BLACKHOLE, 3, FibEntry::nexthop(7));
    fib.store(program);
    for (router, root) in [(LEAF_ROUTER, leaf), (SPINE_ROUTER, spine), (TRANSIT_ROUTER, transit)] {
        program.set("ROUTERS", router, Router { root: FibRoot::node(root), seed: SEED });
    }
}

fn lay_out_tunnels(program: &mut Program) {
    program.clear::<TunnelKey, TunnelIngress>("TUNNELS");
    let be = |address: Ipv4Addr| Be32::new(address.into());
    for (tunnel, kind, key, scope, owner) in [
        (GRE_TUNNEL, TunnelKind::GRE, 0, GRE, TRANSIT_ROUTER),
        (KEYED_TUNNEL, TunnelKind::GRE_KEYED, KEY, KEYED, TRANSIT_ROUTER),
        (VXLAN_TUNNEL, TunnelKind::VXLAN, VNI, VXLAN, DOMAIN),
    ] {
        let (remote, local) = (be(TO_PEER.destination), be(TO_PEER.source));
        let device = if kind == TunnelKind::VXLAN { 0 } else { TUNNEL_DEVICE };
        let ingress = TunnelIngress { tunnel, owner, device, scope, mac: TUNNEL_END, pad: 0 };
        program.insert("TUNNELS", TunnelKey { remote, local, kind, key: Be32::new(key) }, ingress);
        // Only the copy in use is right.
        let mut slot = EncapSlot { active: 1, ..EncapSlot::default() };
        slot.copies[1] = TO_PEER.encap(kind, key, UPLINK, scope);
        program.set("ENCAPS", tunnel, slot);
    }
    program.set("ENCAPS", DEAD_TUNNEL, EncapSlot::default());
}
