//! Netlink attributes: type, length and value, and the values that occur in several messages.

use std::net::IpAddr;

use raas_common::Mac;

/// Iterates over attributes: type (without its flag bits) and value. Ends at the first that does not fit.
pub struct Attributes<'a>(pub &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        const HEADER_LEN: usize = 4;
        /// `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
        const FLAGS: u16 = 0xc000;
        let &[l0, l1, k0, k1] = self.0.first_chunk::<HEADER_LEN>()?;
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let value = self.0.get(HEADER_LEN..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some((u16::from_ne_bytes([k0, k1]) & !FLAGS, value))
    }
}

/// An integer in host byte order.
pub fn u16_of(value: &[u8]) -> Option<u16> {
    value.try_into().ok().map(u16::from_ne_bytes)
}

/// An integer in host byte order. Interface indexes are signed in some headers, but never negative.
pub fn u32_of(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_ne_bytes)
}

/// An address of either family, by its length.
pub fn ip(value: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(value)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(value).map(IpAddr::from))
        .ok()
}

/// A MAC address; `None` if the link layer's addresses are of another size.
pub fn mac(value: &[u8]) -> Option<Mac> {
    value.try_into().ok().map(Mac::new)
}
