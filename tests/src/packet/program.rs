//! One loaded program and its maps.

use std::{
    any::Any,
    borrow::Borrow,
    collections::{BTreeMap, HashMap, hash_map::Entry},
    hash::Hash,
};

use aya::{
    TestRun, TestRunOptions,
    maps::{Array, Map, MapData, PerCpuArray, xdp::DevMapHash},
    programs::{SchedClassifier, TcAttachType, TestRunResult, Xdp},
};
use raas_agent::{
    exact::{ExactTable, ExactValue, Words as _, length},
    platform::bpf::{Loader, Mapped, Membarrier, Object, Table},
};
use raas_common::{Counter, ExactKey, Exit, MAX_EXITS, Pod, Trace, TraceStep, counter_index};

/// `BPF_PROG_TEST_RUN` gives a packet to the loopback device unless told otherwise.
pub const INGRESS: u32 = 1;

/// The two hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Native XDP.
    Xdp,
    /// TC, ingress.
    Tc,
}

impl Hook {
    /// Each once.
    pub const BOTH: [Self; 2] = [Self::Xdp, Self::Tc];
}

/// What a program said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// On to the kernel.
    Passed,
    /// Discarded.
    Dropped,
    /// Out of an interface.
    Redirected,
    /// Something else: the return value.
    Other(u32),
}

/// A GSO packet, as the kernel would describe it to a TC program.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gso {
    /// How many segments it will become.
    pub segments: u32,
    /// Payload bytes of each.
    pub size: u32,
}

/// A program, loaded with maps of its own.
pub struct Program {
    /// The hook that it is written for.
    pub hook: Hook,
    name: &'static str,
    ebpf: Object,
    /// The exact-match tables that were written to, by map.
    tables: HashMap<String, Box<dyn Any + Send>>,
}

impl Program {
    /// Loads the fast path's program for a hook.
    pub fn load(hook: Hook) -> Self {
        Self::of(raas_agent::EBPF_OBJECT, hook, if hook == Hook::Xdp { "raas_xdp" } else { "raas_tc" })
    }

    /// The twin that traces.
    pub fn load_explain(hook: Hook) -> Self {
        let name = if hook == Hook::Xdp { "raas_xdp_explain" } else { "raas_tc_explain" };
        Self::of(raas_agent::EBPF_OBJECT, hook, name)
    }

    /// Loads a program of an object, of which it need not be the only one.
    pub fn of(object: &[u8], hook: Hook, name: &'static str) -> Self {
        let mut ebpf = Loader::new(object).load().expect("the object loads (as root)");
        let program = ebpf.program_mut(name).unwrap_or_else(|| panic!("program {name}"));
        match hook {
            Hook::Xdp => <&mut Xdp>::try_from(program).unwrap().load(),
            Hook::Tc => <&mut SchedClassifier>::try_from(program).unwrap().load(),
        }
        .unwrap_or_else(|error| panic!("the verifier refuses {name}: {error}"));
        Self { hook, name, ebpf, tables: HashMap::new() }
    }

    /// Attaches the program to an interface of the calling thread's network namespace, for as long as it is
    /// loaded.
    pub fn attach(&mut self, interface: &str) {
        assert_eq!(self.hook, Hook::Tc);
        let program: &mut SchedClassifier = self.ebpf.program_mut(self.name).unwrap().try_into().unwrap();
        program.attach(interface, TcAttachType::Ingress).expect("attaching to a TC hook");
    }

    /// Runs the program on one packet. Gives what it said, and the packet afterwards.
    pub fn run(&self, packet: &[u8], gso: Gso) -> (Verdict, Vec<u8>) {
        let mut out = vec![0; packet.len() + 256];
        let result = self.test_run(packet, &mut out, gso, 1);
        out.truncate(result.data_size_out as usize);
        let verdict = match (self.hook, result.return_value as i32) {
            (Hook::Xdp, 1) | (Hook::Tc, 2) => Verdict::Dropped,
            (Hook::Xdp, 2) | (Hook::Tc, -1) => Verdict::Passed,
            (Hook::Xdp, 4) | (Hook::Tc, 7) => Verdict::Redirected,
            _ => Verdict::Other(result.return_value),
        };
        (verdict, out)
    }

    /// Runs the program `repeat` times; the packet is not restored in between.
    pub fn test_run(&self, packet: &[u8], out: &mut [u8], gso: Gso, repeat: u32) -> TestRunResult {
        let context = sk_buff(gso);
        let mut options =
            TestRunOptions { data_in: Some(packet), data_out: Some(out), ..TestRunOptions::new() };
        options.repeat = repeat;
        match self.hook {
            Hook::Xdp => {
                let program: &Xdp = self.ebpf.program(self.name).unwrap().try_into().unwrap();
                program.test_run(options)
            }
            Hook::Tc => {
                options.ctx_in = Some(&context);
                let program: &SchedClassifier = self.ebpf.program(self.name).unwrap().try_into().unwrap();
                program.test_run(options)
            }
        }
        .expect("BPF_PROG_TEST_RUN")
    }

