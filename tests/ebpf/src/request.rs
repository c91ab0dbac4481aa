//! What the kernel's `bpf_fib_lookup` is asked with.

use core::{mem::MaybeUninit, ptr};

use aya_ebpf::bindings::bpf_fib_lookup as Lookup;

/// Room for a question, aligned so that it is zeroed by words.
#[repr(C, align(8))]
pub struct Request(MaybeUninit<Lookup>);

impl Request {
    /// Room.
    #[inline(always)]
    pub fn room() -> Self {
        Self(MaybeUninit::uninit())
    }

    /// All zero, where it is. (`mem::zeroed` becomes a call of a function that writes byte by byte, as no C
    /// compiler would do it: that would be a handicap for the peer.)
    #[inline(always)]
    pub fn zeroed(&mut self) -> &mut Lookup {
        for word in 0..size_of::<Lookup>() / 8 {
            // SAFETY: within the request, which is aligned to words.
            unsafe { ptr::write_volatile(self.0.as_mut_ptr().cast::<u64>().add(word), 0) };
        }
        // SAFETY: plain integers, each written.
        unsafe { self.0.assume_init_mut() }
    }
}
