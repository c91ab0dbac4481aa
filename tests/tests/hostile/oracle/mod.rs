//! What has to become of a packet, worked out from the network's lists and the RFCs. It shares no code with
//! the program: not its headers, not its checksums, not its tables. Outer headers are etherparse's.
//!
//! The one thing that it leaves open is where a flow goes that several ways share: it names all of them, and
//! [`Flows`] sees to it that a flow keeps to one.

mod bridge;
mod bytes;
mod flows;
mod route;
mod router_end;
mod underlay;

use raas_common::Exit;
use raas_lab::packet::Underlay;

pub use flows::{Flow, Flows};

use self::bytes::Bytes;
use crate::model::{Adjacency, Kind, Tunnel, World};

/// What a program is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    pub hook: Hook,
    /// Interface index.
    pub ingress: u32,
    pub frame: Vec<u8>,
    /// Control information of a VLAN tag that the kernel took out of the frame.
    pub stripped: Option<u16>,
    pub gso: Gso,
    pub fast_path: bool,
    pub devices: Devices,
}

impl Input {
    /// When nothing else is odd.
    pub fn plain(hook: Hook, ingress: u32, frame: Vec<u8>) -> Self {
        Self {
            hook,
            ingress,
            frame,
            stripped: None,
            gso: Gso::default(),
            fast_path: true,
            devices: Devices::All,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    Xdp,
    Tc,
}

/// Of a GSO packet: how many segments (0: nobody counted), and the payload of each. No GSO packet: 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gso {
    pub segments: u32,
    pub size: u32,
}

/// The interfaces that XDP can send out of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Devices {
    All,
    /// So that a packet that leaves has left there.
    Only(u32),
    AllBut(u32),
}

impl Devices {
    pub fn has(self, index: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(device) => index == device,
            Self::AllBut(device) => index != device,
        }
    }
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Counter scope and exit: each counts the packet once.
    pub counts: Vec<(u32, Exit)>,
    pub fate: Fate,
    pub path: Path,
}

/// The way through the routers that an outcome is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Routers crossed.
    pub routers: u8,
    /// Where several hops of a router share the flows: the router, and which of them it is.
    pub choices: Vec<(u32, usize)>,
    /// The flow that they share.
    pub flow: Flow,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// To the kernel, as it came.
    Untouched,
    Dropped,
    Sent(Sent),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Interface index.
    pub egress: u32,
    /// TC puts it straight into the interface's peer.
    pub peer: bool,
    /// Where the frame is VXLAN: with source port 0, which is the flow's.
    pub frame: Vec<u8>,
    /// The flow whose entropy the VXLAN source port carries.
    pub entropy: Option<Flow>,
}

/// A way out, once the stages are done: what is left is to send it.
struct Leaving {
    exit: Exit,
    sent: Sent,
    /// Counter scope of the tunnel that it leaves by.
    tunnel: Option<u32>,
    /// Bytes in front of the layer-3 packet, as it leaves.
    framing: usize,
}

impl Leaving {
    fn by_port(exit: Exit, egress: u32, peer: bool, frame: Vec<u8>) -> Self {
        let sent = Sent { egress, peer, frame, entropy: None };
        Self { exit, sent, tunnel: None, framing: 14 }
    }

    fn by_gre(exit: Exit, tunnel: &Tunnel, egress: u32, frame: Vec<u8>) -> Self {
        let sent = Sent { egress, peer: false, frame, entropy: None };
        let framing = if tunnel.kind == Kind::Gre(None) { 38 } else { 42 };
        Self { exit, sent, tunnel: Some(tunnel.scope), framing }
    }
}

/// One of the ways that a packet may take.
struct Decision {
    result: Result<Leaving, Exit>,
    path: Path,
}

impl Decision {
    /// The only way, without a router on it.
    fn only(result: Result<Leaving, Exit>) -> Self {
        Self { result, path: Path::default() }
    }
}

/// What may become of the packet: one outcome, or one for each way that its flow may take.
pub fn predict(world: &World, input: &Input) -> Vec<Outcome> {
    Oracle { world, input, frame: Bytes(&input.frame) }.predict()
}

struct Oracle<'a> {
    world: &'a World,
    input: &'a Input,
    frame: Bytes<'a>,
}

impl Oracle<'_> {
    fn is_gso(&self) -> bool {
        self.input.gso.size != 0
    }

    /// XDP only sends to what is in its device map.
    fn can_send(&self, egress: u32) -> bool {
        self.input.hook == Hook::Tc || self.input.devices.has(egress)
    }

    /// The kernel takes headers away from, or puts them in front of, a TCP GSO packet only, and a test run
    /// cannot say that a packet is one.
    fn can_reframe(&self, from: usize, leaving: &Leaving) -> bool {
        !self.is_gso() || from == leaving.framing
    }
}

/// The packet goes no further, for this reason.
fn stopped(scope: u32, exit: Exit) -> Outcome {
    let fate = if is_drop(exit) { Fate::Dropped } else { Fate::Untouched };
    Outcome { counts: vec![(scope, exit)], fate, path: Path::default() }
}

/// The packet leaves.
fn left(scope: u32, leaving: Leaving) -> Outcome {
    let mut counts = vec![(scope, leaving.exit)];
    counts.extend(leaving.tunnel.map(|scope| (scope, Exit::TUNNEL_SENT)));
    Outcome { counts, fate: Fate::Sent(leaving.sent), path: Path::default() }
}

/// The exits that discard, by name.
fn is_drop(exit: Exit) -> bool {
    [
        Exit::DROP_BLACKHOLE,
        Exit::DROP_UNKNOWN_PEER,
        Exit::DROP_BAD_TUNNEL_HEADER,
        Exit::DROP_ECN,
        Exit::DROP_UNDERLAY_NEXTHOP,
        Exit::DROP_HELPER,
        Exit::DROP_NOT_IP,
    ]
    .contains(&exit)
}

/// The inner TOS behind a tunnel whose outer header had `outer` (RFC 6040, figure 4). `None`: discard.
fn decapsulated_tos(outer: u8, inner: u8) -> Option<u8> {
    const NOT_ECT: u8 = 0b00;
    const ECT_1: u8 = 0b01;
    const ECT_0: u8 = 0b10;
    const CE: u8 = 0b11;
    let ecn = match (inner & 3, outer & 3) {
        (NOT_ECT, CE) => return None,
        (NOT_ECT, _) => NOT_ECT,
        (_, CE) => CE,
        (ECT_0, ECT_1) => ECT_1,
        (own, _) => own,
    };
    Some(inner & 0xfc | ecn)
}

/// Around a layer-3 packet (GRE) or a frame (VXLAN): the outer headers, then `payload`, then what is padding.
/// `None`: nobody knows the way to the peer.
fn encapsulate(
    tunnel: &Tunnel,
    tos: u8,
    ethertype: u16,
    payload: &[u8],
    padding: &[u8],
) -> Option<(u32, Vec<u8>)> {
    let Adjacency { uplink, source, destination } = tunnel.adjacency?;
    let underlay = Underlay {
        source_mac: source,
        destination_mac: destination,
        source: tunnel.local,
        destination: tunnel.remote,
    };
    let mut frame = match tunnel.kind {
        Kind::Gre(key) => underlay.gre(tos, key, ethertype, payload),
        Kind::Vxlan(vni) => underlay.vxlan(tos, 0, vni, payload),
    };
    frame.extend(padding);
    Some((uplink, frame))
}
