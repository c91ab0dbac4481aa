//! What the tenants share.

use std::{fmt, str::FromStr};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use super::Name;

/// The hypervisors and the underlay between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fabric {
    /// Name of the whole.
    pub name: Name,
    /// AS number of the fabric's own BGP (EVPN between hypervisors).
    pub asn: u32,
    /// MTU of the underlay, bytes of layer 3.
    pub mtu: u16,
    /// Nodes in the FIB's pool on each hypervisor, 1 KiB each.
    pub fib_nodes: u32,
    /// The hypervisors, in order of name.
    pub hypervisors: Vec<Hypervisor>,
}

impl Fabric {
    /// The hypervisor of that name.
    pub fn hypervisor(&self, name: &Name) -> Option<&Hypervisor> {
        self.hypervisors.iter().find(|hypervisor| hypervisor.name == *name)
    }
}

/// A Linux host with one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hypervisor {
    /// Its name.
    pub name: Name,
    /// Underlay address, with the prefix length of the underlay network. Tunnels end here.
    pub address: Ipv4Net,
    /// Underlay interfaces (one or more, kernel names).
    pub uplinks: Vec<String>,
    /// Where the program sits on the uplinks.
    pub uplink_hook: Hook,
    /// Pool of the routers' loopback addresses, each tenant on this hypervisor counting from its first host
    /// address on. At most a /30.
    pub loopbacks: Ipv4Net,
}

/// Where a port's program sits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hook {
    /// Native XDP: highest packet rate.
    Xdp,
    /// TC ingress: keeps GSO, highest TCP throughput on veth and tap.
    Tc,
    /// XDP on a NIC whose driver runs it natively, TC on veth and tap.
    #[default]
    Auto,
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Xdp => "xdp",
            Self::Tc => "tc",
            Self::Auto => "auto",
        })
    }
}

impl FromStr for Hook {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "xdp" => Ok(Self::Xdp),
            "tc" => Ok(Self::Tc),
            "auto" => Ok(Self::Auto),
            other => Err(format!("`{other}` is not a hook: `xdp`, `tc` or `auto`")),
        }
    }
}
