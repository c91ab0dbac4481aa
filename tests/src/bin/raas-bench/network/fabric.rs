//! Networks of two hypervisors with a given number of routers between endpoint `near` and endpoint `far`.
//!
//! A leaf's gateway joins its spines only, spines join L1 transits only, and between hypervisors packets go by
//! VXLAN (a stretched subnet) or by GRE (between transits). So there are ways of 3, 5, 7, 8 and more routers, and
//! none of 2, 4 or 6.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// The numbers of routers that [`with_routers`] knows a network of.
pub const ROUTERS: [u32; 4] = [3, 5, 7, 8];

/// The endpoint that sends.
pub const NEAR: &str = "bench/near";
/// The endpoint that receives.
pub const FAR: &str = "bench/far";
/// AS number of transit `bench/far-l1`.
pub const FAR_L1_ASN: u32 = 65012;

const FABRIC: &str = r#"
name = "bench"
asn = 64512

[[hypervisor]]
name = "h1"
address = "192.0.2.1/24"
uplinks = ["uplink0"]
loopbacks = "203.0.113.0/26"

[[hypervisor]]
name = "h2"
address = "192.0.2.2/24"
uplinks = ["uplink0"]
loopbacks = "203.0.113.64/26"
"#;

const NEAR_VPC: &str = r#"
[[vpc]]
name = "vpc1"
hypervisor = "h1"

[[vpc.spine]]
asn = 65001

[[vpc.subnet]]
name = "one"
cidr = "198.51.100.0/25"
dhcp = { start = "198.51.100.10", end = "198.51.100.19" }

[[vpc.subnet.endpoint]]
name = "near"
"#;

/// A subnet of `vpc1`, if this stands after it.
const STRETCHED_SUBNET: &str = r#"
[[vpc.subnet]]
name = "two"
cidr = "198.51.100.128/25"
vni = 10001
dhcp = { start = "198.51.100.140", end = "198.51.100.149" }
"#;

const SECOND_VPC: &str = r#"
[[vpc]]
name = "vpc2"
hypervisor = "h1"

[[vpc.spine]]
asn = 65002
"#;

const STRETCH: &str = r#"
[[vpc]]
name = "vpc3"
hypervisor = "h2"

[[vpc.subnet]]
name = "two-h2"
stretch = "two"

[[vpc.subnet.endpoint]]
name = "far"
"#;

const FAR_VPC: &str = r#"
[[vpc]]
name = "vpc2"
hypervisor = "h2"

[[vpc.spine]]
asn = 65002

[[vpc.subnet]]
name = "two"
cidr = "198.51.100.128/25"
dhcp = { start = "198.51.100.140", end = "198.51.100.149" }

[[vpc.subnet.endpoint]]
name = "far"
"#;

/// A network with that many routers on the way, all of them on the shortest one.
pub fn with_routers(routers: u32) -> Result<TempDir> {
    let [l1, l2] = [transit("l1", 1, "h1", 65011), transit("l2", 2, "h1", 65021)];
    let far_l1 = transit("far-l1", 1, "h2", FAR_L1_ASN);
    let tenant = match routers {
        3 => [NEAR_VPC, STRETCHED_SUBNET, STRETCH].concat(),
        5 => [NEAR_VPC, SECOND_VPC, STRETCHED_SUBNET, &l1, STRETCH].concat(),
        7 => {
            let attachments = [attach("l1", "l2"), attach("l2", "far-l1")].concat();
            [NEAR_VPC, FAR_VPC, &l1, &l2, &far_l1, &attachments].concat()
        }
        8 => {
            let far_l2 = transit("far-l2", 2, "h2", 65022);
            let attachments =
                [attach("l1", "l2"), attach("l2", "far-l2"), attach("far-l2", "far-l1")].concat();
            [NEAR_VPC, FAR_VPC, &l1, &l2, &far_l1, &far_l2, &attachments].concat()
        }
        _ => bail!("no network has {routers} routers on the way"),
    };
    write(FABRIC, &tenant)
}

/// Two hypervisors with a transit each, and no endpoints.
pub fn transits() -> Result<TempDir> {
    let routers = [transit("l2", 2, "h1", 65021), transit("far-l1", 1, "h2", FAR_L1_ASN)].concat();
    write(FABRIC, &(routers + &attach("l2", "far-l1")))
}

/// The configuration directory of a fabric and its one tenant, `bench`.
fn write(fabric: &str, tenant: &str) -> Result<TempDir> {
    let directory = TempDir::with_prefix("raas-bench-").context("making a directory")?;
    for (name, text) in [("fabric.toml", fabric), ("bench.toml", tenant)] {
        let file: &Path = &directory.path().join(name);
        fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    Ok(directory)
}

/// A transit router.
fn transit(name: &str, level: u32, hypervisor: &str, asn: u32) -> String {
    format!("\n[[transit]]\nname = \"{name}\"\nlevel = {level}\nhypervisor = \"{hypervisor}\"\nasn = {asn}\n")
}

fn attach(a: &str, b: &str) -> String {
    format!("\n[[attachment]]\nbetween = [\"{a}\", \"{b}\"]\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_networks_are_valid() {
        for routers in ROUTERS {
            let directory = with_routers(routers).expect("a directory");
            let loaded = raas_agent::config::load(directory.path());
            assert!(
                loaded.is_ok(),
                "{routers}: {}",
                loaded.err().map(|faults| faults.to_string()).unwrap_or_default()
            );
        }
        assert!(with_routers(4).is_err());
    }
}
