//! Many elements of a map with one system call.
#![expect(unsafe_code, reason = "a system call that aya does not wrap")]

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _},
};

use aya::maps::MapData;

/// `enum bpf_cmd` (linux/bpf.h).
const BPF_MAP_UPDATE_BATCH: libc::c_long = 26;

/// `union bpf_attr`, the part for batches.
#[repr(C)]
struct Batch {
    in_batch: u64,
    out_batch: u64,
    keys: u64,
    values: u64,
    count: u32,
    map_fd: u32,
    elem_flags: u64,
    flags: u64,
}

/// Writes elements whose keys and values have no padding, and the sizes that the map was made with.
pub fn update<K: Copy, V: Copy>(map: &MapData, keys: &[K], values: &[V]) -> io::Result<()> {
    assert_eq!(keys.len(), values.len(), "a value for each key");
    let info = map.info().map_err(io::Error::other)?;
    assert_eq!((info.key_size() as usize, info.value_size() as usize), (size_of::<K>(), size_of::<V>()));
    let batch = Batch {
        in_batch: 0,
        out_batch: 0,
        keys: keys.as_ptr() as u64,
        values: values.as_ptr() as u64,
        count: u32::try_from(keys.len()).map_err(io::Error::other)?,
        map_fd: map.fd().as_fd().as_raw_fd() as u32,
        elem_flags: 0,
        flags: 0,
    };
    // SAFETY: the kernel reads `size_of::<Batch>()` bytes at `batch`, and `count` keys and values of the sizes
    // asserted above.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_MAP_UPDATE_BATCH, &raw const batch, size_of::<Batch>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
