//! What must be unique.

use super::{Case, run};

#[test]
fn clashes() {
    run(&[
        Case {
            what: "two VPCs of one name",
            edits: &[("acme.toml", "name = \"vpc2\"", "name = \"vpc1\"")],
            faults: &[],
        },
        Case {
            what: "a router and an endpoint of one name",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"l1a\"")],
            faults: &[],
        },
        Case {
            what: "a default name that is taken",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"vpc1-s2\"")],
            faults: &[],
        },
        Case {
            what: "an AS number twice in a tenant",
            edits: &[("acme.toml", "asn = 2000", "asn = 1000")],
            faults: &[],
        },
        Case {
            what: "the fabric's AS number",
            edits: &[("globex.toml", "asn = 6000", "asn = 64512")],
            faults: &[],
        },
        Case {
            what: "a VNI of two tenants",
            edits: &[("globex.toml", "vni = 200", "vni = 100")],
            faults: &[],
        },
        Case {
            what: "a GRE key of two tenants",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2a\"]\ngre-key = 1")],
            faults: &[],
        },
        Case {
            what: "a second tunnel without a key",
            edits: &[("acme.toml", "gre-key = 1\n", "")],
            faults: &[],
        },
        Case {
            what: "an uplink as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"uplink1\"")],
            faults: &[],
        },
        Case {
            what: "an uplink of another hypervisor is none here",
            edits: &[("acme.toml", "name = \"pc2\"", "name = \"pc2\"\ninterface = \"uplink1\"")],
            faults: &[],
        },
        Case {
            what: "two endpoints on one interface",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"pc1\"\ninterface = \"eth1\"")],
            faults: &[],
        },
        Case {
            what: "the same interface on two hypervisors is two",
            edits: &[("acme.toml", "name = \"pc2\"", "name = \"pc2\"\ninterface = \"eth1\"")],
            faults: &[],
        },
    ]);
}

#[test]
fn namespaces_of_two_tenants() {
    let mut files = super::edited(&[("globex.toml", "name = \"web\"", "name = \"eu-web\"")]);
    files[1].path = "acme-eu.toml".into();
    files[2].path = "acme.toml".into();
    let faults = raas_agent::config::parse(files).unwrap_err();
    let expected = "acme.toml:9:8: error: its namespace `raas-acme-eu-web` is also that of acme-eu.toml:20:8\n  \
                    help: rename one, or one of the tenants";
    assert_eq!(faults.to_string(), expected);
}
