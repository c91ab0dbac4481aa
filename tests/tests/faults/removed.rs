//! Somebody removes what is in the kernel, on h1 and of tenant `acme`.

use anyhow::{Context as _, Result, ensure};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, domain, mac, port, shell, whole};

/// How a repair shows.
pub enum Sign {
    /// The agent says that it did this.
    Step(String),
    /// A command prints this again.
    Shown(String, String),
}

impl Sign {
    fn step(step: &str) -> Self {
        Self::Step(step.to_owned())
    }

    fn shown(command: &str, text: &str) -> Self {
        Self::Shown(command.to_owned(), text.to_owned())
    }

    /// Whether it shows. The agent had taken that many steps `before`.
    fn seen(&self, lab: &Lab, before: u64) -> Result<()> {
        match self {
            Self::Step(expected) => {
                let repairs = lab.status("h1")?.repairs;
                let new = usize::try_from(repairs.steps - before)?;
                let done: Vec<_> = repairs.recent.iter().rev().take(new).map(|repair| &repair.step).collect();
                let seen = done.iter().any(|step| step.starts_with(expected));
                ensure!(seen, "`{expected}` is not among {done:?}");
            }
            Self::Shown(command, expected) => {
                let shown = shell(lab, "h1", command)?;
                ensure!(shown.contains(expected), "`{command}` does not show `{expected}`: {shown}");
            }
        }
        Ok(())
    }
}

/// A damage, as a shell command, and how its repair shows.
pub type Case = (String, Sign);

/// Does one damage after the other; waits for the sign of its repair each time, and requires that the network is whole
/// then. The other tenant must not lose anything.
pub fn repaired(lab: &Lab, cases: impl IntoIterator<Item = Case>) -> Result<()> {
    let bystander = bystander(lab)?;
    for (damage, sign) in cases {
        let before = lab.status("h1")?.repairs.steps;
        shell(lab, "h1", &damage)?;
        let seen = wait_for(SOON, "repair", || sign.seen(lab, before).map(Some));
        seen.and_then(|()| whole(lab)).with_context(|| format!("after `{damage}`"))?;
    }
    bystander.none_lost()
}

/// A router's and an endpoint's.
pub fn namespaces(lab: &Lab) -> Result<()> {
    let all = [("raas-acme-vpc1-s1", "acme/vpc1-s1"), ("raas-acme-pc1", "acme/pc1")];
    let case =
        |(netns, name)| (format!("ip netns del {netns}"), Sign::Step(format!("create namespace {name} ")));
    repaired(lab, all.map(case))
}

/// Of an endpoint, between routers, of a tunnel; a bridge, a VXLAN device.
pub fn links(lab: &Lab) -> Result<()> {
    let apps = domain(lab, "h1", "acme/apps")?;
    let vxlan = apps.vxlan.context("`apps` is stretched")?;
    let step = |text: &str| Sign::Step(text.to_owned());
    let cases = [
        (format!("ip link del {}", port(lab, "h1", "acme/pc1")?), step("create link raas:h1:acme/pc1/eth0 ")),
        ("ip -n raas-acme-vpc1-s1 link del l1a".into(), step("create link raas:h1:acme/vpc1-s1/l1a ")),
        ("ip -n raas-acme-l2a link del l1b".into(), step("create link raas:h1:acme/l2a/l1b")),
        (format!("ip link del {}", apps.bridge), step("create bridge raas:h1:acme/apps ")),
        (format!("ip link del {vxlan}"), step("create VXLAN device raas:h1:acme/apps")),
    ];
    repaired(lab, cases)
}

/// The gateway's address, a router's; routes that the agent installs, and those that FRR does.
pub fn addresses_and_routes(lab: &Lab) -> Result<()> {
    let spine = "ip -n raas-acme-vpc1-s1";
    let cases = [
        (
            "ip -n raas-acme-web address del 198.18.1.1/24 dev bridge".to_owned(),
            Sign::step("add address 198.18.1.1/24 to acme/web/bridge "),
        ),
        (format!("{spine} address flush dev lo scope global"), Sign::step("add address 203.0.113.")),
        (
            "ip -n raas-acme-web route del default".into(),
            Sign::step("install route 0.0.0.0/0 in raas-acme-web"),
        ),
        (
            format!("{spine} route del 198.18.1.0/24"),
            Sign::step("install route 198.18.1.0/24 in raas-acme-vpc1-s1"),
        ),
        (
            format!("{spine} route flush proto bgp"),
            Sign::shown(&format!("{spine} route show proto bgp"), "198.18.3.0/24"),
        ),
    ];
    repaired(lab, cases)
}

/// Neighbours of an unnumbered link, of a subnet, of the underlay; entries of a bridge and of a VXLAN device, for a
/// station here and one on the other hypervisor.
pub fn neighbours_and_stations(lab: &Lab) -> Result<()> {
    let apps = domain(lab, "h1", "acme/apps")?;
    let vxlan = apps.vxlan.context("`apps` is stretched")?;
    let web = domain(lab, "h1", "acme/web")?.bridge;
    let (near, far) = (lab.station("acme/pc1")?, lab.station("acme/pc4")?);
    let (near_mac, far_mac) = (mac(lab, &near)?, mac(lab, &far)?);
    let near_address = lab.address(&near)?;
    let bridge_fdb = format!("bridge fdb show br {web}");
    let vxlan_fdb = format!("bridge fdb show dev {vxlan}");
    let at_vtep = format!("{far_mac} dst 192.0.2.2");
    let cases = [
        (
            "ip -n raas-acme-vpc1-s1 neighbour del 169.254.0.1 dev l1a".to_owned(),
            Sign::step("set the neighbour of l1a (l1a in raas-acme-vpc1-s1)"),
        ),
        (
            format!("ip -n raas-acme-web neighbour del {near_address} dev bridge"),
            // Nobody asks for it before there are packets.
            Sign::shown(
                &format!(
                    "ip netns exec raas-acme-web ping -qc1 -W1 {near_address} && \
                     ip -n raas-acme-web neighbour show {near_address}"
                ),
                &format!("lladdr {near_mac} managed"),
            ),
        ),
        (
            "ip neighbour del 192.0.2.2 dev uplink0".into(),
            Sign::shown("ip neighbour show 192.0.2.2", "managed"),
        ),
        (
            format!("bridge fdb del {near_mac} dev {} master", port(lab, "h1", "acme/pc1")?),
            Sign::shown(
                &format!("ip netns exec raas-acme-pc1 ping -qc1 -W1 198.18.1.1 >&2; {bridge_fdb}"),
                &near_mac.to_string(),
            ),
        ),
        (
            format!("bridge fdb del {far_mac} dev {vxlan} dst 192.0.2.2 self"),
            Sign::shown(&vxlan_fdb, &at_vtep),
        ),
        (format!("bridge fdb del {far_mac} dev {vxlan} master"), Sign::shown(&vxlan_fdb, &at_vtep)),
        (
            format!("bridge fdb del 00:00:00:00:00:00 dev {vxlan} dst 192.0.2.2 self"),
            Sign::shown(&vxlan_fdb, "00:00:00:00:00:00 dst 192.0.2.2"),
        ),
    ];
    repaired(lab, cases)
}
