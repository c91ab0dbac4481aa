//! References: what they name must be there, and fit.

use super::{Case, run};

#[test]
fn references() {
    run(&[
        Case {
            what: "an unknown hypervisor",
            edits: &[("globex.toml", "\"h2\"", "\"h3\"")],
            faults: &[("globex.toml:22:14: unknown hypervisor `h3`", "did you mean `h1`?")],
        },
        Case {
            what: "an illegal name hides no reference to another",
            edits: &[
                ("acme.toml", "name = \"pc1\"", "name = \"PC1\""),
                ("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2b\"]"),
                ("acme.toml", "stretch = \"web\"", "stretch = \"wep\""),
            ],
            faults: &[
                (
                    "acme.toml:28:8: `name` must be a legal name, which `PC1` is not: it must begin with a \
                     letter a-z",
                    "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
                ),
                ("acme.toml:49:11: unknown subnet `wep`", "did you mean `web`?"),
                ("acme.toml:77:19: unknown transit `l2b`", "did you mean `l2a`?"),
            ],
        },
        Case {
            what: "a duplicate name hides no reference to another",
            edits: &[
                ("acme.toml", "name = \"pc2\"", "name = \"pc1\""),
                ("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2b\"]"),
                ("acme.toml", "name = \"l1a\"\nweight", "name = \"l1b\"\nweight"),
            ],
            faults: &[
                ("acme.toml:12:8: unknown router `l1b`", "did you mean `l1a`?"),
                (
                    "acme.toml:52:8: duplicate name `pc1`: an endpoint at acme.toml:28:8 has it",
                    "routers, subnets and endpoints of a tenant share one space of names: choose another",
                ),
                ("acme.toml:77:19: unknown transit `l2b`", "did you mean `l2a`?"),
            ],
        },
        Case {
            what: "an unknown router in an attachment",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2b\"]")],
            faults: &[("acme.toml:77:19: unknown transit `l2b`", "did you mean `l2a`?")],
        },
        Case {
            what: "an attachment of what is no transit",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"spine\", \"l2a\"]")],
            faults: &[(
                "acme.toml:77:12: `spine` is a spine, not a transit",
                "known transits: `h2-l1a`, `l1a`, `l2a`",
            )],
        },
        Case {
            what: "an attachment of one",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\"]")],
            faults: &[(
                "globex.toml:25:1: `between` must name two routers",
                "write `between = [\"l1a\", \"l2a\"]`",
            )],
        },
        Case {
            what: "an attachment to itself",
            edits: &[("globex.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l1a\"]")],
            faults: &[("globex.toml:26:19: `l1a` is attached to itself", "name two different transits")],
        },
        Case {
            what: "an attachment between two L1 transits",
            edits: &[("globex.toml", "level = 2", "level = 1")],
            faults: &[(
                "globex.toml:25:1: `l1a` and `l2a` are both L1 transits",
                "attach each of them to an L2 transit, which joins L1 transits",
            )],
        },
        Case {
            what: "an attachment twice",
            edits: &[(
                "acme.toml",
                "between = [\"l1a\", \"l2a\"]",
                "between = [\"l2a\", \"h2-l1a\"]\ngre-key = 7",
            )],
            faults: &[(
                "acme.toml:80:1: `h2-l1a` and `l2a` are attached twice: the first is at acme.toml:76:1",
                "remove one: for more paths, attach more transits",
            )],
        },
        Case {
            what: "a key for what is no tunnel",
            edits: &[("acme.toml", "[\"l1a\", \"l2a\"]", "[\"l1a\", \"l2a\"]\ngre-key = 7")],
            faults: &[(
                "acme.toml:78:11: `l1a` and `l2a` are on one hypervisor, and need no `gre-key`",
                "remove it: GRE is for attachments between hypervisors",
            )],
        },
        Case {
            what: "an unknown neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"l1b\"\nweight")],
            faults: &[("acme.toml:12:8: unknown router `l1b`", "did you mean `l1a`?")],
        },
        Case {
            what: "a neighbour that is not adjacent",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"l2a\"\nweight")],
            faults: &[("acme.toml:12:8: `l2a` is no neighbour of `spine`", "did you mean `l1a`?")],
        },
        Case {
            what: "an L1 transit of another hypervisor is no neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"h2-l1a\"\nweight")],
            faults: &[("acme.toml:12:8: `h2-l1a` is no neighbour of `spine`", "known neighbours: `l1a`")],
        },
        Case {
            what: "a subnet is no BGP neighbour",
            edits: &[("acme.toml", "name = \"l1a\"\nweight", "name = \"web\"\nweight")],
            faults: &[("acme.toml:12:8: `web` is no neighbour of `spine`", "known neighbours: `l1a`")],
        },
        Case {
            what: "a neighbour twice",
            edits: &[(
                "acme.toml",
                "name = \"l2a\"\nweight = 1",
                "name = \"l2a\"\nweight = 1\n[[transit.neighbor]]\nname = \"l2a\"\nweight = 2",
            )],
            faults: &[(
                "acme.toml:76:8: neighbour `l2a` twice: the first is at acme.toml:73:8",
                "put all preferences for it into one table",
            )],
        },
        Case {
            what: "a neighbour without preferences",
            edits: &[("acme.toml", "weight = 1\n", "")],
            faults: &[(
                "acme.toml:72:1: this neighbour has no preferences",
                "add `weight` or `local-preference`, or remove the table: a session needs none",
            )],
        },
        Case {
            what: "a network advertised twice",
            edits: &[("acme.toml", "\"0.0.0.0/0\"", "\"198.18.0.0/16\"")],
            faults: &[("acme.toml:9:31: 198.18.0.0/16 is advertised twice", "remove one")],
        },
        Case {
            what: "a stretch of nothing",
            edits: &[("acme.toml", "stretch = \"web\"", "stretch = \"wep\"")],
            faults: &[("acme.toml:49:11: unknown subnet `wep`", "did you mean `web`?")],
        },
        Case {
            what: "a stretch of no subnet",
            edits: &[("acme.toml", "stretch = \"web\"", "stretch = \"l1a\"")],
            faults: &[(
                "acme.toml:49:11: `l1a` is an L1 transit, not a subnet",
                "known subnets that can be stretched: `db`, `web`",
            )],
        },
        Case {
            what: "a stretch of a stretch",
            edits: &[(
                "acme.toml",
                "name = \"pc2\"",
                "name = \"pc2\"\n[[vpc.subnet]]\nname = \"again\"\nstretch = \"web-h2\"",
            )],
            faults: &[("acme.toml:55:11: `web-h2` is itself a stretch", "write `stretch = \"web\"`")],
        },
        Case {
            what: "a stretch of what has no VNI",
            edits: &[("acme.toml", "vni = 100\n", "")],
            faults: &[("acme.toml:48:11: `web` has no VNI to be stretched by", "give `web` a `vni`")],
        },
        Case {
            what: "a stretch on its parent's hypervisor",
            edits: &[
                ("acme.toml", "stretch = \"web\"", "stretch = \"db\""),
                ("acme.toml", "cidr = \"198.18.1.0/24\"", "cidr = \"198.18.1.0/24\"\nvni = 300"),
            ],
            faults: &[("acme.toml:50:11: `db` is on this hypervisor already", "put the endpoints into `db`")],
        },
        Case {
            what: "a stretch twice on one hypervisor",
            edits: &[(
                "acme.toml",
                "name = \"pc2\"",
                "name = \"pc2\"\n[[vpc.subnet]]\nname = \"again\"\nstretch = \"web\"",
            )],
            faults: &[(
                "acme.toml:55:11: `web` is stretched to `h2` twice: the first is at acme.toml:49:11",
                "put the endpoints of both into one subnet",
            )],
        },
        Case {
            what: "a stretch with a network, a gateway, a VNI and a DHCP server of its own",
            edits: &[(
                "acme.toml",
                "stretch = \"web\"",
                "stretch = \"web\"\ncidr = \"198.18.2.0/24\"\ngateway = \"198.18.2.1\"\nvni = 5\ndhcp = { \
                 start = \"198.18.2.2\", end = \"198.18.2.3\" }",
            )],
            faults: &[
                ("acme.toml:50:8: a stretch has no `cidr` of its own", "remove it: that of `web` applies"),
                (
                    "acme.toml:51:11: a stretch has no `gateway` of its own",
                    "remove it: that of `web` applies",
                ),
                ("acme.toml:52:7: a stretch has no `vni` of its own", "remove it: that of `web` applies"),
                ("acme.toml:53:8: a stretch has no `dhcp` of its own", "remove it: that of `web` applies"),
            ],
        },
    ]);
}
