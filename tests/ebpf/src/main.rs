//! eBPF programs of the benchmarks: peers of the fast path, and what measures it. A file for each purpose.
#![no_std]
#![no_main]

mod empty;
mod flood;
mod forward;
mod lookup;
mod one_hop;
mod request;
mod restore;

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
