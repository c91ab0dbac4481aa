//! System calls that neither aya nor nix wrap.
#![expect(unsafe_code, reason = "system calls")]

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::Path,
};

/// `enum bpf_cmd` (linux/bpf.h).
const BPF_OBJ_GET: libc::c_long = 7;
const BPF_OBJ_GET_INFO_BY_FD: libc::c_long = 15;

/// `union bpf_attr`, the part for `BPF_OBJ_GET`.
#[repr(C)]
struct ObjGet {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// `union bpf_attr`, the part for `BPF_OBJ_GET_INFO_BY_FD`.
#[repr(C)]
struct ObjGetInfo {
    bpf_fd: u32,
    info_len: u32,
    info: u64,
}

/// `struct bpf_link_info`, as far as XDP and tcx links go.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct LinkInfo {
    kind: u32,
    id: u32,
    program: u32,
    pad: u32,
    interface: u32,
    attach_type: u32,
}

/// Interface index that a pinned XDP or tcx link is attached to; 0 when the interface is gone.
pub(super) fn link_interface(pin: &Path) -> io::Result<u32> {
    Ok(link_info(pin)?.interface)
}

/// Id of the program that a pinned XDP or tcx link holds.
pub(super) fn link_program(pin: &Path) -> io::Result<u32> {
    Ok(link_info(pin)?.program)
}

fn link_info(pin: &Path) -> io::Result<LinkInfo> {
    let path = CString::new(pin.as_os_str().as_bytes())?;
    let get = ObjGet { pathname: path.as_ptr() as u64, bpf_fd: 0, file_flags: 0 };
    // SAFETY: the kernel reads `size_of::<ObjGet>()` bytes at `get`, and the string that it points to.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, BPF_OBJ_GET, &raw const get, size_of::<ObjGet>()) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call returned a descriptor that nobody else owns.
    let link = unsafe { OwnedFd::from_raw_fd(fd as i32) };

    let mut info = LinkInfo::default();
    let get = ObjGetInfo {
        bpf_fd: link.as_raw_fd() as u32,
        info_len: size_of::<LinkInfo>() as u32,
        info: (&raw mut info) as u64,
    };
    // SAFETY: the kernel reads `size_of::<ObjGetInfo>()` bytes at `get` and writes at most `info_len` bytes
    // to `info`.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &raw const get, size_of::<ObjGetInfo>())
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(info)
}

/// Waits for an RCU grace period of the kernel (`membarrier(2)`, `MEMBARRIER_CMD_GLOBAL`).
pub(super) fn membarrier_global() -> io::Result<()> {
    const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;
    // SAFETY: no memory is passed.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
