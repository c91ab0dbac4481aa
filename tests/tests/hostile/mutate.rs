//! Turning packets into hostile ones: a mutant is a packet of the corpus and a list of operators, so that the
//! list can be made shorter when the mutant shows a fault.

use std::{fmt, net::Ipv4Addr};

use fastrand::Rng;

use crate::{
    corpus::{PEERS, Seed, from_peer, tagged},
    field::Field,
    layers,
    model::{Kind, Tunnel, World},
    values,
};

/// Longer packets are cut: a test run has one page for XDP, and needs headroom.
const LONGEST: usize = 3500;

/// One change. Offsets are taken modulo the packet's length, so that any list of operators fits any packet.
#[derive(Clone, Debug)]
pub enum Operator {
    Flip {
        at: usize,
        bit: u8,
    },
    Byte {
        at: usize,
        value: u8,
    },
    Word {
        at: usize,
        value: u16,
    },
    Truncate {
        len: usize,
    },
    Extend {
        by: usize,
        value: u8,
    },
    /// Some bytes once more, elsewhere in the packet.
    Duplicate {
        from: usize,
        len: usize,
        to: usize,
    },
    Delete {
        at: usize,
        len: usize,
    },
    Swap {
        first: usize,
        second: usize,
        len: usize,
    },
    /// The rest is another seed's.
    Splice {
        seed: usize,
        at: usize,
        from: usize,
    },
    Tag {
        ethertype: u16,
        control: u16,
    },
    /// A field of an IPv4 header, the outermost being layer 0.
    Field {
        layer: usize,
        field: Field,
        value: u32,
    },
    /// A MAC address, the inner or outer Ethernet header's.
    Station {
        layer: usize,
        source: bool,
        mac: [u8; 6],
    },
    /// The whole frame (VXLAN) or packet (GRE) in a tunnel's headers, as if its peer had sent it.
    Wrap {
        tunnel: u32,
        peer: usize,
        flip: Option<u8>,
    },
    /// Through another interface.
    Enter {
        interface: usize,
    },
    /// Makes lengths and checksums right again, from the innermost header outwards.
    Repair {
        lengths: bool,
        checksums: bool,
    },
}

/// A packet and where it came from.
#[derive(Clone, Debug)]
pub struct Mutant {
    pub seed: usize,
    pub operators: Vec<Operator>,
}

impl Mutant {
    pub fn random(rng: &mut Rng, world: &World, corpus: &[Seed]) -> Self {
        let seed = rng.usize(..corpus.len());
        // Few changes go deep, many go wide.
        let count = values::pick(rng, &[0, 1, 1, 1, 2, 2, 3, 4, 6, 9]);
        let mut operators: Vec<_> = (0..count).map(|_| Operator::random(rng, world, corpus)).collect();
        if rng.f32() < 0.7 {
            operators.push(Operator::Repair { lengths: rng.f32() < 0.6, checksums: rng.f32() < 0.95 });
        }
        Self { seed, operators }
    }

    /// Interface index, and the frame.
    pub fn build(&self, world: &World, corpus: &[Seed]) -> (u32, Vec<u8>) {
        let seed = &corpus[self.seed];
        let mut built = (world.named(seed.ingress).index, seed.frame.clone());
        for operator in &self.operators {
            operator.apply(world, corpus, &mut built.0, &mut built.1);
            built.1.truncate(LONGEST);
            if built.1.len() < 14 {
                built.1.resize(14, 0);
            }
        }
        built
    }
}

