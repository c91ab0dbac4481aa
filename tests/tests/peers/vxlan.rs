//! VXLAN of others (RFC 7348): a part of the subnet `stage` behind a VTEP that is not ours.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use raas_lab::{
    Lab,
    peer::{OpenVSwitch, Shell},
    wait_for,
};

use crate::site::{H1, Host, SOON, UPLINK, counting, no_errors, on_both_paths, ping, transfer};

const VTEP: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 21), 24);
const VNI: u32 = 300;
/// A station there.
const STATION: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(198, 18, 3, 50), 24);
/// Its MAC, with either software: a gateway that knows another for the address would ask for it only once that had expired.
const MAC: &str = "02:00:00:00:03:50";
/// Counter scope of the tunnel.
const SCOPE: &str = "acme/stage@192.0.2.21";

/// The VXLAN device of this kernel, which learns.
pub fn kernel(lab: &Lab) -> Result<()> {
    let machine = lab.plug("vtep")?;
    machine.address(VTEP)?;
    let (local, remote) = (VTEP.addr(), H1.addr());
    machine.run(&format!(
        "set -e\n\
         ip link add site address {MAC} type vxlan id {VNI} local {local} remote {remote} dstport 4789\n\
         ip address add {STATION} dev site\n\
         ip link set site mtu 1450 up"
    ))?;
    works(lab, &machine)?;
    let set = |vni: u32| {
        machine
            .run(&format!(
                "set -e\n\
                 ip link delete site\n\
                 ip link add site address {MAC} type vxlan id {vni} local {local} remote {remote} dstport 4789\n\
                 ip address add {STATION} dev site\n\
                 ip link set site mtu 1450 up"
            ))
            .map(drop)
    };
    other_vni(lab, &machine, &set)
}

/// Open vSwitch's.
pub fn open_vswitch(lab: &Lab) -> Result<()> {
    let ovs = OpenVSwitch::start(lab, "vtep", VTEP)?;
    ovs.vxlan(VTEP, H1, VNI, STATION, MAC)?;
    works(lab, &ovs)?;
    other_vni(lab, &ovs, &|vni| ovs.set(&format!("options:key={vni}")))
}

/// Ping and TCP in both directions within the segment, and from another subnet, through the gateway.
fn works(lab: &Lab, there: &impl Shell) -> Result<()> {
    let (pc3, pc2) = (Host::new(lab, "acme/pc3")?, Host::new(lab, "acme/pc2")?);
    let address = pc3.address()?;
    wait_for(SOON, "ping through VXLAN", || ping(&pc3, STATION.addr()).map(Some))?;
    there.shell("ip route replace default via 198.18.3.1")?;
    on_both_paths(lab, |on| {
        let count = if on { 10 } else { 0 };
        counting(lab, "acme/pc3", "bridged-vxlan", count, || ping(&pc3, STATION.addr()))?;
        counting(lab, SCOPE, "bridged-port", count, || ping(there, address))?;
        ping(&pc2, STATION.addr()).context("from another subnet")?;
        counting(lab, SCOPE, "routed-gre", count, || ping(there, pc2.address()?))?;
        // The largest that fits: nothing is fragmented, since the outer header forbids it.
        pc3.shell(&format!("ping -n -q -c 3 -i 0.1 -W 5 -M do -s 1422 {}", STATION.addr()))?;
        transfer(&pc3, there, STATION.addr())?;
        transfer(there, &pc3, address)
    })?;
    no_errors(&pc3)?;
    no_errors(there)
}

/// Frames with another VNI reach nobody.
fn other_vni(lab: &Lab, there: &impl Shell, set: &dyn Fn(u32) -> Result<()>) -> Result<()> {
    let address = Host::new(lab, "acme/pc3")?.address()?;
    set(VNI + 1)?;
    on_both_paths(lab, |_| {
        counting(lab, UPLINK, "drop-unknown-peer", 1, || {
            let printed = there.shell(&format!("ping -n -q -c 2 -i 0.2 -W 1 {address} || [ $? = 1 ]"))?;
            ensure!(printed.contains(" 0 received"), "{printed}");
            Ok(())
        })
    })
}
