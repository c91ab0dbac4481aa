//! What the flow hash and GSO need of transport headers.

use raas_common::Be32;

use super::Cursor;

/// Source and destination port, in one word.
pub type Ports = Be32;

/// Length in bytes of the TCP header at `cursor`, from its data offset (RFC 9293, section 3.1).
#[inline(always)]
pub fn tcp_header_len(cursor: &Cursor) -> Option<u32> {
    let data_offset: u8 = cursor.skip(12).peek()?;
    Some(u32::from(data_offset >> 4) * 4)
}