    /// Writes an element of an array map, or of the one array in it.
    pub fn set<V: Pod>(&mut self, map: &str, index: u32, value: V) {
        let Map::Array(data) = self.ebpf.map(map).unwrap_or_else(|| panic!("map {map}")) else {
            panic!("{map} is no array");
        };
        match Mapped::of(data) {
            Ok(mapped) => mapped.write(index as usize * length::<V>(), &value),
            // Not memory-mapped.
            Err(_) => self.map::<Array<&mut MapData, V>>(map).set(index, value, 0).unwrap(),
        }
    }

    /// Inserts into an exact-match table.
    pub fn insert<K: ExactKey + Hash + Pod + Send, V: ExactValue<K> + Send>(
        &mut self,
        map: &str,
        key: impl Borrow<K>,
        value: impl Borrow<V>,
    ) {
        self.table(map).insert(*key.borrow(), *value.borrow()).expect("there is room");
    }

    /// Removes every element of an exact-match table.
    pub fn clear<K: ExactKey + Hash + Pod + Send, V: ExactValue<K> + Send>(&mut self, map: &str) {
        self.table::<K, V>(map).sync(&HashMap::new()).expect("nothing to insert");
    }

    fn table<K: ExactKey + Hash + Pod + Send, V: ExactValue<K> + Send>(
        &mut self,
        map: &str,
    ) -> &mut Table<K, V> {
        let table = match self.tables.entry(map.to_owned()) {
            Entry::Occupied(table) => table.into_mut(),
            Entry::Vacant(table) => {
                let Some(Map::Array(data)) = self.ebpf.map(map) else { panic!("{map} is no table") };
                let words = Mapped::of(data).expect("it is memory-mapped");
                table.insert(Box::new(ExactTable::<K, V, _, _>::new(words, Membarrier)))
            }
        };
        table.downcast_mut().expect("a table has one type of key and value")
    }

    /// Makes these interface indexes ones that XDP may redirect to (they all stand for the loopback device).
    pub fn set_devices(&mut self, indexes: &[u32]) {
        let mut map: DevMapHash<&mut MapData> = self.map("DEVICES");
        let keys: Vec<u32> = map.keys().map(Result::unwrap).collect();
        for key in keys {
            map.remove(key).unwrap();
        }
        for &index in indexes {
            map.insert(index, INGRESS, None, 0).unwrap();
        }
    }

    /// The counters of these scopes that are not zero.
    pub fn counters(&mut self, scopes: &[u32]) -> BTreeMap<(u32, Exit), Counter> {
        let map: PerCpuArray<&mut MapData, Counter> = self.map("COUNTERS");
        let mut counters = BTreeMap::new();
        for &scope in scopes {
            for exit in (0..MAX_EXITS).map(|value| Exit { value }) {
                let mut sum = Counter::default();
                for counter in map.get(&counter_index(scope, exit), 0).unwrap().iter() {
                    sum.packets += counter.packets;
                    sum.bytes += counter.bytes;
                }
                if sum != Counter::default() {
                    counters.insert((scope, exit), sum);
                }
            }
        }
        counters
    }

    /// Whether the program refers to a map.
    pub fn uses(&self, map: &str) -> bool {
        let map = self.ebpf.map(map).unwrap();
        let (Map::Array(data) | Map::PerCpuArray(data)) = map else { panic!("another kind of map") };
        let program = self.ebpf.program(self.name).unwrap().info().unwrap();
        program.map_ids().unwrap().unwrap().contains(&data.info().unwrap().id())
    }

    /// Takes the trace of what ran since the last call.
    pub fn take_trace(&mut self) -> Vec<TraceStep> {
        let map: Array<&mut MapData, Trace> = self.map("TRACE");
        let trace = map.get(&0, 0).unwrap();
        self.set("TRACE", 0, Trace::default());
        trace.steps[..trace.taken as usize].to_vec()
    }

    fn map<'a, M>(&'a mut self, name: &str) -> M
    where
        M: TryFrom<&'a mut Map>,
        M::Error: std::fmt::Debug,
    {
        self.ebpf.map_mut(name).unwrap_or_else(|| panic!("map {name}")).try_into().unwrap()
    }
}

/// `struct __sk_buff` of <linux/bpf.h>, with the fields that a test run may set.
fn sk_buff(gso: Gso) -> [u8; 192] {
    let mut bytes = [0; 192];
    let mut set = |offset: usize, value: u32| bytes[offset..offset + 4].copy_from_slice(&value.to_ne_bytes());
    set(36, INGRESS); // ingress_ifindex
    set(164, gso.segments); // gso_segs
    set(176, gso.size); // gso_size
    bytes
}
