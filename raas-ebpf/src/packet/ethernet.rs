//! Ethernet II.

use raas_common::{Be16, Mac};

use super::{Cursor, Wire};

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

    /// What follows is a VLAN tag.
    #[inline(always)]
    pub fn is_tag(ethertype: u16) -> bool {
        matches!(ethertype, Self::VLAN | Self::SERVICE_VLAN)
    }
}

/// A MAC address in a register, as [`Mac::word`] has it. (Six bytes on the stack would be stored as LLVM likes,
/// and the verifier wants stores to the stack aligned.)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(u64);

impl Address {
    /// Group bit (IEEE 802, I/G): multicast or broadcast.
    #[inline(always)]
    pub fn is_group(self) -> bool {
        self.0 & 1 != 0
    }

    /// All zero: nobody's address.
    #[inline(always)]
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same address with the other value of the U/L bit.
    #[inline(always)]
    pub fn with_other_scope(self) -> Self {
        Self(self.0 ^ 2)
    }

    /// As it lies in memory, in the lower 48 bits.
    #[inline(always)]
    pub fn word(self) -> u64 {
        self.0
    }

    /// From the lower 48 bits.
    #[inline(always)]
    pub fn from_word(word: u64) -> Self {
        Self(word & 0xffff_ffff_ffff)
    }
}

impl From<&Mac> for Address {
    #[inline(always)]
    fn from(mac: &Mac) -> Self {
        Self(mac.word())
    }
}

/// An Ethernet header as it lies in a packet.
#[repr(C, packed)]
#[derive(Clone, Copy)]
struct Header {
    /// The destination, and the first two bytes of the source.
    first: u64,
    /// The rest of the source.
    second: u32,
    ethertype: Be16,
}

// SAFETY: packed integers, 14 bytes.
unsafe impl Wire for Header {}

/// An Ethernet header.
#[derive(Clone, Copy)]
pub struct Ethernet {
    pub destination: Address,
    pub source: Address,
    pub ethertype: u16,
}

impl Ethernet {
    /// Length in bytes.
    pub const LEN: u32 = size_of::<Header>() as u32;

    /// Reads the header at the cursor and moves behind it.
    #[inline(always)]
    pub fn take(cursor: &mut Cursor) -> Option<Self> {
        let header: Header = cursor.take()?;
        Some(Self {
            destination: Address::from_word(header.first),
            source: Address::from_word(header.first >> 48 | u64::from(header.second) << 16),
            ethertype: header.ethertype.get(),
        })
    }

    /// The frame carries a VLAN tag.
    #[inline(always)]
    pub fn is_tagged(&self) -> bool {
        EtherType::is_tag(self.ethertype)
    }

    /// As on the wire, in pieces that one instruction stores.
    #[inline(always)]
    pub fn write(&self, to: &mut [u8]) {
        let (destination, source) = (self.destination.word(), self.source.word());
        to[..8].copy_from_slice(&(destination | source << 48).to_le_bytes());
        to[8..12].copy_from_slice(&((source >> 16) as u32).to_le_bytes());
        to[12..14].copy_from_slice(&self.ethertype.to_be_bytes());
    }
}

/// What stands behind the EtherType of a tagged frame.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Tag {
    control: Be16,
    ethertype: Be16,
}

// SAFETY: `repr(C)` over integers, 4 bytes without padding.
unsafe impl Wire for Tag {}

impl Tag {
    /// The frame belongs to no VLAN: the tag is there for its priority (IEEE 802.1Q, VLAN 0).
    #[inline(always)]
    pub fn is_priority(self) -> bool {
        is_priority(self.control.get())
    }

    /// The EtherType of what the tag stands in front of.
    #[inline(always)]
    pub fn ethertype(self) -> u16 {
        self.ethertype.get()
    }
}

/// Tag control information that names VLAN 0.
#[inline(always)]
pub fn is_priority(control: u16) -> bool {
    control & 0xfff == 0
}
