//! `frr.conf`: one bgpd speaks BGP for every router of a hypervisor.
//!
//! # What it says, and why
//!
//! - `frr defaults datacenter`: eBGP inside one administration (RFC 7938) is what that profile is for: timers
//!   3/9, no policy demanded of eBGP neighbours. What a profile implies, `show running-config` leaves out, so
//!   we do too.
//! - **Neighbours are in peer groups by their role** towards us (RFC 9234): spines are customers of L1
//!   transits, L1 of L2. A route that came from a provider goes to customers only. So a spine never carries
//!   what its L1s send each other, nor an L1 of one hypervisor what L2s do, not even while links fail and BGP
//!   tries ever longer paths. Equals (L1–L1, L2–L2) have no roles and pass everything on; the attribute OTC,
//!   which the routes keep, still stops one that has come down from going up again. Groups also let
//!   `frr-reload.py` remove a neighbour with one command, and no error.
//! - `network` for what the router originates. bgpd checks that a route exists: a kernel route of ours does,
//!   also one by way of an IPv6 nexthop, and with the route the announcement goes.
//! - Only bgpd's commands are here, and in the order and form in which it prints them. Namespaces become VRFs
//!   by themselves, and zebra needs no configuration (`no ip forwarding`, which it would print, turns the
//!   hypervisor's own forwarding off).
//!
//! - A router that is not ours is a customer too, in a group of its own ([`foreign`]).
//! - Routers wait for those below them before they tell others what they know: [`coalesce_time`].
//!
//! # What it asks of those who run FRR (8.4.4, tried; `platform/process/frr` does it)
//!
//! - Start `zebra -n -K 30 -r -f /dev/null`, then `bgpd -f frr.conf` (this file, readable by user frr). They follow `/run/netns`
//!   by inotify: namespaces and interfaces may come and go before and after, but `/run/netns` must be there, and mounted, first.
//! - Apply a change, once its namespaces are there, with `frr-reload.py --daemon bgpd`; delete namespaces after it. `vtysh.conf`
//!   must say `hostname NAME` as this file does, or each reload finds a difference.
//! - Restart both or none, with SIGKILL: SIGTERM withdraws all routes, and bgpd alone leaves in the kernel
//!   for ever what was withdrawn while it was away (it tells zebra of its graceful restart before it knows
//!   the VRFs' ids). A new zebra finds the routes, and drops after 30 s (`-K`) those that nobody announced
//!   anew.

mod foreign;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;

use crate::model::{Bgp, Fabric, Hypervisor, Name};
pub(super) use foreign::Foreign;

/// What FRR is told.
#[derive(Clone, Debug)]
pub(super) struct Frr {
    hostname: String,
    /// Routers that speak BGP, by full name.
    pub(super) speakers: BTreeMap<String, Speaker>,
    evpn: Option<Evpn>,
}

/// A router that speaks BGP.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    /// Its namespace, which is FRR's name of the VRF.
    vrf: String,
    asn: u32,
    /// Its loopback.
    pub(super) router_id: Ipv4Addr,
    maximum_paths: u8,
    /// What it originates.
    pub(super) networks: BTreeSet<Ipv4Net>,
    /// By interface.
    pub(super) sessions: BTreeMap<String, Session>,
}

/// A session over a link or a tunnel.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What the neighbour is to us.
    pub(super) group: Group,
    pub(super) weight: Option<u16>,
    pub(super) local_preference: Option<u32>,
}

/// A peer group: what the neighbours in it are to us. Upper case keeps the groups' names apart from routers'.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    /// Routers below us: VPCs' spines under an L1 transit, L1 transits under an L2.
    Customers,
    /// Routers above us.
    Providers,
    /// Transits of our own level.
    Siblings,
    /// A router that is not ours, in a group of its own, since the AS number is the group's.
    Foreign(Foreign),
}

