//! What must be unique.

use super::{Case, run};

#[test]
fn clashes() {
    run(&[
        Case {
            what: "two VPCs of one name",
            edits: &[("acme.toml", "name = \"vpc2\"", "name = \"vpc1\"")],
            faults: &[(
                "acme.toml:36:8: duplicate VPC `vpc1`: the first is at acme.toml:2:8",
                "give it another name",
            )],
        },
        Case {
            what: "a router and an endpoint of one name",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"l1a\"")],
            faults: &[
                (
                    "acme.toml:55:8: duplicate name `l1a`: an endpoint at acme.toml:28:8 has it",
                    "routers, subnets and endpoints of a tenant share one space of names: choose another",
                ),
                ("acme.toml:77:12: `l1a` is an endpoint, not a transit", "did you mean `l2a`?"),
            ],
        },
        Case {
            what: "a default name that is taken",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"vpc1-s2\"")],
            faults: &[(
                "acme.toml:28:8: duplicate name `vpc1-s2`: a spine at acme.toml:16:1 has it",
                "routers, subnets and endpoints of a tenant share one space of names: choose another",
            )],
        },
        Case {
            what: "an AS number twice in a tenant",
            edits: &[("acme.toml", "asn = 2000", "asn = 1000")],
            faults: &[(
                "acme.toml:17:7: AS 1000 twice: the first is at acme.toml:7:7",
                "give each router of a tenant an AS number that neither another nor the fabric has",
            )],
        },
        Case {
            what: "the fabric's AS number",
            edits: &[("globex.toml", "asn = 6000", "asn = 64512")],
            faults: &[(
                "globex.toml:23:7: AS 64512 twice: the first is at fabric.toml:2:7",
                "give each router of a tenant an AS number that neither another nor the fabric has",
            )],
        },
        Case {
            what: "a VNI of two tenants",
            edits: &[("globex.toml", "vni = 200", "vni = 100")],
            faults: &[(
                "globex.toml:11:7: VNI 100 twice: the first is at acme.toml:23:7",
                "VNIs are unique over all tenants: take another",
            )],
        },
        Case {
            what: "a GRE key of two tenants",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2a\"]\ngre-key = 1")],
            faults: &[(
                "globex.toml:27:11: GRE key 1 twice between `h1` and `h2`: the first is at acme.toml:81:11",
                "write, for instance, `gre-key = 2`",
            )],
        },
        Case {
            what: "a second tunnel without a key",
            edits: &[("acme.toml", "gre-key = 1\n", "")],
            faults: &[(
                "globex.toml:25:1: a second GRE tunnel without a key between `h1` and `h2`: the first is at \
                 acme.toml:79:1",
                "write, for instance, `gre-key = 1`",
            )],
        },
        Case {
            what: "an uplink as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"uplink1\"")],
            faults: &[(
                "acme.toml:32:13: `uplink1` is an uplink of `h1` (fabric.toml:9:23)",
                "an endpoint needs an interface of its own",
            )],
        },
        Case {
            what: "an uplink of another hypervisor is none here",
            edits: &[("acme.toml", "name = \"pc2\"", "name = \"pc2\"\ninterface = \"uplink1\"")],
            faults: &[],
        },
        Case {
            what: "two endpoints on one interface",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"pc1\"\ninterface = \"eth1\"")],
            faults: &[(
                "acme.toml:33:13: `eth1` on `h1` leads to an endpoint already (acme.toml:29:13)",
                "an endpoint needs an interface of its own",
            )],
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
    let expected = "\
acme.toml:9:8: error: its namespace `raas-acme-eu-web` is also that of acme-eu.toml:20:8
  help: rename one, or one of the tenants";
    assert_eq!(faults.to_string(), expected);
}
