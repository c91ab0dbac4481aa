//! On the real kernel: each test is a thread with a network and a mount namespace of its own, which end with
//! it.

mod attach;
mod memory;
mod tables;

use std::{
    net::UdpSocket,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use aya::{TestRun as _, TestRunOptions, programs::Xdp};
use aya_obj::programs::XdpAttachType;
use nix::{
    mount::{MsFlags, mount},
    net::if_::if_nametoindex,
    sched::{CloneFlags, unshare},
    unistd::geteuid,
};

use super::*;
use crate::EBPF_OBJECT;

const FIB_NODES: u32 = 64;
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs `test` in fresh namespaces, with a directory for pins (on a BPF file system once something is
/// loaded).
pub(crate) fn isolated(test: impl FnOnce(&Pins) + Send) {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let pins = Pins::new(directory.path().join("bpf"));
    let outcome = thread::scope(|scope| {
        let isolated = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
                .unwrap();
            test(&pins);
        });
        isolated.join()
    });
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// The pinned XDP program, run by itself.
pub(crate) struct Program(Xdp);

impl Program {
    pub(crate) fn open(pins: &Pins) -> Self {
        Self(Xdp::from_pin(pins.program("raas_xdp"), XdpAttachType::Interface).unwrap())
    }

    /// Runs it on a packet that came in at the loopback device. Gives what it said (`XDP_*`), and the packet
    /// afterwards.
    pub(crate) fn run(&self, packet: &[u8]) -> (u32, Vec<u8>) {
        let mut out = vec![0; packet.len() + 256];
        let options = TestRunOptions {
            data_in: Some(packet),
            data_out: Some(&mut out),
            repeat: 1,
            ..TestRunOptions::new()
        };
        let result = self.0.test_run(options).expect("BPF_PROG_TEST_RUN");
        out.truncate(result.data_size_out as usize);
        (result.return_value, out)
    }
}

pub(super) fn load(pins: &Pins) -> FastPath {
    FastPath::load(EBPF_OBJECT, pins, FIB_NODES).unwrap()
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A veth pair `port` and `peer`, up, with an address at the peer's end.
pub(super) fn veth() -> u32 {
    ip("link add port type veth peer name peer");
    ip("address add 192.0.2.1/24 dev peer");
    ip("link set port up");
    ip("link set peer up");
    if_nametoindex("port").unwrap()
}

fn packets(maps: &PinnedMaps, scope: u32) -> u64 {
    maps.counters.scope(scope).unwrap().iter().map(|(_, _, counter)| counter.packets).sum()
}

/// Sends broadcasts into `port` until a program counts one there.
fn assert_counts(maps: &PinnedMaps, scope: u32) {
    let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (start, before) = (Instant::now(), packets(maps, scope));
    while packets(maps, scope) == before {
        assert!(start.elapsed() < DEADLINE, "no program counts in scope {scope}");
        socket.send_to(b"x", "192.0.2.255:9").unwrap();
        drop(socket.recv(&mut [0]));
    }
}
