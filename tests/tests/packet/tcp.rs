//! TCP through TC programs on real interfaces: GSO packets cross tunnels whole, and whatever takes them apart
//! later finds right headers and checksums.
//!
//!     alice ── left ══GRE══ middle ══GRE, key══ right ── bob
//!                │             └── router (slow path)  │
//!                └──────────────VXLAN──────────────────┘

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use raas_common::{
    Be32, Domain, EncapSlot, Exit, FdbEntry, FdbKey, FdbKind, FibEntry, FibRoot, Mac, Nexthop, NexthopFlags,
    NexthopKind, Port, PortKind, Router, TunnelIngress, TunnelKey, TunnelKind,
};
use raas_lab::packet::Underlay;

use crate::{
    fib::Fib,
    machine::Machine,
    network::set_fast_path,
    program::{Hook, Program},
};

const ALICE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
const ALICES_GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const BOB: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);
const BOBS_GATEWAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The same two on one stretched segment.
const ALICE_NEAR: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
const BOB_NEAR: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
const GATEWAY: Mac = Mac::new([0x02, 0, 0, 0, 0, 0x01]);

const ENDPOINT_MTU: u32 = 1400;
const MTU: u32 = 1458;
const DOMAIN: u32 = 1;
const ROUTER: u32 = 1;
const KEY: u32 = 7;
const VNI: u32 = 500;

/// Counter scopes, also of what a tunnel brings.
const PORT: u32 = 1;
const UPLINK: u32 = 2;
const TUNNEL: u32 = 3;
const SCOPES: &[u32] = &[0, PORT, UPLINK, TUNNEL];

/// About what one connection sends.
const BYTES: usize = 256 << 20;

/// The underlay addresses: .1 left, .2 middle, .3 right.
fn underlay(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, host)
}

/// A hypervisor: a machine with a program of its own.
struct Hypervisor {
    machine: Machine,
    program: Program,
    fib: Fib,
    root: u32,
    nexthops: u32,
}

impl Hypervisor {
    fn new() -> Self {
        let mut fib = Fib::default();
        let root = fib.root();
        let mut program = Program::load(Hook::Tc);
        set_fast_path(&mut program, true);
        Self { machine: Machine::new(), program, fib, root, nexthops: 0 }
    }

    fn attach(&mut self, interface: &str, kind: PortKind, owner: u32, scope: u32, source: Mac) {
        let index = self.machine.index(interface);
        self.program.insert("PORTS", index, Port { kind, owner, scope, source, pad: 0 });
        let program = &mut self.program;
        self.machine.within(|| program.attach(interface));
    }

    /// Its endpoint, in the bridge domain and behind the router.
    fn serve(&mut self, port: &str, endpoint: Ipv4Addr, mac: Mac) {
        self.attach(port, PortKind::ENDPOINT, DOMAIN, PORT, mac);
        self.program.set("DOMAINS", DOMAIN, Domain { router: ROUTER, gateway: GATEWAY, ..Domain::default() });
        let (target, flags) = (self.machine.index(port), NexthopFlags::REDIRECT_PEER);
        self.route(
            endpoint,
            Nexthop {
                kind: NexthopKind::PORT,
                target,
                mtu: MTU,
                flags,
                destination: mac,
                source: GATEWAY,
                pad: 0,
            },
        );
        let key = FdbKey { domain: DOMAIN, mac, pad: 0 };
        self.program.insert("FDB", key, FdbEntry { kind: FdbKind::PORT, target, mtu: MTU, flags });
    }

    fn route(&mut self, destination: Ipv4Addr, nexthop: Nexthop) {
        self.nexthops += 1;
        self.program.set("NEXTHOPS", self.nexthops, nexthop);
        self.fib.add(self.root, destination, 4, FibEntry::nexthop(self.nexthops));
        self.fib.store(&mut self.program);
        self.program.set("ROUTERS", ROUTER, Router { root: FibRoot::node(self.root), seed: 0 });
    }

    fn route_into(&mut self, destination: Ipv4Addr, tunnel: u32) {
        self.route(
            destination,
            Nexthop { kind: NexthopKind::GRE, target: tunnel, mtu: MTU, ..Nexthop::default() },
        );
    }

    /// A tunnel from host `here` to host `there`, over an interface that leads to `peer`.
    fn tunnel(
        &mut self,
        tunnel: u32,
        kind: TunnelKind,
        key: u32,
        (here, there): (u8, u8),
        uplink: &str,
        peer: Mac,
    ) {
        let way = Underlay {
            source_mac: self.machine.mac(uplink),
            destination_mac: peer,
            source: underlay(here),
            destination: underlay(there),
        };
        let copies = [way.encap(kind, key, self.machine.index(uplink), TUNNEL); 2];
        self.program.set("ENCAPS", tunnel, EncapSlot { copies, ..EncapSlot::default() });
        let [remote, local] = [way.destination, way.source].map(|address| Be32::new(address.into()));
        let owner = if kind == TunnelKind::VXLAN { DOMAIN } else { ROUTER };
        let ingress = TunnelIngress { tunnel, owner, scope: TUNNEL, ..TunnelIngress::default() };
        self.program.insert("TUNNELS", TunnelKey { remote, local, kind, key: Be32::new(key) }, ingress);
    }

