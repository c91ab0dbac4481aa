//! The program under test: loaded, with the network in its maps, on TAP devices of a namespace of its own.

use std::{collections::BTreeMap, thread};

use aya::{
    TestRun as _, TestRunOptions,
    programs::{SchedClassifier, Xdp},
};
use aya_obj::programs::XdpAttachType;
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use raas_agent::{
    EBPF_OBJECT,
    platform::bpf::{self, FastPath, PinnedMaps, Pins},
};
use raas_common::{Counter, Exit, MAX_EXITS};

use crate::{
    install::install,
    model::World,
    network::network,
    oracle::{Devices, Hook, Input},
    tap::Tap,
};

const FIB_NODES: u32 = 1024;

/// What the program said, and the packet afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    pub verdict: Verdict,
    pub frame: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    Dropped,
    Redirected,
    Other(u32),
}

enum Program {
    Xdp(Xdp),
    Tc(SchedClassifier),
}

pub struct Rig {
    pub hook: Hook,
    pub world: World,
    program: Program,
    maps: PinnedMaps,
    fast_path: bool,
    devices: Devices,
    /// In the order of the world's interfaces.
    pub taps: Vec<Tap>,
    /// Everything that was counted so far.
    counted: BTreeMap<(u32, Exit), Counter>,
}

