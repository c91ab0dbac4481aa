//! What a kernel namespace says of itself, one object at a time.

use std::net::IpAddr;

use ipnet::IpNet;
use raas_common::Mac;

use crate::plan::Place;

/// Events of one namespace, in the order in which its kernel said them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The namespace.
    pub place: Place,
    /// Which watch of that namespace saw them: a higher one was started later. A namespace that was removed
    /// and made anew is another one, though it has the same name.
    pub generation: u64,
    /// The events.
    pub events: Vec<Event>,
}

/// One thing that a kernel namespace said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A dump begins, because the watch began or because something was lost. Subscriptions are in force
    /// already.
    ResyncBegin,
    /// Part of the dump. A change notified since [`ResyncBegin`](Self::ResyncBegin) is newer, whichever came
    /// first: a dump walks its table without a lock, and may have read the object before the change.
    Dumped(Object),
    /// The dump is complete: what it did not show, and what no notification brought, does not exist.
    ResyncEnd,
    /// An object was made or changed.
    Added(Object, Placement),
    /// An object was removed.
    Removed(Object),
}

/// Where a new route goes among those of the same prefix, TOS and priority, of which only the first is used
/// (`NLM_F_*` of the notification). Other objects always replace their namesake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Before them.
    Prepend,
    /// After them.
    Append,
    /// In the place of the first.
    Replace,
}

/// An object of a kernel namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// An interface.
    Link(Link),
    /// An address of an interface.
    Address(Address),
    /// An entry of a neighbour table (ARP).
    Neighbour(Neighbour),
    /// An entry of the forwarding database of a bridge or a VXLAN device.
    Station(Station),
    /// A route.
    Route(Route),
    /// A nexthop object, or a group of them.
    Nexthop(NexthopObject),
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Interface index, unique in the namespace.
    pub index: u32,
    /// Kernel name.
    pub name: String,
    /// Administratively up (`IFF_UP`).
    pub up: bool,
    /// Has a carrier (`IFF_LOWER_UP`).
    pub carrier: bool,
    /// MAC address; zero if it has none.
    pub mac: Mac,
    /// Largest layer-3 packet, bytes.
    pub mtu: u32,
    /// Index of the bridge that it is a port of.
    pub master: Option<u32>,
}

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Interface index.
    pub interface: u32,
    /// Address, and length of the prefix that it is in.
    pub address: IpNet,
}

/// An entry of a neighbour table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Interface index.
    pub interface: u32,
    /// Its address.
    pub address: IpAddr,
    /// Its MAC, if known.
    pub mac: Option<Mac>,
    /// How well it is known.
    pub state: NeighbourState,
    /// The kernel keeps it alive by itself (`NTF_EXT_MANAGED`).
    pub managed: bool,
}

/// State of a neighbour or bridge entry (`NUD_*`, one bit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NeighbourState(pub u16);

impl NeighbourState {
    /// Configured.
    pub const PERMANENT: Self = Self(libc::NUD_PERMANENT);
    /// Needs no resolution.
    pub const NOARP: Self = Self(libc::NUD_NOARP);
    /// Confirmed recently.
    pub const REACHABLE: Self = Self(libc::NUD_REACHABLE);
    /// Confirmed long ago.
    pub const STALE: Self = Self(libc::NUD_STALE);
    /// Did not answer.
    pub const FAILED: Self = Self(libc::NUD_FAILED);

    /// The MAC may be used (the kernel's `NUD_VALID`).
    pub const fn is_valid(self) -> bool {
        const VALID: u16 = libc::NUD_PERMANENT
            | libc::NUD_NOARP
            | libc::NUD_REACHABLE
            | libc::NUD_PROBE
            | libc::NUD_STALE
            | libc::NUD_DELAY;
        self.0 & VALID != 0
    }

    /// Configured by someone, so it needs no keep-alive.
    pub const fn is_static(self) -> bool {
        self.0 & (libc::NUD_PERMANENT | libc::NUD_NOARP) != 0
    }
}

/// Where a MAC address is, as a bridge or a VXLAN device sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its MAC.
    pub mac: Mac,
    /// Where.
    pub behind: Behind,
}

/// Whose entry it is, and where the station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behind {
    /// Of a bridge: behind one of its ports.
    Port {
        /// Interface index of the bridge.
        bridge: u32,
        /// Interface index of the port.
        port: u32,
        /// Not learned from traffic and not ageing (static, or another daemon's).
        fixed: bool,
    },
    /// Of a VXLAN device: behind another VTEP, with the device's own VNI and port.
    Vtep {
        /// Interface index of the device.
        device: u32,
        /// The VTEP.
        remote: IpAddr,
    },
}

/// A route. Only tables local and main are learned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Which table.
    pub table: Table,
    /// Destination.
    pub prefix: IpNet,
    /// TOS that it is restricted to; 0: any.
    pub tos: u8,
    /// Priority ("metric"); the lowest wins.
    pub priority: u32,
    /// What to do.
    pub kind: RouteKind,
    /// Who installed it (`RTPROT_*`).
    pub protocol: u8,
    /// Preferred source address. When that address goes, the kernel drops the route without a word.
    pub source: Option<IpAddr>,
    /// MTU of the route, bytes; 0: that of the device.
    pub mtu: u32,
    /// Nexthop object that it uses. `hops` then is only a copy of what that was.
    pub nexthop: Option<u32>,
    /// Where to.
    pub hops: Vec<Hop>,
}

/// A routing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `local` (255), consulted first: the addresses of the namespace itself.
    Local,
    /// `main` (254).
    Main,
}

/// What a route does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// Forwards.
    Unicast,
    /// Delivers to the namespace itself.
    Local,
    /// Discards silently.
    Blackhole,
    /// Anything else, which the kernel does best: broadcast, unreachable, prohibit, throw, …
    Other,
}

/// One way of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hop {
    /// Interface index.
    pub interface: u32,
    /// The router to send to; `None`: the destination is on the link itself. May be IPv6 for an IPv4 route
    /// (RFC 8950).
    pub gateway: Option<IpAddr>,
    /// Share of flows, at least 1.
    pub weight: u32,
    /// Has a lightweight-tunnel encapsulation, which the fast path does not know.
    pub encapsulated: bool,
    /// Not used (`RTNH_F_DEAD`), until its link comes up or gets an address.
    pub dead: bool,
}

/// A nexthop object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NexthopObject {
    /// Its id.
    pub id: u32,
    /// What it is.
    pub target: NexthopTarget,
}

/// What a nexthop object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NexthopTarget {
    /// One way.
    Hop(Hop),
    /// Discards.
    Blackhole,
    /// Several objects: id and weight (at least 1).
    Group(Vec<(u32, u32)>),
}