    /// Where what a GRE tunnel brings is handed up to.
    fn hand_up(
        &mut self,
        kind: TunnelKind,
        key: u32,
        (here, there): (u8, u8),
        outer: &str,
        tunnel: u32,
        mac: Mac,
    ) {
        let [remote, local] = [there, here].map(|host| Be32::new(underlay(host).into()));
        let device = self.machine.index(outer);
        let ingress = TunnelIngress { tunnel, owner: ROUTER, device, scope: TUNNEL, mac, pad: 0 };
        self.program.insert("TUNNELS", TunnelKey { remote, local, kind, key: Be32::new(key) }, ingress);
        self.attach(outer, PortKind::TUNNEL, tunnel, PORT, Mac::default());
    }

    fn packets(&mut self, scope: u32, exit: Exit) -> u64 {
        self.program.counters(SCOPES).get(&(scope, exit)).map_or(0, |counter| counter.packets)
    }
}

struct Lab {
    alice: Machine,
    bob: Machine,
    left: Hypervisor,
    middle: Hypervisor,
    right: Hypervisor,
    /// The middle's router; lives as long as the lab.
    _router: Machine,
}

impl Lab {
    fn new() -> Self {
        let (alice, bob, router) = (Machine::new(), Machine::new(), Machine::new());
        let [mut left, mut middle, mut right] = [(); 3].map(|()| Hypervisor::new());
        left.machine.join("port", &alice, "eth0");
        right.machine.join("port", &bob, "eth0");
        left.machine.join("to-middle", &middle.machine, "to-left");
        right.machine.join("to-middle", &middle.machine, "to-right");
        left.machine.join("to-right", &right.machine, "to-left");
        alice.configure("eth0", ALICE, ALICES_GATEWAY, GATEWAY, ENDPOINT_MTU);
        bob.configure("eth0", BOB, BOBS_GATEWAY, GATEWAY, ENDPOINT_MTU);

        left.serve("port", ALICE, alice.mac("eth0"));
        right.serve("port", BOB, bob.mac("eth0"));
        for (host, uplinks) in [
            (&mut left, ["to-middle", "to-right"]),
            (&mut middle, ["to-left", "to-right"]),
            (&mut right, ["to-middle", "to-left"]),
        ] {
            for uplink in uplinks {
                host.attach(uplink, PortKind::UPLINK, 0, UPLINK, Mac::default());
            }
        }
        left.tunnel(1, TunnelKind::GRE, 0, (1, 2), "to-middle", middle.machine.mac("to-left"));
        middle.tunnel(1, TunnelKind::GRE, 0, (2, 1), "to-left", left.machine.mac("to-middle"));
        middle.tunnel(2, TunnelKind::GRE_KEYED, KEY, (2, 3), "to-right", right.machine.mac("to-middle"));
        right.tunnel(2, TunnelKind::GRE_KEYED, KEY, (3, 2), "to-middle", middle.machine.mac("to-right"));
        left.route_into(BOB, 1);
        right.route_into(ALICE, 2);
        middle.route_into(ALICE, 1);
        middle.route_into(BOB, 2);

        middle.machine.join("outer1", &router, "inner1");
        middle.machine.join("outer2", &router, "inner2");
        middle.hand_up(TunnelKind::GRE, 0, (2, 1), "outer1", 1, router.mac("inner1"));
        middle.hand_up(TunnelKind::GRE_KEYED, KEY, (2, 3), "outer2", 2, router.mac("inner2"));
        router.sysctl("net/ipv4/ip_forward", "1");
        for (interface, destination) in [("inner1", ALICE), ("inner2", BOB)] {
            router.ip(&format!("link set {interface} arp off mtu {MTU}"));
            router.ip(&format!("route add {destination} dev {interface}"));
        }
        Self { alice, bob, left, middle, right, _router: router }
    }

