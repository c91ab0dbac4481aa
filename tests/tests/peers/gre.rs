//! GRE of others: RFC 2784, RFC 2890.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use raas_lab::{
    Lab,
    peer::{Bird, Foreign, Guest, OpenVSwitch, Shell, Tunnel},
    wait_for,
};

use crate::site::{
    H1, Host, L2_ASN, SOON, UPLINK, attach, counting, established, no_errors, on_both_paths, ping, too_big,
    transfer,
};

/// A foreign site: a transit's peer in the configuration.
pub struct Site {
    /// The peer's name.
    pub name: &'static str,
    pub underlay: Ipv4Net,
    /// Addresses of both ends in the tunnel.
    pub near: Ipv4Addr,
    pub far: Ipv4Addr,
    /// The network behind it, and the router's address there.
    pub network: Ipv4Net,
    pub address: Ipv4Addr,
    pub asn: u32,
    /// MTU of the tunnel.
    pub mtu: u16,
}

/// Plain GRE.
pub const BRANCH: Site = Site {
    name: "branch",
    underlay: Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 11), 24),
    near: Ipv4Addr::new(198, 51, 100, 1),
    far: Ipv4Addr::new(198, 51, 100, 2),
    network: Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 128, 0), 24),
    address: Ipv4Addr::new(198, 18, 128, 1),
    asn: 64901,
    mtu: 1476,
};

/// With key 7.
pub const FACTORY: Site = Site {
    name: "factory",
    underlay: Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 12), 24),
    near: Ipv4Addr::new(198, 51, 100, 5),
    far: Ipv4Addr::new(198, 51, 100, 6),
    network: Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 129, 0), 24),
    address: Ipv4Addr::new(198, 18, 129, 1),
    asn: 64902,
    mtu: 1472,
};

impl Site {
    pub fn bird(&self, interface: &'static str) -> Bird {
        Bird {
            interface,
            asn: self.asn,
            neighbor_asn: L2_ASN,
            neighbor: Some(self.near),
            announces: vec![self.network],
            address: self.address,
        }
    }

    /// Counter scope of its tunnel.
    pub fn scope(&self) -> String {
        format!("acme/l2/{}", self.name)
    }

    fn tunnel(&self) -> Tunnel {
        let address = Ipv4Net::new_assert(self.far, 30);
        Tunnel { address, neighbor: self.near, mtu: self.mtu }
    }
}

/// A guest with an interface `gre1` that is a GRE tunnel to `l2`.
pub fn guest_at(lab: &Lab, site: &Site, machine: &str) -> Result<Guest> {
    let guest = Guest::boot(lab, machine, site.underlay)?;
    let (local, remote, far) = (site.underlay.addr(), H1.addr(), site.far);
    guest.shell(&format!(
        "set -e\n\
         ip link add gre1 type gre local {local} remote {remote} ttl 64\n\
         ip address add {far}/30 dev gre1\n\
         ip link set gre1 up"
    ))?;
    Ok(guest)
}

/// The GRE of a guest kernel, without a key.
pub fn guest(lab: &Lab) -> Result<()> {
    let guest = guest_at(lab, &BRANCH, "guest")?;
    attach(lab, &guest, &BRANCH.bird("gre1"), &BRANCH.far.to_string())?;
    works(lab, &guest, &BRANCH)?;
    headers(lab, guest.machine(), "bridge", &BRANCH)?;

    // What the far end of a transit's tunnel with a key has no room for.
    let pc2 = Host::new(lab, "acme/pc2")?;
    let address = pc2.address()?;
    on_both_paths(lab, |_| too_big(&guest, address, BRANCH.mtu, 1472))?;

    let ends = format!("type gre local {} remote {}", BRANCH.underlay.addr(), H1.addr());
    let set = |flags: &str| guest.shell(&format!("ip link set gre1 {ends} ttl 64 {flags}")).map(drop);
    header_bits(lab, &guest, &BRANCH, &set, ["ocsum", "oseq", "key 7"], "nocsum noseq nokey")?;
    no_errors(&guest)
}

/// Open vSwitch's, with a key.
pub fn open_vswitch(lab: &Lab) -> Result<()> {
    let ovs = OpenVSwitch::start(lab, "ovs", FACTORY.underlay)?;
    ovs.gre(FACTORY.underlay, H1, "options:key=7", &FACTORY.tunnel())?;
    attach(lab, &ovs, &FACTORY.bird("site"), &FACTORY.far.to_string())?;
    works(lab, &ovs, &FACTORY)?;
    headers(lab, ovs.machine(), "uplink0", &FACTORY)?;
    let set = |options: &str| ovs.set(options);
    // It does not see by itself that a checksum leaves four bytes less.
    let mtu = |mtu: u16| format!("-- set interface site mtu_request={mtu}");
    let checksum = format!("options:csum=true {}", mtu(FACTORY.mtu - 4));
    let none = format!("options:csum=false options:seq=false options:key=7 {}", mtu(FACTORY.mtu));
    header_bits(lab, &ovs, &FACTORY, &set, [&checksum, "options:seq=true", "options:key=8"], &none)?;
    no_errors(&ovs)
}

