//! The packets that hostile ones are made of: at least one for each way through the pipeline, with the exit
//! that it takes (an expectation of our own, so that the oracle is held to something too).

mod endpoint;
mod gre;
mod router;
mod vxlan;

use std::net::{Ipv4Addr, Ipv6Addr};

use raas_common::{Exit, Mac};
use raas_lab::packet::{Ipv4Packet, Underlay, ipv6_udp};

use crate::network::{ALICE_IP, LOCAL, NEXT_1, NEXT_2, OWN_MAC, PEER_1, PEER_2, PEER_3};

/// One of them.
pub struct Seed {
    pub name: &'static str,
    /// Interface.
    pub ingress: &'static str,
    pub frame: Vec<u8>,
    pub exit: Exit,
}

pub fn corpus() -> Vec<Seed> {
    let mut corpus = endpoint::seeds();
    corpus.extend(endpoint::martians());
    corpus.extend(vxlan::seeds());
    corpus.extend(gre::seeds());
    corpus.extend(router::seeds());
    corpus
}

/// Destinations, by what becomes of them.
pub const TO_GRE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 1);
pub const TO_KEYED: Ipv4Addr = Ipv4Addr::new(198, 18, 64, 1);
/// A more specific route back into GRE without a key.
pub const TO_SPECIFIC: Ipv4Addr = Ipv4Addr::new(198, 18, 64, 7);
pub const TO_GROUP: Ipv4Addr = Ipv4Addr::new(198, 18, 128, 1);
pub const TO_DEAD: Ipv4Addr = Ipv4Addr::new(198, 18, 192, 1);
pub const TO_BLACKHOLE: Ipv4Addr = Ipv4Addr::new(198, 18, 208, 1);
pub const TO_KERNEL: Ipv4Addr = Ipv4Addr::new(198, 18, 224, 1);
pub const TO_LOOP: Ipv4Addr = Ipv4Addr::new(198, 18, 240, 1);
pub const TO_NARROW: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 1);
/// By as many routers as a run walks, and by one more.
pub const EIGHT_ROUTERS: Ipv4Addr = Ipv4Addr::new(198, 19, 1, 1);
pub const NINE_ROUTERS: Ipv4Addr = Ipv4Addr::new(198, 19, 2, 1);
pub const TO_NARROW_LINK: Ipv4Addr = Ipv4Addr::new(198, 19, 4, 1);
pub const TO_CAROL: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 40);
pub const TO_CLAIRE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 41);
pub const TO_AMY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 31);
pub const NOWHERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);
/// Somebody behind a tunnel.
pub const REMOTE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 99);

fn from_alice(to: Ipv4Addr) -> Ipv4Packet {
    Ipv4Packet::udp(ALICE_IP, to, 40)
}

fn v6(traffic_class: u8) -> Vec<u8> {
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    ipv6_udp(source, destination, traffic_class, 40)
}

/// From a peer to this hypervisor.
pub fn from_peer(peer: Ipv4Addr) -> Underlay {
    let router = if peer == PEER_2 { NEXT_2 } else { NEXT_1 };
    Underlay { source_mac: router, destination_mac: OWN_MAC, source: peer, destination: LOCAL }
}

/// The peers that are configured, and one that is not.
pub const PEERS: [Ipv4Addr; 4] = [PEER_1, PEER_2, PEER_3, Ipv4Addr::new(203, 0, 113, 66)];

/// The frame with a VLAN tag.
pub fn tagged(frame: &[u8], ethertype: u16, control: u16) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    [addresses, &ethertype.to_be_bytes(), &control.to_be_bytes(), rest].concat()
}

const BROADCAST: Mac = Mac::new([0xff; 6]);
const MULTICAST: Mac = Mac::new([1, 0, 0x5e, 0, 0, 5]);
