//! Congestion marks across a tunnel's end (RFC 6040, section 4.2).
//!
//! Exits: `DROP_ECN`.

use raas_common::Exit;

const MASK: u8 = 3;
const NOT_ECT: u8 = 0;
const ECT_1: u8 = 1;
const ECT_0: u8 = 2;
const CE: u8 = 3;

/// The inner TOS as it leaves the tunnel. Without a tunnel, `outer` is 0 and nothing changes.
#[inline(always)]
pub fn decapsulate(outer: u8, inner: u8) -> Result<u8, Exit> {
    match (inner & MASK, outer & MASK) {
        (NOT_ECT, CE) => Err(Exit::DROP_ECN),
        (ECT_0, ECT_1) => Ok(inner & !MASK | ECT_1),
        (ECT_0 | ECT_1, CE) => Ok(inner | CE),
        _ => Ok(inner),
    }
}
