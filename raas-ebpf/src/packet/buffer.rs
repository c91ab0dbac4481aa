//! What the pipeline needs of a packet buffer. XDP and TC differ here and nowhere else.

use raas_common::{Exit, TraceStep, TunnelKind, counter_index};

use super::Cursor;
use crate::maps;

/// What lies in front of the layer-3 packet. The value is its length in bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Framing {
    /// Ethernet.
    Ethernet = 14,
    /// Outer Ethernet and IPv4, GRE without a key.
    Gre = 38,
    /// Outer Ethernet and IPv4, GRE with a key; or, from a peer, with a checksum instead.
    GreKeyed = 42,
    /// Outer Ethernet and IPv4, GRE with a checksum and a key, from a peer.
    GreSummedKeyed = 46,
    /// Outer Ethernet and IPv4, UDP, VXLAN, inner Ethernet.
    Vxlan = 64,
}

impl Framing {
    /// Length in bytes.
    #[inline(always)]
    pub const fn len(self) -> u32 {
        self as u32
    }

    /// How a tunnel of this kind frames; `None` for a kind that this program does not know.
    #[inline(always)]
    pub const fn of_tunnel(kind: TunnelKind) -> Option<Self> {
        match kind {
            TunnelKind::GRE => Some(Self::Gre),
            TunnelKind::GRE_KEYED => Some(Self::GreKeyed),
            TunnelKind::VXLAN => Some(Self::Vxlan),
            _ => None,
        }
    }

    /// One of the GRE framings.
    #[inline(always)]
    pub const fn is_gre(self) -> bool {
        matches!(self, Self::Gre | Self::GreKeyed | Self::GreSummedKeyed)
    }
}

/// Where a packet leaves.
#[derive(Clone, Copy)]
pub struct Egress {
    /// Interface index.
    pub index: u32,
    /// The interface is a veth: TC may put the packet straight into its peer.
    pub peer: bool,
}

/// What the kernel's marks on a packet depend on.
#[derive(Clone, Copy)]
pub struct Inner {
    /// The layer-3 packet is IPv6.
    pub ipv6: bool,
    /// It is TCP, and so is nobody's tunnel.
    pub tcp: bool,
}

/// A helper of the kernel refused; the packet is as it was.
pub struct Refused;

/// A packet, in the buffer of the hook that it came through.
pub trait Packet: Copy {
    /// What the program returns to the hook.
    type Verdict;

    /// On to the kernel, untouched.
    const PASS: Self::Verdict;
    /// Discarded.
    const DROP: Self::Verdict;

    /// Interface index of the port that it came through.
    fn ingress(self) -> u32;

    /// Length of the frame in bytes, Ethernet header included.
    fn length(self) -> u32;

    /// Segments that it will become on the wire: 1, or more for a GSO packet.
    fn segments(self) -> u32;

    /// Payload bytes of each segment of a GSO packet; 0 for any other packet.
    fn segment_payload(self) -> u32;

    /// The control information of a VLAN tag outside of the frame's bytes.
    fn stripped_tag(self) -> Option<u16>;

    /// Makes the first `bytes` (or all, if there are fewer) readable through [`cursor`](Self::cursor).
    fn gather(self, bytes: u32);

    /// A cursor at the first byte of the frame.
    fn cursor(self) -> Cursor;

    /// Replaces the bytes in front of the layer-3 packet by room for those of another framing. What lies in
    /// that room is undefined, every cursor is stale.
    fn reframe(self, from: Framing, to: Framing, inner: Inner) -> Result<(), Refused>;

    /// Makes sure that the hook can send out of this interface, before anything is written. A packet that
    /// does not leave after all is none the worse for it.
    fn aim(self, egress: Egress) -> Result<(), Refused>;

    /// Sends it to where it was aimed at.
    fn send(self, egress: Egress) -> Result<Self::Verdict, Refused>;

    /// Counts packets and bytes that take `exit` in `scope`.
    #[inline(always)]
    fn count(self, scope: u32, exit: Exit, packets: u32, bytes: u32) {
        if let Some(counter) = maps::counter(counter_index(scope, exit)) {
            counter.packets += u64::from(packets);
            counter.bytes += u64::from(bytes);
        }
    }

    /// Notes a step for `raas explain`. Nothing, and the step is not even made, but for a [`Traced`](super::Traced) packet.
    #[inline(always)]
    fn note(self, _step: impl FnOnce() -> TraceStep) {}
}