/// Ping and TCP in both directions, with endpoints at the tunnel's transit and beyond another tunnel; and packets
/// that are too big.
fn works(lab: &Lab, router: &impl Shell, site: &Site) -> Result<()> {
    let hosts = ["acme/pc1", "acme/pc2"].map(|name| Host::new(lab, name));
    for host in hosts {
        let host = host?;
        let (name, address) = (host.station.to_string(), host.address()?);
        on_both_paths(lab, |on| {
            let count = if on { 10 } else { 0 };
            counting(lab, &name, "routed-gre", count, || ping(&host, site.address))?;
            let exit = if name == "acme/pc1" { "routed-port" } else { "routed-gre" };
            counting(lab, &site.scope(), exit, count, || ping(router, address))?;
            too_big(&host, site.address, 1500, 1472.max(mtu_from(&name, site)))?;
            host.shell("ip route flush cache")?;
            transfer(&host, router, site.address)?;
            // The site's hosts say that they take segments for 1500 bytes: TCP has learned that the tunnel does not.
            let mtu = mtu_from(&name, site);
            let route = host.shell(&format!("ip route get {}", site.address))?;
            ensure!(route.contains(&format!("mtu {mtu}")), "no path MTU of {mtu} after TCP: {route}");
            transfer(router, &host, address)
        })
        .with_context(|| format!("{} and {name}", site.name))?;
        no_errors(&host)?;
    }
    Ok(())
}

/// The path's MTU from an endpoint to a site: that of the first narrower tunnel, which is with a key from pc2.
fn mtu_from(host: &str, site: &Site) -> u16 {
    if host == "acme/pc1" { site.mtu } else { 1472 }
}

/// Outer headers as they are on the wire: DF and no identification (RFC 6864), GRE as configured.
fn headers(lab: &Lab, machine: &Foreign, interface: &str, site: &Site) -> Result<()> {
    let host = Host::new(lab, "acme/pc1")?;
    on_both_paths(lab, |_| {
        let capture = format!(
            "timeout 30 tcpdump -n -vv -c 5 -i {interface} --immediate-mode ip proto 47 and src {} and \
             greater 120",
            H1.addr()
        );
        let seen = std::thread::scope(|scope| {
            let capture = scope.spawn(|| machine.run(&capture));
            while !capture.is_finished() {
                host.shell(&format!("ping -n -q -c 5 -i 0.05 -W 5 -s 100 {}", site.address))?;
            }
            capture.join().map_err(|_| anyhow::anyhow!("capturing panicked"))?
        })?;
        let outer: Vec<_> = seen.lines().filter(|line| line.contains("proto GRE")).collect();
        let right = |line: &&&str| line.contains("id 0,") && line.contains("[DF]");
        ensure!(outer.len() == 5 && outer.iter().filter(right).count() == 5, "{seen}");
        ensure!(!seen.contains("bad cksum"), "{seen}");
        let key = if site.mtu == 1472 { "Flags [key present], key=0x7" } else { "Flags [none]" };
        ensure!(seen.contains(key), "no {key}: {seen}");
        Ok(())
    })
}

/// A checksum is accepted (RFC 2784, section 2.2). A sequence number and another key are not: our receiver has no use
/// for the former (RFC 2890, section 2.2), and so has to discard the packet (RFC 2784, section 2.3).
fn header_bits(
    lab: &Lab,
    router: &impl Shell,
    site: &Site,
    set: &dyn Fn(&str) -> Result<()>,
    [checksum, sequence, key]: [&str; 3],
    none: &str,
) -> Result<()> {
    let address = Host::new(lab, "acme/pc1")?.address()?;
    let silence = |exit: &str| {
        counting(lab, UPLINK, exit, 3, || {
            let printed = router.shell(&format!("ping -n -q -c 3 -i 0.2 -W 1 {address} || [ $? = 1 ]"))?;
            ensure!(printed.contains(" 0 received"), "{printed}");
            Ok(())
        })
    };
    // The session is cut off as well. Two silences in a row would leave it waiting for a retransmission for longer than
    // its hold time, and the site without routes somewhere in what follows.
    let mended = || {
        set(none)?;
        at_rest(lab, router, site)
    };
    on_both_paths(lab, |_| {
        set(checksum)?;
        ping(router, address).context("with a checksum")?;
        transfer(router, &Host::new(lab, "acme/pc1")?, address).context("with a checksum")?;
        set(none)?;
        set(sequence)?;
        silence("drop-bad-tunnel-header").context("with a sequence number")?;
        mended()?;
        set(key)?;
        silence("drop-unknown-peer").context("with another key")?;
        mended()?;
        ping(router, address)
    })
}

/// Waits until the site's session is up, and nothing that either end sent is unacknowledged.
fn at_rest(lab: &Lab, router: &impl Shell, site: &Site) -> Result<()> {
    // Without the state, the second column is the number of bytes that are.
    let session = |far: Ipv4Addr| format!("ss -Htn state established dst {far}");
    let rests = |printed: &str| printed.split_whitespace().nth(1) == Some("0");
    wait_for(SOON, "session at rest", || {
        established(lab, &site.far.to_string())?;
        let ours = lab.exec("h1", Some("raas-acme-l2"), &["sh", "-c", &session(site.far)])?;
        let theirs = router.shell(&session(site.near))?;
        Ok((rests(&String::from_utf8(ours.stdout)?) && rests(&theirs)).then_some(()))
    })
}