/// Runs `test` with a rig, in namespaces that end with it, pins and devices included.
pub fn with_rig<T: Send>(hook: Hook, test: impl FnOnce(&mut Rig) -> T + Send) -> T {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let pins = Pins::new(directory.path().join("bpf"));
    thread::scope(|scope| {
        let isolated = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("namespaces (as root)");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("private mounts");
            test(&mut Rig::new(hook, &pins))
        });
        isolated.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

impl Rig {
    fn new(hook: Hook, pins: &Pins) -> Self {
        // An interface with IPv6 sends packets of its own, which would be counted.
        std::fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1").expect("a sysctl");
        let world = network();
        let taps: Vec<Tap> = world.interfaces.iter().map(|interface| Tap::new(interface.name)).collect();
        for (tap, interface) in taps.iter().zip(&world.interfaces) {
            assert_eq!(tap.index, interface.index, "{}", interface.name);
        }
        let mut fast_path = FastPath::load(EBPF_OBJECT, pins, FIB_NODES).expect("the programs load");
        let mut maps = install(&world, pins).expect("the maps take the network");
        for (tap, interface) in taps.iter().zip(&world.interfaces) {
            maps.devices.insert(tap.index).expect("a device");
            let at = match hook {
                Hook::Xdp => bpf::Hook::Xdp,
                Hook::Tc => bpf::Hook::Tc,
            };
            fast_path.attach(interface.name, at).expect("the program attaches");
        }
        let program = match hook {
            Hook::Xdp => {
                let pin = pins.program("raas_xdp");
                Program::Xdp(Xdp::from_pin(pin, XdpAttachType::Interface).expect("a pinned program"))
            }
            Hook::Tc => {
                Program::Tc(SchedClassifier::from_pin(pins.program("raas_tc")).expect("a pinned program"))
            }
        };
        Self {
            hook,
            world,
            program,
            maps,
            fast_path: false,
            devices: Devices::All,
            taps,
            counted: BTreeMap::new(),
        }
    }

    /// Makes the switch and the device map what the input says they are.
    pub fn arrange(&mut self, input: &Input) {
        if self.fast_path != input.fast_path {
            self.maps.set_fast_path(input.fast_path).expect("the switch");
            self.fast_path = input.fast_path;
        }
        if self.hook == Hook::Xdp && self.devices != input.devices {
            for index in self.world.interfaces.iter().map(|interface| interface.index) {
                match (self.devices.has(index), input.devices.has(index)) {
                    (false, true) => self.maps.devices.insert(index).expect("a device"),
                    (true, false) => drop(self.maps.devices.remove(index).expect("a device")),
                    _ => {}
                }
            }
            self.devices = input.devices;
        }
    }

    /// One test run. `None`: the kernel builds no such packet.
    pub fn run(&mut self, input: &Input) -> Option<Observed> {
        self.arrange(input);
        let mut frame = vec![0; input.frame.len() + 256];
        let context = match self.hook {
            Hook::Xdp => xdp_md(input).to_vec(),
            Hook::Tc => sk_buff(input).to_vec(),
        };
        let mut options = TestRunOptions::new();
        options.data_in = Some(&input.frame);
        options.data_out = Some(&mut frame);
        options.ctx_in = Some(&context);
        let result = match &self.program {
            Program::Xdp(program) => program.test_run(options),
            Program::Tc(program) => program.test_run(options),
        };
        let Ok(result) = result else { return None };
        frame.truncate(result.data_size_out as usize);
        let verdict = match (self.hook, result.return_value.cast_signed()) {
            (Hook::Xdp, 1) | (Hook::Tc, 2) => Verdict::Dropped,
            (Hook::Xdp, 2) | (Hook::Tc, -1) => Verdict::Passed,
            (Hook::Xdp, 4) | (Hook::Tc, 7) => Verdict::Redirected,
            _ => Verdict::Other(result.return_value),
        };
        Some(Observed { verdict, frame })
    }

    /// Whether of these counters each moved by this much, and is where it belongs with that.
    pub fn counted_once(&mut self, counts: &[(u32, Exit)], moved: Counter) -> bool {
        let mut expected = BTreeMap::new();
        for &at in counts {
            let counter =
                expected.entry(at).or_insert_with(|| self.counted.get(&at).copied().unwrap_or_default());
            counter.packets += moved.packets;
            counter.bytes += moved.bytes;
        }
        let right = expected.iter().all(|(&(scope, exit), counter)| {
            self.maps.counters.get(scope, exit).expect("a counter") == *counter
        });
        if right {
            self.counted.extend(expected);
        }
        right
    }

    /// Reads all counters: what moved that [`counted_once`](Self::counted_once) did not see.
    pub fn uncounted(&mut self) -> BTreeMap<(u32, Exit), Counter> {
        let interfaces = self.world.interfaces.iter().map(|interface| interface.scope);
        let tunnels = self.world.tunnels.iter().map(|tunnel| tunnel.scope);
        let mut moved = BTreeMap::new();
        for scope in interfaces.chain(tunnels).chain([0]).collect::<Vec<_>>() {
            for exit in (0..MAX_EXITS).map(|value| Exit { value }) {
                let now = self.maps.counters.get(scope, exit).expect("a counter");
                let before = self.counted.insert((scope, exit), now).unwrap_or_default();
                let difference =
                    Counter { packets: now.packets - before.packets, bytes: now.bytes - before.bytes };
                if difference != Counter::default() {
                    moved.insert((scope, exit), difference);
                }
            }
        }
        moved
    }
}

/// `struct xdp_md` of <linux/bpf.h>: data, data_end, data_meta, ingress_ifindex, rx_queue_index,
/// egress_ifindex.
fn xdp_md(input: &Input) -> [u8; 24] {
    let mut bytes = [0; 24];
    bytes[4..8].copy_from_slice(&(input.frame.len() as u32).to_ne_bytes());
    bytes[12..16].copy_from_slice(&input.ingress.to_ne_bytes());
    bytes
}

/// `struct __sk_buff` of <linux/bpf.h>, with the fields that a test run may set. A stripped VLAN tag is none
/// of them (net/bpf/test_run.c, `convert___skb_to_skb`).
fn sk_buff(input: &Input) -> [u8; 192] {
    assert_eq!(input.stripped, None, "a test run cannot strip a tag");
    let mut bytes = [0; 192];
    let mut set = |offset: usize, value: u32| bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    set(36, input.ingress); // ingress_ifindex
    set(164, input.gso.segments); // gso_segs
    set(176, input.gso.size); // gso_size
    bytes
}
