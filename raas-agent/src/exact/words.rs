//! Memory that programs read while we write it: 32-bit words, each read and written as a whole.
#![expect(unsafe_code, reason = "plain values are taken apart into words, and put together again")]

use std::{
    mem::MaybeUninit,
    sync::atomic::{AtomicU32, Ordering},
};

use raas_common::Pod;

/// Such memory.
pub trait Words {
    /// The word at an index; panics if there is none.
    fn word(&self, index: usize) -> &AtomicU32;

    /// Publishes a word (release store): who sees it also sees all stores made before.
    #[inline]
    fn publish(&self, index: usize, word: u32) {
        self.word(index).store(word, Ordering::Release);
    }

    /// The word that stands there.
    #[inline]
    fn get(&self, index: usize) -> u32 {
        self.word(index).load(Ordering::Relaxed)
    }

    /// The value that stands at `index`.
    fn read<T: Pod>(&self, index: usize) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        for word in 0..length::<T>() {
            // SAFETY: within the value, whose size is a multiple of 4 (`length`); alignment is not asked for.
            unsafe { value.as_mut_ptr().cast::<u32>().add(word).write_unaligned(self.get(index + word)) };
        }
        // SAFETY: every byte is written, and every bit pattern is a `Pod` type's value.
        unsafe { value.assume_init() }
    }

    /// Writes a value that no reader can reach, or that was found wrong: one may see a part of it.
    fn write<T: Pod>(&self, index: usize, value: &T) {
        for word in 0..length::<T>() {
            // SAFETY: within the value, as above; a `Pod` type has no padding, so every byte is initialised.
            let bits = unsafe { std::ptr::from_ref(value).cast::<u32>().add(word).read_unaligned() };
            self.word(index + word).store(bits, Ordering::Relaxed);
        }
    }
}

/// Words that a `T` takes.
pub const fn length<T>() -> usize {
    const { assert!(size_of::<T>().is_multiple_of(4)) };
    size_of::<T>() / 4
}

/// Plain memory: for tests and benchmarks.
#[cfg(test)]
impl Words for std::sync::Arc<Vec<AtomicU32>> {
    fn word(&self, index: usize) -> &AtomicU32 {
        &self[index]
    }
}
