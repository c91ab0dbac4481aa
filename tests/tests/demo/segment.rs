//! Within a subnet: the stretch, and DHCP.

use std::{collections::HashSet, net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::{Dhcp, Name, SubnetKind, Tenant};
use raas_lab::{Lab, wait_for};
use serde_json::Value;

/// The endpoints of a stretched subnet are neighbours: they resolve each other by broadcast, and no router is
/// between them.
pub fn stretch(lab: &Lab) -> Result<()> {
    let (home, away) = (lab.station("acme/pc2")?, lab.station("acme/pc4")?);
    ensure!(home.hypervisor != away.hypervisor, "both on {}", home.hypervisor);
    for (from, to) in [(&home, &away), (&away, &home)] {
        let address = lab.address(to)?;
        lab.shell(from, "ip neighbour flush dev eth0")?;
        // A router would discard TTL 1.
        wait_for(Duration::from_secs(5), "reply from a neighbour", || {
            lab.shell(from, &format!("ping -n -q -c 1 -t 1 -W 1 {address}")).map(Some)
        })?;
        let link: Value = serde_json::from_str(&lab.shell(to, "ip -j link show dev eth0")?)?;
        let mac = link.pointer("/0/address").and_then(Value::as_str).context("no MAC address")?;
        let neighbour = lab.shell(from, &format!("ip neighbour show {address} dev eth0"))?;
        ensure!(neighbour.contains(mac), "{from} has `{}`, {to} is {mac}", neighbour.trim());
    }
    Ok(())
}

/// Each address is of the pool that serves the endpoint's subnet, also over the stretch; none is leased twice
/// in a tenant.
pub fn leases(lab: &Lab) -> Result<()> {
    let mut seen = HashSet::new();
    for station in lab.stations() {
        let tenant = lab.network().tenants.iter().find(|tenant| tenant.name == station.tenant);
        let (dhcp, gateway) = pool(tenant.context("its tenant")?, &station.subnet).context("its pool")?;
        let address = lab.address(&station)?;
        ensure!((dhcp.start..=dhcp.end).contains(&address), "{station} has {address}, outside of {dhcp:?}");
        ensure!(seen.insert((station.tenant.clone(), address)), "{address} is leased twice");
        let route = lab.shell(&station, "ip route show default")?;
        ensure!(route.contains(&format!("via {gateway} ")), "{station}: {route}");
    }
    Ok(())
}

/// The DHCP server of a subnet, or of the subnet that it stretches, and the gateway.
fn pool(tenant: &Tenant, name: &Name) -> Option<(Dhcp, Ipv4Addr)> {
    let subnet = tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets).find(|subnet| subnet.name == *name)?;
    match &subnet.kind {
        SubnetKind::Routed { dhcp, gateway, .. } => Some((dhcp.clone()?, *gateway)),
        SubnetKind::Stretch { of } => pool(tenant, of),
    }
}
