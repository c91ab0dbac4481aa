//! What stages tell each other: where a packet entered, and how it is to leave. Nothing here has touched the
//! packet.

use raas_common::{Be16, Encap, Exit, StepKind, TraceStep, TunnelIngress};

use crate::{
    maps,
    packet::{Egress, Ethernet, Framing, Ipv4, Ipv6},
};

/// Where a packet entered the network that it belongs to.
pub struct Arrival {
    /// Interface index of the port.
    pub ingress: u32,
    /// What lies in front of its layer-3 packet.
    pub framing: Framing,
    pub place: Place,
    /// Counter scope.
    pub scope: u32,
    /// Offset in the frame behind the packet's last byte: what follows is padding.
    pub end: u32,
    /// TOS of the outer header, 0 without one.
    pub outer_tos: u8,
    /// EtherType of what GRE brought.
    pub ethertype: u16,
    /// GRE: where to hand up what the fast path does not forward.
    pub tunnel: Option<&'static TunnelIngress>,
}

impl Arrival {
    /// Bytes of the layer-3 packet.
    #[inline(always)]
    pub fn payload_len(&self) -> u32 {
        self.end.saturating_sub(self.framing.len())
    }

    /// What a trace says of it.
    #[inline(always)]
    pub fn step(&self) -> TraceStep {
        match self.place {
            Place::Domain(domain) => StepKind::DOMAIN.with([domain, self.scope, 0]),
            Place::Router(router) => StepKind::TUNNEL.with([router, self.scope, 0]),
        }
    }
}

/// The entity that a packet entered.
#[derive(Clone, Copy)]
pub enum Place {
    /// A bridge domain, with an Ethernet header.
    Domain(u32),
    /// A router, with a bare layer-3 packet.
    Router(u32),
}

/// How a packet is to leave.
pub struct Forward {
    pub exit: Exit,
    pub way: Way,
    /// The Ethernet header in front of the layer-3 packet; `None`: the one that is there.
    pub link: Option<Ethernet>,
    pub edit: Edit,
    pub payload: Payload,
}

/// The way out.
#[derive(Clone, Copy)]
pub enum Way {
    Port(Egress),
    Tunnel(&'static Encap, Framing),
}

impl Way {
    /// Through a tunnel. `None`: its underlay nexthop is not resolved.
    #[inline(always)]
    pub fn tunnel(tunnel: u32) -> Option<Self> {
        let encap = maps::encap(tunnel);
        if encap.egress == 0 {
            return None;
        }
        Some(Self::Tunnel(encap, Framing::of_tunnel(encap.kind)?))
    }
}

/// What outer headers, and the kernel, have to know about the layer-3 packet.
#[derive(Clone, Copy)]
pub struct Payload {
    /// Bytes, Ethernet header not included.
    pub length: u32,
    /// TOS or traffic class, as it leaves.
    pub tos: u8,
    /// Flow hash.
    pub hash: u32,
    pub ethertype: u16,
    /// TCP, not a fragment.
    pub tcp: bool,
}

/// What changes in the layer-3 header.
#[derive(Clone, Copy)]
pub enum Edit {
    None,
    Ipv4 {
        tos: u8,
        ttl: u8,
        checksum: Be16,
    },
    /// The header's second byte: half of the traffic class, ECN in it.
    Ipv6 {
        second: u8,
    },
}

impl Edit {
    /// Sets TOS and TTL.
    #[inline(always)]
    pub fn ipv4(ip: &Ipv4, tos: u8, ttl: u8) -> Self {
        Self::Ipv4 { tos, ttl, checksum: ip.checksum_with(tos, ttl) }
    }

    /// Sets the traffic class' ECN field; its DSCP stays.
    #[inline(always)]
    pub fn ipv6(ip: &Ipv6, traffic_class: u8) -> Self {
        let [_, second, ..] = ip.first_word.raw().to_ne_bytes();
        Self::Ipv6 { second: second & 0x0f | traffic_class << 4 }
    }

    /// Writes it to the header at the start of `l3`.
    #[inline(always)]
    pub fn write(self, l3: &mut [u8]) {
        match self {
            Self::None => {}
            Self::Ipv4 { tos, ttl, checksum } => {
                l3[1] = tos;
                l3[8] = ttl;
                l3[10..12].copy_from_slice(&checksum.raw().to_ne_bytes());
            }
            Self::Ipv6 { second } => l3[1] = second,
        }
    }
}
