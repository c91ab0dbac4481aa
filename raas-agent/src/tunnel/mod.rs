//! Tunnels between hypervisors, as packets see them: which may come in, and what headers go out. Pure.

mod template;

use std::net::Ipv4Addr;

use raas_common::{Be32, TunnelKey, TunnelKind};

pub use template::{Adjacency, encap};

/// What a tunnel speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// GRE (RFC 2784) that carries IP, with or without a key (RFC 2890).
    Gre {
        /// The key, both ways.
        key: Option<u32>,
    },
    /// VXLAN (RFC 7348), which carries Ethernet.
    Vxlan {
        /// VXLAN network identifier, below 2²⁴.
        vni: u32,
    },
}

impl Protocol {
    /// As the fast path knows it.
    pub const fn kind(self) -> TunnelKind {
        match self {
            Self::Gre { key: None } => TunnelKind::GRE,
            Self::Gre { key: Some(_) } => TunnelKind::GRE_KEYED,
            Self::Vxlan { .. } => TunnelKind::VXLAN,
        }
    }

    /// What tells tunnels between the same addresses apart: GRE key, VNI, or 0.
    pub const fn key(self) -> u32 {
        match self {
            Self::Gre { key: Some(key) } => key,
            Self::Gre { key: None } => 0,
            Self::Vxlan { vni } => vni,
        }
    }

    /// Bytes by which the inner IP packet must be smaller than the underlay's MTU.
    pub const fn overhead(self) -> u32 {
        match self {
            // IPv4, GRE, key.
            Self::Gre { key: None } => 20 + 4,
            Self::Gre { key: Some(_) } => 20 + 4 + 4,
            // IPv4, UDP, VXLAN, inner Ethernet.
            Self::Vxlan { .. } => 20 + 8 + 8 + 14,
        }
    }
}

/// One tunnel, from here to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tunnel {
    /// Outer address here.
    pub local: Ipv4Addr,
    /// Outer address of the peer.
    pub remote: Ipv4Addr,
    /// What it speaks.
    pub protocol: Protocol,
}

impl Tunnel {
    /// The key in `TUNNELS` under which the peer's packets are accepted.
    pub fn ingress_key(&self) -> TunnelKey {
        TunnelKey {
            remote: Be32::new(self.remote.into()),
            local: Be32::new(self.local.into()),
            kind: self.protocol.kind(),
            key: Be32::new(self.protocol.key()),
        }
    }
}