impl Group {
    /// Our own BGP role (RFC 9234, section 4.1) towards the group.
    fn our_role(&self) -> Option<&'static str> {
        match self {
            Self::Customers | Self::Foreign(_) => Some("provider"),
            Self::Providers => Some("customer"),
            Self::Siblings => None,
        }
    }

    /// The group's name, of which the neighbour at an interface is a member.
    fn name(&self, interface: &str) -> Cow<'static, str> {
        match self {
            Self::Customers => "CUSTOMERS".into(),
            Self::Providers => "PROVIDERS".into(),
            Self::Siblings => "SIBLINGS".into(),
            Self::Foreign(_) => format!("FOREIGN-{interface}").into(),
        }
    }

    /// What is agreed with a neighbour that is not ours.
    fn foreign(&self) -> Option<&Foreign> {
        match self {
            Self::Foreign(foreign) => Some(foreign),
            Self::Customers | Self::Providers | Self::Siblings => None,
        }
    }
}

/// EVPN between the hypervisors that share a stretch.
#[derive(Clone, Debug)]
struct Evpn {
    asn: u32,
    address: Ipv4Addr,
    peers: BTreeSet<Ipv4Addr>,
}

impl Frr {
    pub(super) fn new(hypervisor: &Name) -> Self {
        Self { hostname: hypervisor.to_string(), speakers: BTreeMap::new(), evpn: None }
    }

    pub(super) fn add_evpn_peer(&mut self, fabric: &Fabric, here: &Hypervisor, peer: Ipv4Addr) {
        let evpn = self.evpn.get_or_insert_with(|| Evpn {
            asn: fabric.asn,
            address: here.address.addr(),
            peers: BTreeSet::new(),
        });
        evpn.peers.insert(peer);
    }
}

impl Speaker {
    pub(super) fn new(vrf: String, router_id: Ipv4Addr, bgp: &Bgp) -> Self {
        Self {
            vrf,
            asn: bgp.asn,
            router_id,
            maximum_paths: bgp.ecmp,
            networks: BTreeSet::new(),
            sessions: BTreeMap::new(),
        }
    }
}

/// While FRR restarts, neighbours keep our routes (RFC 4724), and after it until we have said everything anew
/// (the F bit: the kernel has gone on forwarding). Not so when we fall silent: RFC 8538's N bit is off, else
/// a neighbour would keep routes to a dead hypervisor for two minutes after the hold time instead of dropping
/// them with it.
const GRACEFUL_RESTART: &[&str] = &[
    "no bgp graceful-restart notification",
    "bgp graceful-restart",
    "bgp graceful-restart preserve-fw-state",
];

/// The whole of `frr.conf`.
pub(super) fn render(frr: &Frr) -> String {
    let mut out = Lines::default();
    out.line(0, "frr defaults datacenter");
    out.line(0, format_args!("hostname {}", frr.hostname));
    out.line(0, "!");
    if let Some(evpn) = &frr.evpn {
        evpn.render(&mut out);
    }
    for speaker in frr.speakers.values() {
        speaker.render(&mut out);
    }
    let sessions = frr.speakers.values().flat_map(|speaker| speaker.sessions.values());
    let preferences: BTreeSet<u32> = sessions.filter_map(|session| session.local_preference).collect();
    for preference in preferences {
        out.line(0, format_args!("route-map {} permit 10", route_map(preference)));
        out.line(1, format_args!("set local-preference {preference}"));
        out.line(0, "exit");
        out.line(0, "!");
    }
    out.text
}

