//! A network of two routers in live maps, and the way that the program has a packet take through it.

use std::net::Ipv4Addr;

use etherparse::PacketBuilder;
use raas_common::{Port, PortKind};

use super::*;
use crate::platform::bpf::tests::Program;

/// The loopback device: what packets of `BPF_PROG_TEST_RUN` come from, and where they are sent.
pub const LOOPBACK: u32 = 1;
const DOMAIN: u32 = 1;
const SENDER: Mac = Mac::new([2, 0, 0, 0, 1, 1]);
const GATEWAY: Mac = Mac::new([2, 0, 0, 0, 1, 2]);

const XDP_PASS: u32 = 2;
const XDP_REDIRECT: u32 = 4;

/// Everything but routes: packets come to this router.
pub fn tables(router: u32) -> Tables {
    let port = Port { kind: PortKind::ENDPOINT, owner: DOMAIN, scope: 1, source: SENDER, pad: 0 };
    let domain = Domain { router, gateway: GATEWAY, ..Domain::default() };
    Tables {
        ports: [(LOOPBACK, port)].into(),
        domains: [(DOMAIN, domain)].into(),
        devices: [LOOPBACK].into(),
        ..Tables::default()
    }
}

/// A neighbour, by number.
pub fn neighbour(number: u32) -> Nexthop {
    let [_, _, high, low] = number.to_be_bytes();
    let mac = Mac::new([2, 0, 0, 2, high, low]);
    let (kind, mtu) = (NexthopKind::PORT, 1500);
    Nexthop { kind, target: LOOPBACK, mtu, destination: mac, source: mac, ..Nexthop::default() }
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Left to the kernel.
    Kernel,
    /// Sent to the neighbour of this number, after so many routers.
    Neighbour { number: u32, routers: u8 },
}

/// Has the program send a packet.
pub fn send(program: &Program, address: Ipv4Addr) -> Way {
    let mut packet = Vec::new();
    PacketBuilder::ethernet2(SENDER.bytes, GATEWAY.bytes)
        .ipv4([192, 0, 2, 10], address.octets(), 64)
        .udp(4242, 53)
        .write(&mut packet, &[0; 18])
        .unwrap();
    let (verdict, out) = program.run(&packet);
    if verdict == XDP_PASS {
        assert_eq!(out, packet, "left to the kernel as it came");
        return Way::Kernel;
    }
    assert_eq!(verdict, XDP_REDIRECT);
    assert_eq!(out[..6], out[6..12], "a nexthop of two");
    Way::Neighbour { number: u16::from_be_bytes([out[4], out[5]]).into(), routers: 64 - out[22] }
}
