//! Where packets enter the fast path. Map `PORTS`: [`Ports`](crate::Ports), interface index (hypervisor's
//! namespace) → [`Port`].

use crate::{Mac, assert_size, named_values};

/// Slots for interfaces with a program of ours on one hypervisor; slot 0 is never used.
pub const MAX_PORTS: u32 = 4096;

named_values! {
    /// What kind of interface a program of ours sits on.
    PortKind {
        /// A bridge port that leads to an endpoint. `owner` is its bridge domain.
        ENDPOINT = 1,
        /// A NIC of the underlay. `owner` is 0.
        UPLINK = 2,
        /// The hypervisor's end of a GRE tunnel's veth: what comes out of a router and is to be encapsulated.
        /// `owner` is the tunnel.
        TUNNEL = 3,
    }
}

/// An interface with a program of ours.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Port {
    /// What this interface is.
    pub kind: PortKind,
    /// Bridge domain ([`PortKind::ENDPOINT`]), tunnel ([`PortKind::TUNNEL`]) or 0.
    pub owner: u32,
    /// Counter scope of what enters here.
    pub scope: u32,
    /// The one source MAC known behind this port, so that the common case needs no FDB lookup. Zero: none or several;
    /// then the sender must stand in the FDB with this port.
    pub source: Mac,
    /// Explicit padding, zero.
    pub pad: u16,
}

impl Port {
    /// [`source`](Self::source) in a register, as [`Mac::word`] has it.
    #[inline(always)]
    pub const fn source_word(&self) -> u64 {
        self.source.word_with(self.pad)
    }
}

assert_size!(Port, 20);