    /// Puts both endpoints on one segment, stretched by VXLAN between left and right.
    fn stretch(&mut self) {
        self.left.tunnel(3, TunnelKind::VXLAN, VNI, (1, 3), "to-right", self.right.machine.mac("to-left"));
        self.right.tunnel(3, TunnelKind::VXLAN, VNI, (3, 1), "to-left", self.left.machine.mac("to-right"));
        let sides = [
            (&mut self.left, &self.alice, ALICE_NEAR, &self.bob, BOB_NEAR),
            (&mut self.right, &self.bob, BOB_NEAR, &self.alice, ALICE_NEAR),
        ];
        for (host, here, address, there, peer) in sides {
            let mac = there.mac("eth0");
            here.ip(&format!("addr add {address}/24 dev eth0"));
            here.ip(&format!("neigh add {peer} lladdr {mac} dev eth0"));
            let entry = FdbEntry { kind: FdbKind::VXLAN, target: 3, mtu: ENDPOINT_MTU + 50, flags: 0 };
            host.program.insert("FDB", FdbKey { domain: DOMAIN, mac, pad: 0 }, entry);
        }
    }

    /// What leaves the hypervisors is taken apart, and its checksums are written, by the kernel.
    fn without_offloads(&self) {
        for (host, uplink) in [
            (&self.left, "to-middle"),
            (&self.left, "to-right"),
            (&self.middle, "to-left"),
            (&self.middle, "to-right"),
            (&self.right, "to-middle"),
            (&self.right, "to-left"),
        ] {
            host.machine.turn_off(uplink, &["tso", "gso", "tx"]);
        }
    }

    /// Sends from alice to `address`, which is bob's. Panics unless all of it arrives.
    fn send(&self, address: Ipv4Addr) {
        let errors = [&self.alice, &self.bob].map(|endpoint| endpoint.snmp("Tcp", "InCsumErrors"));
        let (listener, address) = self.bob.within(|| {
            let listener = TcpListener::bind((address, 0)).unwrap();
            let address = listener.local_addr().unwrap();
            (listener, address)
        });
        let data = data();
        let started = Instant::now();
        // The kernel completes a connection before anybody accepts it: who accepts does not wait for one that never comes.
        let stream =
            self.alice.within(|| TcpStream::connect_timeout(&address, DEADLINE).expect("a connection"));
        thread::scope(|scope| {
            scope.spawn(|| receive(&listener, &data));
            transmit(stream, &data);
        });
        println!("{:.1} Gbit/s", data.len() as f64 * 8e-9 / started.elapsed().as_secs_f64());
        let now = [&self.alice, &self.bob].map(|endpoint| endpoint.snmp("Tcp", "InCsumErrors"));
        assert_eq!(now, errors, "checksums that endpoints found wrong");
    }
}

/// Longer than any of this takes.
const DEADLINE: Duration = Duration::from_secs(30);

/// Takes a connection, on which exactly `data` must come.
fn receive(listener: &TcpListener, data: &[u8]) {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut buffer = vec![0; 1 << 20];
    let mut rest = data;
    loop {
        let read = stream.read(&mut buffer).expect("the connection goes on");
        if read == 0 {
            break;
        }
        let (expected, behind) = rest.split_at_checked(read).expect("no more than was sent");
        assert!(buffer[..read] == *expected, "bytes that arrive are those that were sent");
        rest = behind;
    }
    assert!(rest.is_empty(), "{} bytes have not come", rest.len());
}

fn transmit(mut stream: TcpStream, data: &[u8]) {
    stream.set_write_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(data).expect("the connection goes on");
    stream.shutdown(Shutdown::Write).unwrap();
}

/// Its period divides no segment's size.
fn data() -> Vec<u8> {
    let period: Vec<u8> = (0..=250).collect();
    period.repeat(BYTES / period.len())
}

#[test]
fn gre_carries_tcp() {
    let mut lab = Lab::new();
    lab.send(BOB);
    let routed = lab.right.packets(TUNNEL, Exit::ROUTED_PORT);
    assert!(routed > BYTES as u64 / u64::from(ENDPOINT_MTU), "counted as segments: {routed}");
    assert!(lab.middle.packets(TUNNEL, Exit::ROUTED_GRE) >= routed, "the middle forwards");
    lab.without_offloads();
    lab.send(BOB);
}

#[test]
fn gre_carries_tcp_on_the_slow_path_too() {
    let mut lab = Lab::new();
    set_fast_path(&mut lab.middle.program, false);
    lab.send(BOB);
    assert!(lab.middle.packets(TUNNEL, Exit::GRE_HANDED_UP) > 0, "handed up");
    assert!(lab.middle.packets(PORT, Exit::GRE_ENCAPSULATED) > 0, "encapsulated for the router");
    lab.without_offloads();
    lab.send(BOB);
}

#[test]
fn vxlan_carries_tcp() {
    let mut lab = Lab::new();
    lab.stretch();
    lab.send(BOB_NEAR);
    assert!(lab.right.packets(TUNNEL, Exit::BRIDGED_PORT) > 0, "bridged");
    lab.without_offloads();
    lab.send(BOB_NEAR);
}
