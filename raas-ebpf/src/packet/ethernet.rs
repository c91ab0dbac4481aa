//! Ethernet II.

use raas_common::{Be16, Mac};

use super::Wire;

/// EtherTypes that the pipeline knows.
pub struct EtherType;

impl EtherType {
    pub const IPV4: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    /// IEEE 802.1Q.
    pub const VLAN: u16 = 0x8100;
    pub const IPV6: u16 = 0x86dd;
    /// IEEE 802.1ad.
    pub const SERVICE_VLAN: u16 = 0x88a8;
}

/// An Ethernet header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ethernet {
    pub destination: Mac,
    pub source: Mac,
    pub ethertype: Be16,
}

// SAFETY: `repr(C)` over bytes and integers, 14 bytes without padding.
unsafe impl Wire for Ethernet {}

impl Ethernet {
    /// The frame carries a VLAN tag.
    #[inline(always)]
    pub fn is_tagged(&self) -> bool {
        matches!(self.ethertype.get(), EtherType::VLAN | EtherType::SERVICE_VLAN)
    }

    /// As on the wire.
    #[inline(always)]
    pub fn write(&self, to: &mut [u8]) {
        to[..6].copy_from_slice(&self.destination.bytes);
        to[6..12].copy_from_slice(&self.source.bytes);
        to[12..14].copy_from_slice(&self.ethertype.get().to_be_bytes());
    }
}
