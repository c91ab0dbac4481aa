//! Exits: every way out of the fast path, each with a name and a counter. A packet takes one, counted in the scope that
//! it entered through, and some are counted once more: [`Exit::TUNNEL_SENT`] for the tunnel that it left by, and
//! [`Exit::GRE_HANDED_UP`] beside the exit for which a GRE packet was handed up.

use crate::named_values;

/// Slots for exits in each counter scope, a power of two.
pub const MAX_EXITS: u32 = 64;

named_values! {
    /// One way out. The number is part of the ABI.
    Exit {
        /// Never counted: marks a slot without a meaning.
        NONE = 0,

        /// Routed to an endpoint behind a local port.
        ROUTED_PORT = 1,
        /// Routed into a GRE tunnel.
        ROUTED_GRE = 2,
        /// Routed to an endpoint behind a VXLAN tunnel.
        ROUTED_VXLAN = 3,
        /// Bridged to a local port.
        BRIDGED_PORT = 4,
        /// Bridged into a VXLAN tunnel.
        BRIDGED_VXLAN = 5,

        /// From a router's tunnel interface: encapsulated, sent. The slow path's own traffic (BGP) and what was punted.
        GRE_ENCAPSULATED = 8,
        /// From a GRE tunnel, not fast-forwarded: decapsulated and handed to the router's tunnel interface.
        GRE_HANDED_UP = 9,
        /// Sent by this tunnel (counted in the tunnel's scope, besides the packet's own exit).
        TUNNEL_SENT = 10,

        /// To the kernel: the fast path is switched off.
        PUNT_FAST_PATH_OFF = 16,
        /// To the kernel: on an uplink, neither GRE nor VXLAN for this hypervisor.
        PUNT_UNDERLAY = 17,
        /// To the kernel: ARP.
        PUNT_ARP = 18,
        /// To the kernel: to be routed, but not IPv4; or to cross a VXLAN tunnel, but neither IPv4 nor IPv6.
        PUNT_NOT_IPV4 = 19,
        /// To the kernel: broadcast or multicast, MAC or IP.
        PUNT_MULTICAST = 20,
        /// To the kernel: destination MAC not in the FDB.
        PUNT_UNKNOWN_MAC = 21,
        /// To the kernel: source MAC not known at this port, the bridge has to learn it.
        PUNT_UNKNOWN_SOURCE = 22,
        /// To the kernel: the station is behind the port that the frame came from.
        PUNT_HAIRPIN = 23,
        /// To the kernel: VLAN-tagged.
        PUNT_VLAN = 24,
        /// To the kernel: malformed IPv4 header (version, lengths, checksum) or martian address; it will discard it.
        PUNT_MALFORMED = 25,
        /// To the kernel: IPv4 options.
        PUNT_IP_OPTIONS = 26,
        /// To the kernel: a router on the way would count the TTL down to 0; it answers "time exceeded".
        PUNT_TTL = 27,
        /// To the kernel: larger than the MTU of a hop.
        PUNT_TOO_BIG = 28,
        /// To the kernel: no route; it answers "unreachable".
        PUNT_NO_ROUTE = 29,
        /// To the kernel: the route says so (a router's own address, an unresolved neighbour).
        PUNT_NEXTHOP = 30,
        /// To the kernel: more than [`MAX_WALK`](crate::MAX_WALK) routers on the way.
        PUNT_WALK = 31,
        /// To the kernel: the tunnel's underlay nexthop is not resolved.
        PUNT_UNDERLAY_NEXTHOP = 32,
        /// To the kernel: the fast path cannot tell a segment's size of this GSO packet.
        PUNT_GSO = 33,
        /// To the kernel: an interface without an entry in `PORTS`.
        PUNT_UNKNOWN_PORT = 34,
        /// To the kernel: XDP cannot send out of the interface, which is not in `DEVICES` (yet, or any more).
        PUNT_DEVICE = 35,

        /// Discarded: the route is a blackhole.
        DROP_BLACKHOLE = 48,
        /// Discarded: tunnel packet from a peer, or with a key or VNI, that is not configured.
        DROP_UNKNOWN_PEER = 49,
        /// Discarded: GRE or VXLAN header that the RFC tells us to discard (version, reserved bits, length).
        DROP_BAD_TUNNEL_HEADER = 50,
        /// Discarded: outer header says "congestion experienced", inner sender is not ECN-capable (RFC 6040, section 4.2).
        DROP_ECN = 51,
        /// Discarded: from a router's tunnel interface, and the underlay nexthop is not resolved.
        DROP_UNDERLAY_NEXTHOP = 52,
        /// Discarded: a helper of the kernel refused (no headroom, no memory).
        DROP_HELPER = 53,
        /// Discarded: into or out of a GRE tunnel, neither IPv4 nor IPv6.
        DROP_NOT_IP = 54,
    }
}