impl Operator {
    fn random(rng: &mut Rng, world: &World, corpus: &[Seed]) -> Self {
        let at = values::offset(rng);
        let layer = rng.usize(..3);
        match rng.u32(..26) {
            0..3 => Self::Flip { at, bit: rng.u8(..8) },
            3..5 => {
                Self::Byte { at, value: values::pick(rng, &[0, 1, 0x7f, 0x80, 0xff, 0x45, 0x08, 0x11, 0x2f]) }
            }
            5 => Self::Word { at, value: values::word(rng) },
            6 => Self::Truncate { len: rng.usize(14..200) },
            7 => Self::Extend {
                by: values::pick(rng, &[1, 2, 18, 40, 400, 1300, 1400, 1450, 1500, 3000]),
                value: rng.u8(..),
            },
            8 => Self::Duplicate { from: at, len: rng.usize(1..64), to: values::offset(rng) },
            9 => Self::Delete { at, len: rng.usize(1..40) },
            10 => {
                Self::Swap { first: at, second: values::offset(rng), len: values::pick(rng, &[1, 2, 4, 6]) }
            }
            11 => Self::Splice { seed: rng.usize(..corpus.len()), at, from: values::offset(rng) },
            12 => Self::Tag {
                ethertype: values::pick(rng, &[0x8100, 0x88a8, 0x9100]),
                control: values::pick(rng, &[0, 0x6000, 1, 7, 0xfff, 0xe000]),
            },
            13..19 => {
                let field = values::pick(rng, &Field::ALL);
                Self::Field { layer, field, value: field.value(rng) }
            }
            19..22 => Self::Station { layer, source: rng.bool(), mac: values::mac(rng) },
            22..24 => Self::Wrap {
                tunnel: world.tunnels[rng.usize(..world.tunnels.len())].id,
                peer: rng.usize(..PEERS.len() * 3),
                flip: (rng.f32() < 0.2).then(|| rng.u8(..24)),
            },
            24 => Self::Enter { interface: rng.usize(..world.interfaces.len()) },
            _ => Self::Repair { lengths: true, checksums: true },
        }
    }

    fn apply(&self, world: &World, corpus: &[Seed], ingress: &mut u32, frame: &mut Vec<u8>) {
        let len = frame.len();
        match *self {
            Self::Flip { at, bit } => frame[at % len] ^= 1 << bit,
            Self::Byte { at, value } => frame[at % len] = value,
            Self::Word { at, value } => write(frame, at % len, &value.to_be_bytes()),
            Self::Truncate { len } => frame.truncate(len),
            Self::Extend { by, value } => frame.resize(len + by, value),
            Self::Duplicate { from, len: count, to } => {
                let bytes = frame[from % len..].iter().take(count).copied().collect::<Vec<_>>();
                frame.splice(to % len..to % len, bytes);
            }
            Self::Delete { at, len: count } => drop(frame.drain(at % len..(at % len + count).min(len))),
            Self::Swap { first, second, len: count } => {
                for at in 0..count {
                    frame.swap((first + at) % len, (second + at) % len);
                }
            }
            Self::Splice { seed, at, from } => {
                let other = &corpus[seed].frame;
                frame.truncate(at % len);
                frame.extend(&other[from % other.len()..]);
            }
            Self::Tag { ethertype, control } => *frame = tagged(frame, ethertype, control),
            Self::Field { layer, field, value } => {
                let headers = layers::ipv4(frame);
                if let Some(header) = headers.get(layer % headers.len().max(1)) {
                    let (offset, len) = field.place();
                    write(frame, header + offset, &value.to_be_bytes()[4 - len..]);
                }
            }
            Self::Station { layer, source, mac } => {
                let headers = layers::ethernet(frame);
                let header = headers[layer % headers.len()];
                write(frame, header + if source { 6 } else { 0 }, &mac);
            }
            Self::Wrap { tunnel, peer, flip } => {
                *frame = wrap(world.tunnel(tunnel), PEERS.get(peer), flip, frame);
                *ingress = world.named("uplink1").index;
            }
            Self::Enter { interface } => *ingress = world.interfaces[interface].index,
            Self::Repair { lengths, checksums } => layers::repair(frame, lengths, checksums),
        }
    }
}

/// As much of the bytes as the packet has room for.
fn write(frame: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in frame.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// From the tunnel's own peer unless another is given; with one bit of key or VNI changed, if that is.
fn wrap(tunnel: &Tunnel, peer: Option<&Ipv4Addr>, flip: Option<u8>, frame: &[u8]) -> Vec<u8> {
    let underlay = from_peer(*peer.unwrap_or(&tunnel.remote));
    let flipped = |key: u32| flip.map_or(key, |bit| key ^ 1 << bit);
    // Room for the outer headers in the largest packet.
    let frame = &frame[..frame.len().min(LONGEST - 64)];
    match tunnel.kind {
        Kind::Vxlan(vni) => underlay.vxlan(0, 50000, flipped(vni), frame),
        Kind::Gre(key) => {
            let ethertype = u16::from_be_bytes([frame[12], frame[13]]);
            underlay.gre(0, key.map(flipped), ethertype, &frame[14..])
        }
    }
}

/// `name of the seed: operators`
pub struct Ancestry<'a>(pub &'a Mutant, pub &'a [Seed]);

impl fmt::Display for Ancestry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(mutant, corpus) = self;
        write!(f, "seed packet {:?}, then {:?}", corpus[mutant.seed].name, mutant.operators)
    }
}
