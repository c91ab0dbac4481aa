//! A cursor over the bytes of a packet: every read and write is one bounds check, and this is the only file
//! that turns addresses into references.

/// What may be read from a packet: any bit pattern is valid, there is no padding.
///
/// # Safety
///
/// Implement it for plain integers and `repr(C)` structures of them only.
pub unsafe trait Wire: Copy {}

// SAFETY: plain integers, and arrays of them.
unsafe impl Wire for u8 {}
// SAFETY: as above.
unsafe impl<const N: usize> Wire for [u8; N] {}
// SAFETY: as above.
unsafe impl<const N: usize> Wire for [u32; N] {}
// SAFETY: `repr(transparent)` over an integer.
unsafe impl Wire for raas_common::Be32 {}

/// A position in a packet's linear bytes, and where they end.
pub struct Cursor {
    at: usize,
    end: usize,
}

impl Cursor {
    /// At the first byte of `start..end`, the bounds that the kernel gives to the program.
    #[inline(always)]
    pub fn new(start: usize, end: usize) -> Self {
        Self { at: start, end }
    }

    /// The same packet, `bytes` further on. May lie past the end: the next read will say so.
    #[inline(always)]
    pub fn skip(&self, bytes: u32) -> Self {
        Self { at: self.at + bytes as usize, end: self.end }
    }

    /// Reads what lies here without moving. `None`: the packet ends before.
    #[inline(always)]
    pub fn peek<T: Wire>(&self) -> Option<T> {
        if self.at + size_of::<T>() > self.end {
            return None;
        }
        // SAFETY: checked against the end just now, any bit pattern is a `T`, alignment is not asked for.
        Some(unsafe { (self.at as *const T).read_unaligned() })
    }

    /// Reads a header and moves behind it. `None`: the packet ends before.
    #[inline(always)]
    pub fn take<T: Wire>(&mut self) -> Option<T> {
        let header = self.peek()?;
        self.at += size_of::<T>();
        Some(header)
    }

    /// The next `N` bytes as they lie there. `None`: the packet ends before.
    #[inline(always)]
    pub fn bytes<const N: usize>(&self) -> Option<&[u8; N]> {
        if self.at + N > self.end {
            return None;
        }
        // SAFETY: checked against the end just now; the program owns the packet while it runs, and a write needs a
        // cursor of its own, before whose use this borrow ends.
        Some(unsafe { &*(self.at as *const [u8; N]) })
    }

    /// The next `N` bytes, to be written. `None`: the packet ends before.
    #[inline(always)]
    pub fn window<const N: usize>(&mut self) -> Option<&mut [u8; N]> {
        if self.at + N > self.end {
            return None;
        }
        // SAFETY: checked against the end just now; the program owns the packet while it runs, reads are
        // copies, and the borrow of this cursor keeps the window alone.
        Some(unsafe { &mut *(self.at as *mut [u8; N]) })
    }
}
