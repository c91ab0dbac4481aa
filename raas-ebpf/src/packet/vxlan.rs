//! UDP and VXLAN (RFC 7348).

use raas_common::{Be16, Be32};

use super::Wire;

/// A UDP header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Udp {
    pub source: Be16,
    pub destination: Be16,
    pub length: Be16,
    pub checksum: Be16,
}

// SAFETY: `repr(C)` over integers, 8 bytes without padding.
unsafe impl Wire for Udp {}

/// A VXLAN header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Vxlan {
    flags: Be32,
    vni: Be32,
}

// SAFETY: `repr(C)` over integers, 8 bytes without padding.
unsafe impl Wire for Vxlan {}

impl Vxlan {
    /// The I flag is set: there is a VNI. The other flags are to be ignored (RFC 7348, section 5).
    #[inline(always)]
    pub fn has_vni(&self) -> bool {
        self.flags.get() & 0x0800_0000 != 0
    }

    /// The VNI; the byte behind it is reserved.
    #[inline(always)]
    pub fn vni(&self) -> Be32 {
        Be32::new(self.vni.get() >> 8)
    }
}