/// What kind of exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitClass {
    /// Forwarded by the fast path.
    Forwarded,
    /// Encapsulated or decapsulated by eBPF on the slow path's behalf, or a tunnel's own count.
    Tunnel,
    /// Left to the kernel, untouched.
    Punted,
    /// Discarded.
    Dropped,
}

impl Exit {
    /// Every exit that is counted, in order.
    pub const ALL: &'static [(Self, &'static str)] = &[
        (Self::ROUTED_PORT, "routed-port"),
        (Self::ROUTED_GRE, "routed-gre"),
        (Self::ROUTED_VXLAN, "routed-vxlan"),
        (Self::BRIDGED_PORT, "bridged-port"),
        (Self::BRIDGED_VXLAN, "bridged-vxlan"),
        (Self::GRE_ENCAPSULATED, "gre-encapsulated"),
        (Self::GRE_HANDED_UP, "gre-handed-up"),
        (Self::TUNNEL_SENT, "tunnel-sent"),
        (Self::PUNT_FAST_PATH_OFF, "punt-fast-path-off"),
        (Self::PUNT_UNDERLAY, "punt-underlay"),
        (Self::PUNT_ARP, "punt-arp"),
        (Self::PUNT_NOT_IPV4, "punt-not-ipv4"),
        (Self::PUNT_MULTICAST, "punt-multicast"),
        (Self::PUNT_UNKNOWN_MAC, "punt-unknown-mac"),
        (Self::PUNT_UNKNOWN_SOURCE, "punt-unknown-source"),
        (Self::PUNT_HAIRPIN, "punt-hairpin"),
        (Self::PUNT_VLAN, "punt-vlan"),
        (Self::PUNT_MALFORMED, "punt-malformed"),
        (Self::PUNT_IP_OPTIONS, "punt-ip-options"),
        (Self::PUNT_TTL, "punt-ttl"),
        (Self::PUNT_TOO_BIG, "punt-too-big"),
        (Self::PUNT_NO_ROUTE, "punt-no-route"),
        (Self::PUNT_NEXTHOP, "punt-nexthop"),
        (Self::PUNT_WALK, "punt-walk"),
        (Self::PUNT_UNDERLAY_NEXTHOP, "punt-underlay-nexthop"),
        (Self::PUNT_GSO, "punt-gso"),
        (Self::PUNT_UNKNOWN_PORT, "punt-unknown-port"),
        (Self::PUNT_DEVICE, "punt-device"),
        (Self::DROP_BLACKHOLE, "drop-blackhole"),
        (Self::DROP_UNKNOWN_PEER, "drop-unknown-peer"),
        (Self::DROP_BAD_TUNNEL_HEADER, "drop-bad-tunnel-header"),
        (Self::DROP_ECN, "drop-ecn"),
        (Self::DROP_UNDERLAY_NEXTHOP, "drop-underlay-nexthop"),
        (Self::DROP_HELPER, "drop-helper"),
        (Self::DROP_NOT_IP, "drop-not-ip"),
    ];

    /// What kind of exit this is.
    pub const fn class(self) -> ExitClass {
        match self.value {
            0..8 => ExitClass::Forwarded,
            8..16 => ExitClass::Tunnel,
            16..48 => ExitClass::Punted,
            _ => ExitClass::Dropped,
        }
    }
}
