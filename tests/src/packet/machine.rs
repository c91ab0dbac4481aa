//! Network namespaces as machines, removed when they are dropped.

use std::{
    fs::File,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use nix::sched::{CloneFlags, setns};
use raas_common::Mac;

/// A network namespace of a name that nobody else has.
pub struct Machine {
    name: String,
}

impl Machine {
    /// Makes it, with its loopback up.
    #[expect(clippy::new_without_default, reason = "it makes something in the kernel")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("packet-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        run("ip", &["netns", "add", &name]);
        let machine = Self { name };
        machine.ip("link set lo up");
        machine
    }

    /// `ip`, in this namespace.
    pub fn ip(&self, words: &str) {
        let words: Vec<&str> = ["-n", &self.name].into_iter().chain(words.split(' ')).collect();
        run("ip", &words);
    }

    /// Joins two machines by a veth, both ends up.
    pub fn join(&self, here: &str, there: &Self, there_name: &str) {
        self.ip(&format!("link add {here} type veth peer name {there_name} netns {}", there.name));
        self.ip(&format!("link set {here} up"));
        there.ip(&format!("link set {there_name} up"));
    }

    /// Turns offloads of an interface off, by ethtool's names.
    pub fn turn_off(&self, interface: &str, offloads: &[&str]) {
        let words = offloads.iter().flat_map(|offload| [*offload, "off"]);
        let words: Vec<&str> = ["-K", interface].into_iter().chain(words).collect();
        self.within(|| run("ethtool", &words));
    }

    /// An address, a gateway behind it, and the gateway's MAC; no ARP.
    pub fn configure(&self, interface: &str, address: Ipv4Addr, gateway: Ipv4Addr, mac: Mac, mtu: u32) {
        self.ip(&format!("link set {interface} mtu {mtu}"));
        self.ip(&format!("addr add {address}/24 dev {interface}"));
        self.ip(&format!("neigh add {gateway} lladdr {mac} dev {interface}"));
        self.ip(&format!("route add default via {gateway}"));
    }

    /// Index of an interface.
    pub fn index(&self, interface: &str) -> u32 {
        self.attribute(interface, "ifindex").parse().unwrap()
    }

    /// MAC address of an interface.
    pub fn mac(&self, interface: &str) -> Mac {
        let text = self.attribute(interface, "address");
        let bytes: Vec<u8> = text.split(':').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        Mac::new(bytes.try_into().unwrap())
    }

    /// Sets a sysctl of this namespace, by its path under /proc/sys.
    pub fn sysctl(&self, path: &str, value: &str) {
        self.within(|| std::fs::write(Path::new("/proc/sys").join(path), value).unwrap());
    }

    /// A counter of <linux/snmp.h>, by its table and name in /proc/net/snmp.
    pub fn snmp(&self, table: &str, counter: &str) -> u64 {
        let text = self.within(|| std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap());
        let mut rows = text.lines().filter(|line| line.starts_with(&format!("{table}:")));
        let (names, values) = (rows.next().unwrap(), rows.next().unwrap());
        let at = names.split(' ').position(|name| name == counter).unwrap();
        values.split(' ').nth(at).unwrap().parse().unwrap()
    }

    /// Runs `work` on a thread in this namespace.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = self.file();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(File::open(file).unwrap(), CloneFlags::CLONE_NEWNET).unwrap();
                work()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// The namespace's file.
    pub fn file(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    /// /sys shows the namespace of the process that mounted it, so ask `ip`.
    fn attribute(&self, interface: &str, name: &str) -> String {
        let output = run("ip", &["-n", &self.name, "-j", "link", "show", "dev", interface]);
        let links: serde_json::Value = serde_json::from_str(&output).unwrap();
        let value = &links[0][name];
        value.as_str().map_or_else(|| value.to_string(), str::to_owned)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Best effort: the namespace's interfaces go with it.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

fn run(program: &str, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {errors}", words.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
