//! TAP devices: an interface whose cable is a file. What is written to it arrives at the interface, hooks and
//! all, before the write returns; what the interface sends can be read.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read as _, Write as _},
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
    process::Command,
};

use nix::{libc, net::if_::if_nametoindex};

nix::ioctl_write_ptr_bad!(
    /// Makes the file the other end of an interface's cable (drivers/net/tun.c).
    attach,
    libc::TUNSETIFF,
    libc::ifreq
);

/// Above every packet here, so that no device is the reason why one does not arrive.
pub const DEVICE_MTU: u32 = 4000;

/// An interface of the thread's network namespace, up, without addresses. It goes with its file.
pub struct Tap {
    pub index: u32,
    cable: File,
}

impl Tap {
    pub fn new(name: &str) -> Self {
        // Waiting writes would go to XDP the long way round (`tun_can_build_skb`).
        let cable = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/net/tun")
            .expect("TAP devices (as root)");
        // SAFETY: `ifreq` is a C structure of integers and pointers, for which zeroes are valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        assert!(name.len() < request.ifr_name.len(), "{name} is too long");
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
            *to = from.cast_signed();
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI) as i16;
        // SAFETY: `request` is a valid `ifreq` for the duration of the call.
        unsafe { attach(cable.as_raw_fd(), &raw const request) }.expect("TUNSETIFF");
        let words = format!("link set {name} mtu {DEVICE_MTU} up");
        let status = Command::new("ip").args(words.split(' ')).status().expect("ip");
        assert!(status.success(), "ip {words}");
        Self { index: if_nametoindex(name).expect("made just now"), cable }
    }

    /// Lets a frame arrive at the interface.
    pub fn write(&mut self, frame: &[u8]) {
        // The kernel answers EINVAL and the like to what is no frame at all; that one just does not arrive.
        let _ = self.cable.write(frame);
    }

    /// The next frame that the interface sent.
    pub fn read(&mut self) -> Option<Vec<u8>> {
        let mut frame = vec![0; DEVICE_MTU as usize + 100];
        match self.cable.read(&mut frame) {
            Ok(len) => {
                frame.truncate(len);
                Some(frame)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("reading a TAP device: {error}"),
        }
    }
}
