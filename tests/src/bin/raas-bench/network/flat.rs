//! The peer `flat-kernel`: one kernel router on each hypervisor, kernel VXLAN between the two. What somebody would
//! build who wants routing between two hypervisors, no tenants, and no more than the kernel has.
//!
//! It is tuned as far as it helped: endpoints are routed, not bridged; the tunnel knows its one peer; no
//! packet filter is loaded; GRO is on everywhere (with it off at the uplinks, small packets went a third slower,
//! and TCP no faster).

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::Hook;
use raas_lab::{Lab, Options, Station};
use tempfile::TempDir;

use super::fabric;

/// Two kernel routers, an endpoint behind each.
pub struct Flat {
    lab: Lab,
    _config: TempDir,
}

/// One of the two hypervisors.
struct Side {
    hypervisor: &'static str,
    endpoint: &'static str,
    /// First 24 bits of the network behind it.
    network: &'static str,
    /// Host part of its address in the tunnel's network; on the underlay, the hypervisor has the same.
    number: u8,
}

const SIDES: [Side; 2] = [
    Side { hypervisor: "h1", endpoint: fabric::NEAR, network: "198.18.1", number: 1 },
    Side { hypervisor: "h2", endpoint: fabric::FAR, network: "198.18.2", number: 2 },
];

impl Flat {
    /// Builds it: hypervisors and underlay of a lab, without agents.
    pub fn build() -> Result<Self> {
        let config = fabric::with_routers(7)?;
        let network =
            raas_agent::config::load(config.path()).map_err(|faults| anyhow::anyhow!("{faults}"))?;
        let options = Options { hook: Some(Hook::Tc), ..Options::default() };
        let lab = Lab::create(network, config.path(), &options)?;
        let [near, far] = &SIDES;
        side(&lab, near, far).and_then(|()| side(&lab, far, near)).context("building the flat network")?;
        Ok(Self { lab, _config: config })
    }

    /// Where it is.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The endpoint that sends, and the one that receives.
    pub fn endpoints(&self) -> Result<(Station, Station)> {
        Ok((self.lab.station(fabric::NEAR)?, self.lab.station(fabric::FAR)?))
    }
}

fn side(lab: &Lab, here: &Side, there: &Side) -> Result<()> {
    let Side { hypervisor, endpoint, network, number } = here;
    let (other, other_network) = (there.number, there.network);
    let netns = lab.station(endpoint)?.netns;
    let script = format!(
        "ip netns add {netns}
        ip link add endpoint type veth peer name eth0 netns {netns}
        ip -n {netns} link set lo up
        ip -n {netns} link set eth0 up mtu 1450
        ip -n {netns} address add {network}.10/24 dev eth0
        ip -n {netns} route add default via {network}.1
        ip link set endpoint up mtu 1450
        ip address add {network}.1/24 dev endpoint
        ethtool -K endpoint gro on
        nsenter --net=/run/netns/{netns} ethtool -K eth0 gro on
        ip link add tunnel mtu 1450 type vxlan id 7 dstport 4789 local 192.0.2.{number} remote 192.0.2.{other} nolearning
        ip link set tunnel up
        ip address add 203.0.113.{number}/30 dev tunnel
        ip route add {other_network}.0/24 via 203.0.113.{other}
        sysctl -q -w net.ipv4.ip_forward=1"
    );
    let output = lab.exec(hypervisor, None, &["sh", "-ec", &script])?;
    ensure!(output.status.success(), "{hypervisor}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
