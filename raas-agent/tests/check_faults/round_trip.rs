//! A network written as TOML reads back as the same network: no key is lost, and every default is what it
//! says.

use std::{fmt::Write as _, path::Path};

use ipnet::Ipv4Net;
use raas_agent::{
    config::{self, File},
    model::{Bgp, EndpointKind, Fabric, Level, Network, Peer, Subnet, SubnetKind, Tenant},
};

use super::edited;

fn fabric(fabric: &Fabric) -> String {
    let Fabric { name, asn, mtu, fib_nodes, hypervisors } = fabric;
    let mut toml = format!("name = '{name}'\nasn = {asn}\nmtu = {mtu}\nfib-nodes = {fib_nodes}\n");
    for hypervisor in hypervisors {
        let _ = writeln!(
            toml,
            "[[hypervisor]]\nname = '{}'\naddress = '{}'\nuplinks = {:?}\nhook = '{}'\nloopbacks = '{}'",
            hypervisor.name,
            hypervisor.address,
            hypervisor.uplinks,
            hypervisor.uplink_hook,
            hypervisor.loopbacks
        );
    }
    toml
}

fn bgp(table: &str, bgp: &Bgp) -> String {
    let advertise: Vec<_> = bgp.advertise.iter().map(ToString::to_string).collect();
    let mut toml = format!("asn = {}\necmp = {}\nadvertise = {advertise:?}\n", bgp.asn, bgp.ecmp);
    for neighbor in &bgp.neighbors {
        let _ = writeln!(toml, "[[{table}.neighbor]]\nname = '{}'", neighbor.neighbor);
        if let Some(weight) = neighbor.weight {
            let _ = writeln!(toml, "weight = {weight}");
        }
        if let Some(preference) = neighbor.local_preference {
            let _ = writeln!(toml, "local-preference = {preference}");
        }
    }
    toml
}

fn peer(peer: &Peer) -> String {
    let Peer { name, remote, key, asn, address, maximum_prefix, import, export } = peer;
    let list = |networks: &[Ipv4Net]| networks.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut toml = format!("[[transit.peer]]\nname = '{name}'\nremote = '{remote}'\nasn = {asn}\n");
    let _ = writeln!(toml, "maximum-prefix = {maximum_prefix}");
    let _ = writeln!(toml, "import = {:?}\nexport = {:?}", list(import), list(export));
    if let Some(key) = key {
        let _ = writeln!(toml, "gre-key = {key}");
    }
    if let Some(address) = address {
        let _ = writeln!(toml, "address = '{address}'");
    }
    toml
}

fn subnet(subnet: &Subnet) -> String {
    let mut toml = format!("[[vpc.subnet]]\nname = '{}'\n", subnet.name);
    match &subnet.kind {
        SubnetKind::Stretch { of } => {
            let _ = writeln!(toml, "stretch = '{of}'");
        }
        SubnetKind::Routed { cidr, gateway, dhcp } => {
            let _ = writeln!(toml, "cidr = '{cidr}'\ngateway = '{gateway}'");
            if let Some(vni) = subnet.vni {
                let _ = writeln!(toml, "vni = {vni}");
            }
            if let Some(vtep) = subnet.vtep {
                let _ = writeln!(toml, "vtep = '{vtep}'");
            }
            if let Some(dhcp) = dhcp {
                let (start, end, lease) = (dhcp.start, dhcp.end, dhcp.lease);
                let _ = writeln!(toml, "dhcp = {{ start = '{start}', end = '{end}', lease = {lease} }}");
            }
        }
    }
    for endpoint in &subnet.endpoints {
        let _ =
            writeln!(toml, "[[vpc.subnet.endpoint]]\nname = '{}'\nhook = '{}'", endpoint.name, endpoint.hook);
        if let EndpointKind::Interface(interface) = &endpoint.kind {
            let _ = writeln!(toml, "interface = '{interface}'");
        }
    }
    toml
}

fn tenant(tenant: &Tenant) -> String {
    let mut toml = String::new();
    for vpc in &tenant.vpcs {
        let _ = writeln!(toml, "[[vpc]]\nname = '{}'\nhypervisor = '{}'", vpc.name, vpc.hypervisor);
        for spine in &vpc.spines {
            let _ =
                writeln!(toml, "[[vpc.spine]]\nname = '{}'\n{}", spine.name, bgp("vpc.spine", &spine.bgp));
        }
        toml.extend(vpc.subnets.iter().map(subnet));
    }
    for transit in &tenant.transits {
        let level = if transit.level == Level::L1 { 1 } else { 2 };
        let (name, hypervisor) = (&transit.name, &transit.hypervisor);
        let _ = writeln!(toml, "[[transit]]\nname = '{name}'\nhypervisor = '{hypervisor}'\nlevel = {level}");
        toml += &bgp("transit", &transit.bgp);
        toml.extend(transit.peers.iter().map(peer));
    }
    for attachment in &tenant.attachments {
        let _ = writeln!(toml, "[[attachment]]\nbetween = ['{}', '{}']", attachment.a, attachment.b);
        if let Some(key) = attachment.key {
            let _ = writeln!(toml, "gre-key = {key}");
        }
    }
    toml
}

fn written(network: &Network) -> Vec<File> {
    let tenants = network
        .tenants
        .iter()
        .map(|written| File { path: format!("{}.toml", written.name).into(), text: tenant(written) });
    tenants.chain([File { path: "fabric.toml".into(), text: fabric(&network.fabric) }]).collect()
}

#[test]
fn what_is_written_reads_back() {
    let shipped =
        |dir: &str| config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(dir));
    for network in [
        shipped("demo"),
        shipped("examples/three-hypervisors"),
        shipped("examples/foreign-routers"),
        config::parse(edited(&[])),
    ] {
        let network = network.unwrap_or_else(|faults| panic!("{faults}"));
        let again = config::parse(written(&network)).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(again, network);
    }
}
