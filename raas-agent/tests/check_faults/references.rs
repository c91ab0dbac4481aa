//! References: what they name must be there, and fit.

use super::{Case, run};

#[test]
fn references() {
    run(&[
        Case { what: "an unknown hypervisor", edits: &[("globex.toml", "\"h2\"", "\"h3\"")], faults: &[] },
        Case {
            what: "an unknown router in an attachment",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2b\"]")],
            faults: &[],
        },
        Case {
            what: "an attachment of what is no transit",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"spine\", \"l2a\"]")],
            faults: &[],
        },
        Case {
            what: "an attachment of one",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\"]")],
            faults: &[],
        },
        Case {
            what: "an attachment to itself",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l1a\"]")],
            faults: &[],
        },
        Case {
            what: "an attachment between two L1 transits",
            edits: &[("globex.toml", "level = 2", "level = 1")],
            faults: &[],
        },
        Case {
            what: "an attachment twice",
            edits: &[(
                "acme.toml",
                "between = [\"l1a\", \"l2a\"]",
                "between = [\"l2a\", \"h2-l1a\"]\ngre-key = 7",
            )],
            faults: &[],
        },
        Case {
            what: "a key for what is no tunnel",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2a\"]\ngre-key = 7")],
            faults: &[],
        },
        Case {
            what: "an unknown neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"l1b\"\nweight")],
            faults: &[],
        },
        Case {
            what: "a neighbour that is not adjacent",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"l2a\"\nweight")],
            faults: &[],
        },
        Case {
            what: "an L1 transit of another hypervisor is no neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"h2-l1a\"\nweight")],
            faults: &[],
        },
        Case {
            what: "a subnet is no BGP neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"web\"\nweight")],
            faults: &[],
        },
        Case {
            what: "a neighbour twice",
            edits: &[(
                "acme.toml",
                "name = \"l2a\"\nweight = 1",
                "name = \"l2a\"\nweight = 1\n[[transit.neighbor]]\nname = \"l2a\"\nweight = 2",
            )],
            faults: &[],
        },
        Case {
            what: "a neighbour without preferences",
            edits: &[("acme.toml", "weight = 1\n", "")],
            faults: &[],
        },
        Case {
            what: "a network advertised twice",
            edits: &[("acme.toml", "\"0.0.0.0/0\"", "\"198.18.0.0/16\"")],
            faults: &[],
        },
        Case {
            what: "a stretch of nothing",
            edits: &[("acme.toml", "stretch = \"web\"", "stretch = \"wep\"")],
            faults: &[],
        },
        Case {
            what: "a stretch of no subnet",
            edits: &[("acme.toml", "stretch = \"web\"", "stretch = \"l1a\"")],
            faults: &[],
        },
        Case {
            what: "a stretch of a stretch",
            edits: &[(
                "acme.toml",
                "name = \"pc2\"",
                "name = \"pc2\"\n[[vpc.subnet]]\nname = \"again\"\nstretch = \"web-h2\"",
            )],
            faults: &[],
        },
        Case {
            what: "a stretch of what has no VNI",
            edits: &[("acme.toml", "vni = 100\n", "")],
            faults: &[],
        },
        Case {
            what: "a stretch on its parent's hypervisor",
            edits: &[
                ("acme.toml", "stretch = \"web\"", "stretch = \"db\""),
                ("acme.toml", "cidr = \"198.18.1.0/24\"", "cidr = \"198.18.1.0/24\"\nvni = 300"),
            ],
            faults: &[],
        },
        Case {
            what: "a stretch twice on one hypervisor",
            edits: &[(
                "acme.toml",
                "name = \"pc2\"",
                "name = \"pc2\"\n[[vpc.subnet]]\nname = \"again\"\nstretch = \"web\"",
            )],
            faults: &[],
        },
        Case {
            what: "a stretch with a network, a gateway, a VNI and a DHCP server of its own",
            edits: &[(
                "acme.toml",
                "stretch = \"web\"",
                "stretch = \"web\"\ncidr = \"198.18.2.0/24\"\ngateway = \"198.18.2.1\"\nvni = 5\ndhcp = { start = \"198.18.2.2\", end = \"198.18.2.3\" }",
            )],
            faults: &[],
        },
    ]);
}
