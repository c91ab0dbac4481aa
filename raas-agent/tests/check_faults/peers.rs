//! Foreign routers.

use super::{Case, run};

/// Another peer, behind the base's.
macro_rules! second {
    ($lines:literal) => {
        ("acme.toml", "export = [\"198.18.0.0/17\"]\n", concat!("[[transit.peer]]\nname = \"two\"\n", $lines))
    };
}

#[test]
fn vteps() {
    run(&[
        Case {
            what: "a foreign VTEP",
            edits: &[("globex.toml", "vni = 200", "vni = 200\nvtep = \"198.51.100.8\"")],
            faults: &[],
        },
        Case {
            what: "without a VNI",
            edits: &[("globex.toml", "vni = 200", "vtep = \"198.51.100.8\"")],
            faults: &[(
                "globex.toml:11:8: a VTEP needs a VNI to tell the segment by",
                "add `vni` to this subnet",
            )],
        },
        Case {
            what: "of a hypervisor",
            edits: &[("globex.toml", "vni = 200", "vni = 200\nvtep = \"192.0.2.2\"")],
            faults: &[(
                "globex.toml:12:8: 192.0.2.2 is the hypervisor `h2`, no foreign VTEP",
                "extend the subnet to another hypervisor by `stretch`, in a VPC there",
            )],
        },
        Case {
            what: "and a stretch",
            edits: &[("acme.toml", "vni = 100", "vni = 100\nvtep = \"198.51.100.8\"")],
            faults: &[(
                "acme.toml:24:8: `web` has a foreign VTEP, and is stretched to another hypervisor at \
                 acme.toml:50:11",
                "remove one of the two",
            )],
        },
        Case {
            what: "of the stretch itself",
            edits: &[("acme.toml", "stretch = \"web\"", "stretch = \"web\"\nvtep = \"198.51.100.8\"")],
            faults: &[(
                "acme.toml:50:8: a stretch has no `vtep` of its own",
                "remove it: that of `web` applies",
            )],
        },
    ]);
}

#[test]
fn peers() {
    run(&[
        Case {
            what: "the least that there must be",
            edits: &[second!("")],
            faults: &[
                ("acme.toml:91:1: missing key `asn`", "add `asn = …` to this table"),
                ("acme.toml:91:1: missing key `remote`", "add `remote = …` to this table"),
            ],
        },
        Case {
            what: "a second peer at one address, and of one AS, told apart by having no key",
            edits: &[second!("remote = \"198.51.100.9\"\nasn = 64900\n")],
            faults: &[],
        },
        Case {
            what: "a second tunnel with the same key",
            edits: &[second!("remote = \"198.51.100.9\"\nasn = 64900\ngre-key = 7\n")],
            faults: &[(
                "acme.toml:95:11: GRE key 7 twice between `h2` and 198.51.100.9: the first is at \
                 acme.toml:87:11",
                "write, for instance, `gre-key = 1`",
            )],
        },
        Case {
            what: "a hypervisor as a peer",
            edits: &[("acme.toml", "198.51.100.9", "192.0.2.1")],
            faults: &[(
                "acme.toml:85:10: 192.0.2.1 is the hypervisor `h1`, no foreign router",
                "join transits of two hypervisors by `[[attachment]]`",
            )],
        },
        Case {
            what: "a multicast address as a peer",
            edits: &[("acme.toml", "198.51.100.9", "224.0.0.5")],
            faults: &[(
                "acme.toml:85:10: `remote` must be unicast and routable, but 224.0.0.5/32 overlaps \
                 224.0.0.0/4 (multicast)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "a router's AS number",
            edits: &[("acme.toml", "asn = 64900", "asn = 5500")],
            faults: &[(
                "acme.toml:86:7: AS 5500 is a router's of the tenant: acme.toml:70:7",
                "write the peer's own AS number: BGP drops routes with the receiver's in their path",
            )],
        },
        Case {
            what: "a tunnel network with room for more than two",
            edits: &[("acme.toml", "198.19.255.1/30", "198.19.255.1/29")],
            faults: &[(
                "acme.toml:88:11: `address` must be in a network of two hosts, which 198.19.255.0/29 is not",
                "take a /30 or a /31: the other host is the peer",
            )],
        },
        Case {
            what: "the address of a tunnel network itself",
            edits: &[("acme.toml", "198.19.255.1/30", "198.19.255.0/30")],
            faults: &[(
                "acme.toml:88:11: `address` must be a host's address, which 198.19.255.0 is not in \
                 198.19.255.0/30",
                "take another address: a network's first and last are no host's",
            )],
        },
        Case {
            what: "a tunnel network within a subnet",
            edits: &[("acme.toml", "198.19.255.1/30", "198.18.1.5/30")],
            faults: &[(
                "acme.toml:88:11: 198.18.1.4/30 overlaps 198.18.1.0/24 at acme.toml:44:8",
                "networks of one tenant must be apart: take another",
            )],
        },
        Case {
            what: "the name of something else",
            edits: &[("acme.toml", "name = \"branch\"", "name = \"web\"")],
            faults: &[(
                "acme.toml:84:8: duplicate name `web`: a subnet at acme.toml:20:8 has it",
                "routers, subnets and endpoints of a tenant share one space of names: choose another",
            )],
        },
        Case {
            what: "an attachment to a peer",
            edits: &[("acme.toml", "[\"h2-l1a\", \"l2a\"]", "[\"h2-l1a\", \"branch\"]")],
            faults: &[(
                "acme.toml:80:22: `branch` is a peer, not a transit",
                "known transits: `h2-l1a`, `l1a`, `l2a`",
            )],
        },
        Case {
            what: "preferences for a peer",
            edits: &[("acme.toml", "name = \"l2a\"\nweight", "name = \"branch\"\nweight")],
            faults: &[],
        },
        Case {
            what: "no prefix at all",
            edits: &[("acme.toml", "maximum-prefix = 100", "maximum-prefix = 0")],
            faults: &[(
                "acme.toml:89:18: `maximum-prefix` must be 1 to 4294967295, not `0`",
                "write an integer from 1 to 4294967295",
            )],
        },
    ]);
}
