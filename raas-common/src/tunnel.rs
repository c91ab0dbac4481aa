//! Tunnels. Maps `TUNNELS`: [`Tunnels`](crate::Tunnels), [`TunnelKey`] → [`TunnelIngress`] (what may come in); `ENCAPS`: [`Encaps`]
//! (how to send).

use crate::{Be32, Mac, assert_size, named_values};

/// Most tunnels on one hypervisor. Tunnel 0 is never used.
pub const MAX_TUNNELS: u32 = 1024;

/// UDP destination port of VXLAN (RFC 7348, section 5).
pub const VXLAN_PORT: u16 = 4789;

/// Room for an outer header: Ethernet 14 + IPv4 20 + UDP 8 + VXLAN 8 = 50, or 42 for keyed GRE.
pub const ENCAP_HEADER_LEN: usize = 64;

named_values! {
    /// What kind of tunnel.
    TunnelKind {
        /// GRE without a key (RFC 2784).
        GRE = 1,
        /// GRE with a key (RFC 2890).
        GRE_KEYED = 2,
        /// VXLAN (RFC 7348).
        VXLAN = 3,
    }
}

/// What a tunnel packet says of itself: only a packet that matches one is decapsulated.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TunnelKey {
    /// Outer source: the peer.
    pub remote: Be32,
    /// Outer destination: this hypervisor.
    pub local: Be32,
    /// What kind of tunnel.
    pub kind: TunnelKind,
    /// GRE key, VNI (in the low 24 bits), or 0.
    pub key: Be32,
}

/// What a decapsulated packet enters.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TunnelIngress {
    /// The tunnel, index into `ENCAPS`.
    pub tunnel: u32,
    /// GRE: the router that the inner packet enters. VXLAN: the bridge domain that the inner frame enters.
    pub owner: u32,
    /// GRE: interface index (hypervisor's namespace) of the tunnel's veth, where a packet that is not fast-forwarded is
    /// handed to the router. VXLAN: 0, the kernel's own VXLAN device takes it.
    pub device: u32,
    /// Counter scope of what this tunnel brings in.
    pub scope: u32,
    /// GRE: MAC of the router's end of the veth.
    pub mac: Mac,
    /// Explicit padding, zero.
    pub pad: u16,
}

/// One version of a tunnel's outer headers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encap {
    /// Interface index of the uplink to send on; 0: the underlay nexthop is not resolved.
    pub egress: u32,
    /// What kind of tunnel.
    pub kind: TunnelKind,
    /// Bytes of `header` in use, Ethernet header included: 38, 42 or 50.
    pub len: u32,
    /// One's complement sum (not folded, not complemented, of words as they lie in memory) of the outer IPv4 header with
    /// total length, identification, TOS and checksum zero. The program adds what it patches, folds and complements.
    pub checksum: u32,
    /// Counter scope of what this tunnel sends.
    pub scope: u32,
    /// Outer Ethernet, IPv4 (DF set, ID 0, RFC 6864) and GRE or UDP + VXLAN. The program patches IPv4 total length, TOS and
    /// checksum, UDP length and source port; the UDP checksum stays 0 (RFC 7348, section 5; RFC 6935).
    pub header: [u8; ENCAP_HEADER_LEN],
}

impl Default for Encap {
    fn default() -> Self {
        Self {
            egress: 0,
            kind: TunnelKind { value: 0 },
            len: 0,
            checksum: 0,
            scope: 0,
            header: [0; ENCAP_HEADER_LEN],
        }
    }
}

/// Value of map `ENCAPS`: outer headers, by tunnel.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Encaps {
    /// A slot for each tunnel.
    pub slots: [EncapSlot; MAX_TUNNELS as usize],
}

/// Outer headers of one tunnel. The agent writes the copy that is not active, flips `active` with one store, and waits for an
/// RCU grace period before it writes again: a reader never sees a header that is half old, half new.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EncapSlot {
    /// Index of the copy in use: 0 or 1.
    pub active: u32,
    /// Explicit padding, zero.
    pub pad: u32,
    /// The two copies.
    pub copies: [Encap; 2],
}

assert_size!(TunnelKey, 16);
assert_size!(TunnelIngress, 24);
assert_size!(Encap, 84);
assert_size!(EncapSlot, 176);
assert_size!(Encaps, 176 * MAX_TUNNELS as usize);
const _: () = assert!(MAX_TUNNELS.is_power_of_two());
