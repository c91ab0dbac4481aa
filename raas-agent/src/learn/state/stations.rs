//! Forwarding databases: where the kernel's bridges and VXLAN devices think that MAC addresses are.

use std::{collections::BTreeMap, net::IpAddr};

use raas_common::Mac;

use super::Dirt;
use crate::learn::event::{Behind, Station};

/// Forwarding databases of all bridges and VXLAN devices of a namespace.
#[derive(Clone, Debug, Default)]
pub struct Stations {
    /// By bridge and MAC: a bridge has one entry for each MAC, and a move is an entry with another port.
    bridged: BTreeMap<(u32, Mac), Bridged>,
    /// By VXLAN device and MAC.
    remote: BTreeMap<(u32, Mac), IpAddr>,
}

/// An entry of a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bridged {
    /// Interface index of the port.
    pub port: u32,
    /// Not learned from traffic and not ageing.
    pub fixed: bool,
}

/// What identifies an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StationKey {
    /// Of a bridge, by its interface index.
    Bridge(u32, Mac),
    /// Of a VXLAN device, by its interface index.
    Vxlan(u32, Mac),
}

impl StationKey {
    /// Of an entry.
    pub fn of(station: &Station) -> Self {
        match station.behind {
            Behind::Port { bridge, .. } => Self::Bridge(bridge, station.mac),
            Behind::Vtep { device, .. } => Self::Vxlan(device, station.mac),
        }
    }
}

impl Stations {
    /// Where a bridge sees a MAC.
    pub fn bridged(&self, bridge: u32, mac: Mac) -> Option<Bridged> {
        self.bridged.get(&(bridge, mac)).copied()
    }

    /// Which VTEP a VXLAN device sends a MAC to.
    pub fn remote(&self, device: u32, mac: Mac) -> Option<IpAddr> {
        self.remote.get(&(device, mac)).copied()
    }

    /// All entries of a bridge.
    pub fn of_bridge(&self, bridge: u32) -> impl Iterator<Item = (Mac, Bridged)> {
        self.bridged.range(device(bridge)).map(|(&(_, mac), &entry)| (mac, entry))
    }

    /// All entries of a VXLAN device.
    pub fn of_vxlan(&self, vxlan: u32) -> impl Iterator<Item = (Mac, IpAddr)> {
        self.remote.range(device(vxlan)).map(|(&(_, mac), &remote)| (mac, remote))
    }

    /// Adds or replaces an entry.
    pub fn put(&mut self, station: Station, dirt: &mut Dirt) {
        let mac = station.mac;
        let changed = match station.behind {
            Behind::Port { bridge, port, fixed } => {
                let new = Bridged { port, fixed };
                self.bridged.insert((bridge, mac), new) != Some(new)
            }
            Behind::Vtep { device, remote } => self.remote.insert((device, mac), remote) != Some(remote),
        };
        if changed {
            dirt.stations.insert(mac);
        }
    }

    /// Removes an entry, unless the station has moved already.
    pub fn remove(&mut self, station: Station, dirt: &mut Dirt) {
        let mac = station.mac;
        match station.behind {
            Behind::Port { bridge, port, .. } => {
                if self.bridged.get(&(bridge, mac)).is_some_and(|entry| entry.port == port) {
                    self.bridged.remove(&(bridge, mac));
                    dirt.stations.insert(mac);
                }
            }
            Behind::Vtep { device, remote } => {
                if self.remote.get(&(device, mac)) == Some(&remote) {
                    self.remote.remove(&(device, mac));
                    dirt.stations.insert(mac);
                }
            }
        }
    }

    /// Forgets an entry, wherever it said that the station is.
    pub fn restart(&mut self, station: &Station, dirt: &mut Dirt) {
        match StationKey::of(station) {
            StationKey::Bridge(bridge, mac) => drop(self.bridged.remove(&(bridge, mac))),
            StationKey::Vxlan(device, mac) => drop(self.remote.remove(&(device, mac))),
        }
        dirt.stations.insert(station.mac);
    }

    /// Drops all entries of or behind a link.
    pub fn purge_link(&mut self, index: u32, dirt: &mut Dirt) {
        self.bridged.retain(|&(bridge, mac), entry| {
            let dead = bridge == index || entry.port == index;
            if dead {
                dirt.stations.insert(mac);
            }
            !dead
        });
        self.remote.retain(|&(device, mac), _| {
            if device == index {
                dirt.stations.insert(mac);
            }
            device != index
        });
    }

    /// Keeps the entries that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(StationKey) -> bool) {
        self.bridged.retain(|&(bridge, mac), _| keep(StationKey::Bridge(bridge, mac)));
        self.remote.retain(|&(vxlan, mac), _| keep(StationKey::Vxlan(vxlan, mac)));
    }
}

/// The keys of one device.
fn device(index: u32) -> std::ops::RangeInclusive<(u32, Mac)> {
    (index, Mac::new([0; 6]))..=(index, Mac::new([0xff; 6]))
}
