//! The configurations that come with RaaS are valid, and mean what their comments say.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use raas_agent::{
    cli::check,
    config,
    model::{EndpointKind, Level, Name, Network, SubnetKind, Tenant},
};

fn shipped(dir: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(dir)
}

fn load(dir: &str) -> Network {
    config::load(&shipped(dir)).unwrap_or_else(|faults| panic!("{faults}"))
}

fn name(text: &str) -> Name {
    text.parse().expect("a legal name")
}

fn tenant<'n>(network: &'n Network, of: &str) -> &'n Tenant {
    network.tenants.iter().find(|tenant| tenant.name == name(of)).expect("the tenant")
}

#[test]
fn the_demo_has_the_as_numbers_of_the_original() {
    let network = load("demo");
    let acme = tenant(&network, "acme");
    let spines: Vec<_> = acme
        .vpcs
        .iter()
        .map(|vpc| {
            (
                vpc.name.as_str(),
                vpc.hypervisor.as_str(),
                vpc.spines.iter().map(|spine| spine.bgp.asn).collect(),
            )
        })
        .collect();
    let expected: [(&str, &str, Vec<u32>); 3] = [
        ("vpc1", "h1", vec![1000, 2000]),
        ("vpc2", "h1", vec![3000, 4000]),
        ("vpc2b", "h2", vec![3100, 4100]),
    ];
    assert_eq!(spines, expected);
    let transits = |hypervisor, level| -> Vec<u32> {
        let there = acme.transits.iter().filter(|transit| transit.hypervisor == name(hypervisor));
        there.filter(|transit| transit.level == level).map(|transit| transit.bgp.asn).collect()
    };
    assert_eq!(transits("h1", Level::L1), [5000, 6000]);
    assert_eq!(transits("h1", Level::L2), [7000, 8000]);
    assert_eq!(transits("h2", Level::L1), [5500, 6500]);
    assert_eq!(transits("h2", Level::L2), [0u32; 0]);
}

#[test]
fn the_demo_stretches_a_subnet_and_has_an_endpoint_in_each() {
    let network = load("demo");
    let subnets: Vec<_> = tenant(&network, "acme").vpcs.iter().flat_map(|vpc| &vpc.subnets).collect();
    let subnet = |of: &str| *subnets.iter().find(|subnet| subnet.name == name(of)).expect("the subnet");
    assert_eq!(subnet("apps-h2").kind, SubnetKind::Stretch { of: name("apps") });
    assert_eq!(subnet("apps").vni, Some(10001));
    assert_eq!(subnet("apps-h2").vni, Some(10001), "a stretch has its parent's VNI");
    let SubnetKind::Routed { cidr, gateway, .. } = subnet("apps").kind else { panic!("apps is routed") };
    assert_eq!((cidr.to_string(), gateway.to_string()), ("198.18.1.0/24".into(), "198.18.1.1".into()));
    for subnet in subnets {
        let [endpoint] = &subnet.endpoints[..] else { panic!("{} has one endpoint", subnet.name) };
        assert_eq!(endpoint.kind, EndpointKind::Namespace);
    }
}

#[test]
fn the_demo_has_a_second_tenant_with_the_same_addresses() {
    let network = load("demo");
    let networks = |of: &str| -> Vec<_> {
        let subnets = tenant(&network, of).vpcs.iter().flat_map(|vpc| &vpc.subnets);
        subnets
            .filter_map(|subnet| match subnet.kind {
                SubnetKind::Routed { cidr, .. } => Some(cidr),
                SubnetKind::Stretch { .. } => None,
            })
            .collect()
    };
    assert_eq!(networks("globex").len(), 2);
    assert!(networks("globex").iter().all(|cidr| networks("acme").contains(cidr)));
}

#[test]
fn the_example_of_three_hypervisors_is_redundant() {
    let network = load("examples/three-hypervisors");
    assert_eq!(network.fabric.hypervisors.len(), 3);
    let tenant = tenant(&network, "acme");
    for l1 in tenant.transits.iter().filter(|transit| transit.level == Level::L1) {
        let attached = tenant.attachments.iter().filter(|edge| edge.a == l1.name || edge.b == l1.name);
        assert_eq!(attached.count(), 2, "{} is attached to both L2 transits", l1.name);
    }
}

#[test]
fn the_exit_code_tells_a_valid_configuration_from_a_faulty_one() {
    assert_eq!(check::run(&shipped("demo")).unwrap(), ExitCode::SUCCESS);
    assert_eq!(check::run(&shipped("no-such-directory")).unwrap(), ExitCode::from(2));
}
