//! What the lab looks like to whoever makes up packets for it.

use std::{collections::BTreeSet, net::Ipv4Addr};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use raas_agent::model::{Hook, Name, Network, SubnetKind, Tenant};
use raas_common::Mac;
use serde_json::Value;

use super::underlay::{self, Link, Uplink};
use crate::{Lab, Station};

/// Endpoints and routers, and the sizes that matter.
///
/// A place where frames are sent or captured is a number: of an endpoint, or, counted on from there, of an uplink.
#[derive(Clone, Debug)]
pub struct World {
    pub endpoints: Vec<Endpoint>,
    pub uplinks: Vec<Uplink>,
    /// Whether packets are captured on uplinks: on XDP, no packet socket sees what the program takes.
    pub is_underlay_seen: bool,
    pub underlay_mtu: usize,
    pub links: Vec<Link>,
    pub routers: Vec<Router>,
}

/// Where packets are sent and captured.
#[derive(Clone, Debug)]
pub struct Endpoint {
    pub station: Station,
    pub mac: Mac,
    pub address: Ipv4Addr,
    /// Its segment's network, shared with its neighbours.
    pub network: Ipv4Net,
    pub gateway: Ipv4Addr,
    pub gateway_mac: Mac,
    pub mtu: usize,
}

/// A router's address, as ICMP errors carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    pub tenant: Name,
    pub address: Ipv4Addr,
    /// Routers of one rank stand side by side: ECMP chooses between them.
    pub rank: String,
}

impl World {
    /// Reads it from a lab that is ready.
    pub fn of(lab: &Lab) -> Result<Self> {
        let network = lab.network();
        let stations = lab.stations().into_iter();
        let endpoints = stations.map(|station| endpoint(lab, station)).collect::<Result<Vec<_>>>()?;
        let uplinks = underlay::uplinks(lab)?;
        let links = underlay::links(network, &uplinks);
        let is_underlay_seen = lab.hook() == Some(Hook::Tc);
        let underlay_mtu = usize::from(network.fabric.mtu);
        Ok(Self { endpoints, uplinks, is_underlay_seen, underlay_mtu, links, routers: routers(lab)? })
    }

    /// Layer-3 MTUs that packets meet on their way, each once: of the underlay, and inside tunnels.
    pub fn mtus(&self) -> Vec<usize> {
        let inside = self.links.iter().map(|link| self.underlay_mtu - link.kind.overhead());
        let mtus: BTreeSet<_> = inside.chain([self.underlay_mtu]).collect();
        mtus.into_iter().collect()
    }

    /// How many places there are.
    pub fn places(&self) -> usize {
        self.endpoints.len() + self.uplinks.len()
    }

    /// The place of an uplink.
    pub fn uplink_place(&self, uplink: usize) -> usize {
        self.endpoints.len() + uplink
    }

    /// Whether what arrives at a place is captured.
    pub fn is_seen(&self, place: usize) -> bool {
        self.is_underlay_seen || !self.is_underlay(place)
    }

    /// Whether a place is an uplink.
    pub fn is_underlay(&self, place: usize) -> bool {
        place >= self.endpoints.len()
    }

    /// What a place is called.
    pub fn name(&self, place: usize) -> String {
        match self.endpoints.get(place) {
            Some(endpoint) => endpoint.station.to_string(),
            None => {
                let Uplink { hypervisor, interface, .. } = &self.uplinks[place - self.endpoints.len()];
                format!("{hypervisor}'s {interface}")
            }
        }
    }

    /// The endpoints of one tenant, by their place in [`Self::endpoints`].
    pub fn tenant(&self, tenant: &Name) -> Vec<&Endpoint> {
        self.endpoints.iter().filter(|endpoint| endpoint.station.tenant == *tenant).collect()
    }

    /// The other endpoints of its segment.
    pub fn neighbours(&self, of: &Endpoint) -> Vec<&Endpoint> {
        let here = self.tenant(&of.station.tenant).into_iter();
        here.filter(|other| other.network == of.network && other.address != of.address).collect()
    }

    /// The tenant's routers that stand alone in their rank. Of others ECMP chooses whether a packet to them takes
    /// a detour.
    pub fn lone_routers(&self, tenant: &Name) -> Vec<&Router> {
        let of_tenant = || self.routers.iter().filter(|router| router.tenant == *tenant);
        of_tenant()
            .filter(|router| of_tenant().filter(|other| other.rank == router.rank).count() == 1)
            .collect()
    }

    /// One address for all routers between which ECMP chooses; any other address is its own.
    pub fn representative(&self, tenant: &Name, address: Ipv4Addr) -> Ipv4Addr {
        let of_tenant = || self.routers.iter().filter(|router| router.tenant == *tenant);
        let rank = of_tenant().find(|router| router.address == address).map(|router| &router.rank);
        let alike = of_tenant().filter(|router| Some(&router.rank) == rank).map(|router| router.address);
        alike.min().unwrap_or(address)
    }
}

impl Endpoint {
    /// An address of the segment that nobody has, outside of what DHCP leases in the demo.
    pub fn spare(&self, number: u8) -> Ipv4Addr {
        let [a, b, c, _] = self.network.network().octets();
        Ipv4Addr::new(a, b, c, 200 + number % 40)
    }
}

