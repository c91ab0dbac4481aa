//! Debian packages that RaaS needs, each with the file that shows it is there, and why it is needed.

use std::{
    env,
    path::{Path, PathBuf},
};

/// One Debian package.
#[derive(Clone, Copy)]
pub struct Package {
    /// Its name in Debian 12.
    pub name: &'static str,
    /// A program that it brings, looked for in `PATH` and the sbin directories; or an absolute path; or
    /// empty, if only the package's user knows.
    pub provides: &'static str,
    /// Why RaaS needs it.
    pub why: &'static str,
}

const fn package(name: &'static str, provides: &'static str, why: &'static str) -> Package {
    Package { name, provides, why }
}

/// What running the network and the tests needs.
pub const RUNTIME: &[Package] = &[
    package("frr", "/usr/lib/frr/bgpd", "BGP and EVPN between the routers"),
    package(
        "frr-pythontools",
        "/usr/lib/frr/frr-reload.py",
        "applies only what changed in FRR's configuration",
    ),
    package("dnsmasq-base", "dnsmasq", "DHCP server of a subnet"),
    package("udhcpc", "udhcpc", "DHCP client of an endpoint"),
    package("iproute2", "ip", "namespaces, links and routes"),
    package("ethtool", "ethtool", "offloads of veth ends that meet XDP"),
    package("procps", "sysctl", "forwarding and multipath settings of a router"),
    package("util-linux", "nsenter", "commands in a namespace"),
    package("bpftool", "bpftool", "shows programs and maps by name"),
    package("iputils-ping", "ping", "reachability"),
    package("traceroute", "traceroute", "shows each router on a path"),
    package("tcpdump", "tcpdump", "shows packets on a path"),
    package("iperf3", "iperf3", "TCP throughput"),
    package("bird2", "bird", "a BGP speaker that is not ours, with large tables"),
];

/// What tests need besides: the machines that we did not write, and the programs in them.
pub const PEERS: &[Package] = &[
    package("bird2", "bird", "BGP daemon of a foreign router"),
    package("busybox", "busybox", "modules and TCP in a guest"),
    package("openvswitch-switch", "ovs-vswitchd", "GRE and VXLAN of a foreign machine"),
    package("user-mode-linux", "linux.uml", "a guest kernel with GRE, whose root is this machine's"),
];

/// A compiler for eBPF, where there is none yet. Whether there is, [`bpf_toolchain::Compiler::find`] knows: a
/// file does not show which version of rustc this is.
pub const COMPILER: &[Package] = &[
    package("rustc-web", "", "a rustc that can compile for eBPF, beside rustup's"),
    package("libstd-rust-web-dev-bpf", "", "`core` for eBPF, already compiled"),
    package("rust-web-clippy", "", "clippy for eBPF, of the same version"),
];

/// What installing bpf-linker needs.
pub const LINKER: &[Package] = &[
    package("llvm-22-dev", "/usr/lib/llvm-22/bin/llvm-config", "LLVM, which bpf-linker is built with"),
    package("g++", "g++", "links LLVM's C++ library"),
];

impl Package {
    /// Whether what it provides is on this machine, no matter from where.
    pub fn is_present(&self) -> bool {
        if self.provides.is_empty() {
            return false;
        }
        if Path::new(self.provides).is_absolute() {
            return Path::new(self.provides).exists();
        }
        search_path().iter().any(|directory| directory.join(self.provides).exists())
    }
}

/// `PATH`, and where daemons and network tools are even if a user's `PATH` lacks it.
fn search_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let sbin = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    env::split_paths(&path).chain(sbin).collect()
}
