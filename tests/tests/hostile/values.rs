//! Values that are worth trying.

use std::net::Ipv4Addr;

use fastrand::Rng;

use crate::{corpus, network};

pub fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

/// Mostly among the headers.
pub fn offset(rng: &mut Rng) -> usize {
    let within = pick(rng, &[16, 36, 52, 90, 110, 110, 200]);
    rng.usize(..within)
}

pub fn word(rng: &mut Rng) -> u16 {
    pick(
        rng,
        &[
            0, 1, 0x7fff, 0x8000, 0xffff, 0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x6558, 4789, 0x2000,
            0x3000, 0x4500,
        ],
    )
}

/// An address that some list knows, one of a prefix that some router has, or any.
pub fn address(rng: &mut Rng) -> Ipv4Addr {
    use corpus as c;
    use network as n;
    const KNOWN: [Ipv4Addr; 29] = [
        n::ALICE_IP,
        n::BOB_IP,
        n::DAVE_IP,
        n::GATEWAY_IP,
        n::LOCAL,
        n::PEER_1,
        n::PEER_2,
        n::PEER_3,
        c::TO_GRE,
        c::TO_KEYED,
        c::TO_SPECIFIC,
        c::TO_GROUP,
        c::TO_DEAD,
        c::TO_BLACKHOLE,
        c::TO_KERNEL,
        c::TO_LOOP,
        c::TO_NARROW,
        c::EIGHT_ROUTERS,
        c::NINE_ROUTERS,
        c::TO_NARROW_LINK,
        c::TO_CAROL,
        c::TO_CLAIRE,
        c::TO_AMY,
        c::NOWHERE,
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(224, 0, 0, 5),
        Ipv4Addr::new(240, 0, 0, 1),
    ];
    match rng.u32(..4) {
        0 | 1 => pick(rng, &KNOWN),
        2 => Ipv4Addr::from(0xc612_0000 | rng.u32(..0x2_0000)), // 198.18.0.0/15
        _ => Ipv4Addr::from(rng.u32(..)),
    }
}

/// A station of some domain, a gateway, a router's, or nobody's.
pub fn mac(rng: &mut Rng) -> [u8; 6] {
    let own = 0x77;
    let last =
        pick(rng, &[0x01, 0x02, 0xa1, 0xa2, 0xa3, 0xb0, 0xb1, 0xc0, 0xc1, 0xc2, 0xd0, 0xe0, 0xe1, 0x99]);
    let known = [6, 0, 0, 0, 0, last];
    pick(
        rng,
        &[known, known, known, known, known, [2, 0, 0, 0, 0, own], [0; 6], [0xff; 6], [7, 0, 0, 0, 0, last]],
    )
}
