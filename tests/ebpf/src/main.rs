//! eBPF programs of the benchmarks: peers of the fast path, and what measures it. A file for each benchmark's.
#![no_std]
#![no_main]
#![expect(missing_docs, reason = "aya's macros make functions of their own around the entry points")]

mod empty;

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