impl Speaker {
    fn render(&self, out: &mut Lines) {
        let Self { vrf, asn, router_id, maximum_paths, networks, sessions } = self;
        let foreign = || sessions.iter().filter_map(|(name, session)| Some((name, session.group.foreign()?)));
        out.line(0, format_args!("router bgp {asn} vrf {vrf}"));
        out.line(1, format_args!("bgp router-id {router_id}"));
        out.lines(1, GRACEFUL_RESTART);
        out.line(1, "bgp bestpath as-path multipath-relax");
        let groups: BTreeMap<_, _> =
            sessions.iter().map(|(name, session)| (session.group.name(name), &session.group)).collect();
        out.line(1, format_args!("coalesce-time {}", coalesce_time(&groups.values().copied().collect())));
        for (name, group) in groups {
            out.line(1, format_args!("neighbor {name} peer-group"));
            match group.foreign() {
                Some(foreign) => out.line(1, format_args!("neighbor {name} remote-as {}", foreign.asn)),
                None => out.line(1, format_args!("neighbor {name} remote-as external")),
            }
            if let Some(role) = group.our_role() {
                out.line(1, format_args!("neighbor {name} local-role {role}"));
            }
            out.line(1, format_args!("neighbor {name} timers connect 1"));
        }
        for (interface, session) in sessions {
            let group = session.group.name(interface);
            match session.address() {
                Some(address) => out.line(1, format_args!("neighbor {address} peer-group {group}")),
                None => out.line(1, format_args!("neighbor {interface} interface peer-group {group}")),
            }
        }
        out.line(1, "!");
        out.line(1, "address-family ipv4 unicast");
        for network in networks {
            out.line(2, format_args!("network {network}"));
        }
        for (interface, foreign) in foreign() {
            foreign.render_limits(out, vrf, interface);
        }
        for (interface, session) in sessions {
            let neighbor = session.neighbor(interface);
            if let Some(preference) = session.local_preference {
                out.line(2, format_args!("neighbor {neighbor} route-map {} in", route_map(preference)));
            }
            if let Some(weight) = session.weight {
                out.line(2, format_args!("neighbor {neighbor} weight {weight}"));
            }
        }
        out.line(2, format_args!("maximum-paths {maximum_paths}"));
        out.line(1, "exit-address-family");
        out.line(0, "exit");
        out.line(0, "!");
        for (interface, foreign) in foreign() {
            foreign.render_lists(out, vrf, interface);
        }
    }
}

impl Session {
    /// The neighbour's address, if the session is not unnumbered.
    fn address(&self) -> Option<Ipv4Addr> {
        self.group.foreign().and_then(|foreign| foreign.address)
    }

    /// What FRR calls the neighbour at an interface.
    fn neighbor(&self, interface: &str) -> String {
        self.address().map_or_else(|| interface.to_owned(), |address| address.to_string())
    }
}

/// How long bgpd gathers routes for a new neighbour before it sends them and End-of-RIB, milliseconds.
///
/// After a restart, End-of-RIB makes the neighbour drop whatever it was not told anew (RFC 4724, section 4.2). A
/// router that restarts with all those below it would send it before it has learned their routes, and other
/// hypervisors would be without these for 0.1 s and more. So who is above waits for those below. The profile's 1000
/// at every level would be no order, and slow.
fn coalesce_time(groups: &BTreeSet<&Group>) -> u32 {
    match (groups.contains(&Group::Customers), groups.contains(&Group::Providers)) {
        // Spines.
        (false, _) => 100,
        // L1 under an L2.
        (true, true) => 500,
        (true, false) => 1500,
    }
}

impl Evpn {
    fn render(&self, out: &mut Lines) {
        let Self { asn, address, peers } = self;
        out.line(0, format_args!("router bgp {asn}"));
        out.line(1, format_args!("bgp router-id {address}"));
        out.line(1, "no bgp default ipv4-unicast");
        out.lines(1, GRACEFUL_RESTART);
        // FRR has no graceful restart for EVPN: neighbours are without our MAC addresses until we have said them anew.
        out.line(1, "coalesce-time 100");
        out.line(1, "neighbor HYPERVISORS peer-group");
        out.line(1, "neighbor HYPERVISORS remote-as internal");
        out.line(1, format_args!("neighbor HYPERVISORS update-source {address}"));
        out.line(1, "neighbor HYPERVISORS timers connect 1");
        for peer in peers {
            out.line(1, format_args!("neighbor {peer} peer-group HYPERVISORS"));
        }
        out.line(1, "!");
        out.line(1, "address-family l2vpn evpn");
        out.line(2, "neighbor HYPERVISORS activate");
        out.line(2, "advertise-all-vni");
        out.line(1, "exit-address-family");
        out.line(0, "exit");
        out.line(0, "!");
    }
}

fn route_map(local_preference: u32) -> String {
    format!("local-preference-{local_preference}")
}

/// Text, line by line, with FRR's one space of indentation a level.
#[derive(Debug, Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn lines(&mut self, indent: usize, lines: &[&str]) {
        for line in lines {
            self.line(indent, line);
        }
    }

    fn line(&mut self, indent: usize, line: impl fmt::Display) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }
}