fn endpoint(lab: &Lab, station: Station) -> Result<Endpoint> {
    let tenant = lab.network().tenants.iter().find(|tenant| tenant.name == station.tenant);
    let (network, gateway) =
        segment(tenant.context("its tenant")?, &station.subnet).context("the network of its subnet")?;
    ensure!(
        network.prefix_len() == 24,
        "{station}: {network} is not a /24, of which spare addresses are known"
    );
    let address = lab.address(&station)?;
    let link: Value = serde_json::from_str(&lab.shell(&station, "ip -j link show dev eth0")?)?;
    let mtu = link.pointer("/0/mtu").and_then(Value::as_u64).context("an MTU")?;
    // Resolves the gateway, should the kernel have forgotten it.
    lab.shell(&station, &format!("ping -n -q -c 1 -W 1 {gateway}"))?;
    let neighbour = lab.shell(&station, &format!("ip -j neighbour show {gateway} dev eth0"))?;
    let neighbour: Value = serde_json::from_str(&neighbour)?;
    Ok(Endpoint {
        mac: mac_in(&link, "/0/address")?,
        address,
        network,
        gateway,
        gateway_mac: mac_in(&neighbour, "/0/lladdr").with_context(|| format!("{station}'s gateway"))?,
        mtu: usize::try_from(mtu)?,
        station,
    })
}

/// Network and gateway of a subnet, or of the subnet that it stretches.
fn segment(tenant: &Tenant, name: &Name) -> Option<(Ipv4Net, Ipv4Addr)> {
    let subnet = tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets).find(|subnet| subnet.name == *name)?;
    match &subnet.kind {
        SubnetKind::Routed { cidr, gateway, .. } => Some((*cidr, *gateway)),
        SubnetKind::Stretch { of } => segment(tenant, of),
    }
}

fn routers(lab: &Lab) -> Result<Vec<Router>> {
    let mut routers = Vec::new();
    for hypervisor in lab.hypervisors() {
        for router in lab.status(&hypervisor)?.routers {
            let (tenant, name) = router.name.split_once('/').context("a router's name is TENANT/NAME")?;
            let tenant: Name = tenant.parse()?;
            let rank = rank(lab.network(), &tenant, name);
            routers.extend(router.loopback.map(|address| Router { tenant, address, rank }));
        }
    }
    Ok(routers)
}

/// The spines of a VPC are alike, and so are the transits of a level on a hypervisor. A leaf is alone.
fn rank(network: &Network, tenant: &Name, router: &str) -> String {
    let tenant = network.tenants.iter().find(|candidate| candidate.name == *tenant);
    let vpcs = || tenant.into_iter().flat_map(|tenant| &tenant.vpcs);
    let spine = vpcs().find(|vpc| vpc.spines.iter().any(|spine| spine.name.as_str() == router));
    let mut transits = tenant.into_iter().flat_map(|tenant| &tenant.transits);
    let transit = transits.find(|transit| transit.name.as_str() == router);
    match (spine, transit) {
        (Some(vpc), _) => format!("a spine of {}", vpc.name),
        (_, Some(transit)) => format!("an {:?} transit of {}", transit.level, transit.hypervisor),
        _ => format!("leaf {router}"),
    }
}

/// A MAC address in what `ip -j` prints.
pub fn mac_in(json: &Value, pointer: &str) -> Result<Mac> {
    let text = json.pointer(pointer).and_then(Value::as_str).context("a MAC address")?;
    let bytes = text.split(':').map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<Vec<u8>, _>>();
    let bytes = bytes.ok().and_then(|bytes| bytes.try_into().ok());
    bytes.map(Mac::new).with_context(|| format!("`{text}` is no MAC address"))
}

#[cfg(test)]
pub mod tests {
    use std::path::Path;

    use super::*;
    use crate::stations;

    /// The demo network, with made-up addresses where a lab would have leased ones.
    pub fn demo() -> World {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/demo");
        let network = raas_agent::config::load(&config).expect("the demo is right");
        let endpoint = |(number, station): (u8, Station)| {
            let tenant = network.tenants.iter().find(|tenant| tenant.name == station.tenant);
            let (cidr, gateway) =
                segment(tenant.expect("it exists"), &station.subnet).expect("it has a network");
            let [a, b, c, _] = cidr.network().octets();
            Endpoint {
                mac: Mac::new([2, 0, 0, 0, 0, number]),
                address: Ipv4Addr::new(a, b, c, 100 + number),
                network: cidr,
                gateway,
                gateway_mac: Mac::new([2, 0, 0, 0, 1, b]),
                mtu: 1500,
                station,
            }
        };
        let endpoints = (0..).zip(stations(&network)).map(endpoint).collect();
        let mut routers = Vec::new();
        for (tenant, number) in network.tenants.iter().zip(1..) {
            for (name, host) in ["l1a", "l1b", "l1", "web", "shop"].into_iter().zip(1..) {
                let (tenant, rank) = (tenant.name.clone(), rank(&network, &tenant.name, name));
                routers.push(Router {
                    tenant,
                    address: Ipv4Addr::new(203, 0, 113, 10 * number + host),
                    rank,
                });
            }
        }
        let uplink = |number: u8| Uplink {
            hypervisor: format!("h{number}").parse().expect("a name"),
            interface: "uplink0".to_owned(),
            mac: Mac::new([2, 0, 0, 0, 2, number]),
            address: Ipv4Addr::new(192, 0, 2, number),
        };
        let uplinks = vec![uplink(1), uplink(2)];
        let links = underlay::links(&network, &uplinks);
        World { endpoints, uplinks, is_underlay_seen: true, underlay_mtu: 1500, links, routers }
    }

    #[test]
    fn equal_routers_have_one_address() {
        let world = demo();
        let acme = "acme".parse().expect("a name");
        let [a, b, web] = [11, 12, 14].map(|host| Ipv4Addr::new(203, 0, 113, host));
        assert_eq!(world.representative(&acme, a), world.representative(&acme, b));
        assert_eq!(world.representative(&acme, web), web);
        let other = Ipv4Addr::new(198, 18, 0, 1);
        assert_eq!(world.representative(&acme, other), other);
        assert!(world.lone_routers(&acme).iter().all(|router| router.address != a && router.address != b));
    }
}
