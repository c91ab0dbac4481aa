//! One's complement sums over any number of bytes (RFC 1071).

use aya_ebpf::helpers::bpf_csum_diff;

use super::{Cursor, fold};

/// Bytes added at a time: the helper takes at most 512 (`MAX_BPF_STACK`).
const WINDOW: u32 = 256;
/// Whole windows in the largest underlay MTU that can be configured.
const WINDOWS: u32 = 36;

/// The sum of the next `length` bytes, padded with a zero if that is odd. `None`: they are not all readable, or more
/// than any packet on an underlay has.
///
/// Each piece is found from the length alone, and not from the piece before: so the verifier sees the same state
/// whichever pieces there were.
#[inline(always)]
pub fn sum(cursor: &Cursor, length: u32) -> Option<u16> {
    if length >= (WINDOWS + 1) * WINDOW {
        return None;
    }
    let mut sum = 0;
    for window in 0..WINDOWS {
        if length < (window + 1) * WINDOW {
            break;
        }
        sum = add::<{ WINDOW as usize }>(&cursor.skip(window * WINDOW), sum)?;
    }
    sum = rest::<128>(cursor, length, sum)?;
    sum = rest::<64>(cursor, length, sum)?;
    sum = rest::<32>(cursor, length, sum)?;
    sum = rest::<16>(cursor, length, sum)?;
    sum = rest::<8>(cursor, length, sum)?;
    sum = rest::<4>(cursor, length, sum)?;
    let mut last = u32::from(fold(sum));
    if length & 2 != 0 {
        let word: [u8; 2] = cursor.skip(before(length, 2)).peek()?;
        last += u32::from(u16::from_ne_bytes(word));
    }
    if length & 1 != 0 {
        let byte: u8 = cursor.skip(before(length, 1)).peek()?;
        last += u32::from(u16::from_ne_bytes([byte, 0]));
    }
    Some(fold(last))
}

/// Adds the `N` bytes that the length's bit `N` stands for, if it is set.
#[inline(always)]
fn rest<const N: usize>(cursor: &Cursor, length: u32, sum: u32) -> Option<u32> {
    if length & N as u32 == 0 {
        return Some(sum);
    }
    add::<N>(&cursor.skip(before(length, N as u32)), sum)
}

/// Where the bytes begin that the length's bit `bit` stands for. (The mask is for the verifier.)
#[inline(always)]
fn before(length: u32, bit: u32) -> u32 {
    length & !(2 * bit - 1) & 0x3fff
}

#[inline(always)]
fn add<const N: usize>(cursor: &Cursor, sum: u32) -> Option<u32> {
    let bytes = cursor.bytes::<N>()?;
    // SAFETY: `N` readable bytes, a multiple of four; the helper reads them only, at any alignment.
    let sum =
        unsafe { bpf_csum_diff(core::ptr::null_mut(), 0, bytes.as_ptr().cast_mut().cast(), N as u32, sum) };
    u32::try_from(sum).ok()
}
