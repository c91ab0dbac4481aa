//! Networks, gateways, DHCP ranges.

use super::{Case, run};

#[test]
fn subnets() {
    run(&[
        Case {
            what: "no network",
            edits: &[("acme.toml", "\"198.18.1.0/24\"", "\"198.18.1.0\"")],
            faults: &[(
                "acme.toml:44:8: `cidr` must be an IPv4 network, not `198.18.1.0`",
                "write it like `198.18.0.0/24`",
            )],
        },
        Case {
            what: "no network at all",
            edits: &[("globex.toml", "cidr = \"198.18.0.0/24\"\n", "")],
            faults: &[(
                "globex.toml:8:1: missing key `cidr`",
                "add `cidr = …` to this table, or `stretch = …` to extend another subnet",
            )],
        },
        Case {
            what: "bits behind the prefix",
            edits: &[("globex.toml", "198.18.0.0/24", "198.18.0.1/24")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be a network, but 198.18.0.1/24 has bits set behind the \
                 prefix",
                "write `198.18.0.0/24`",
            )],
        },
        Case {
            what: "an address for a network",
            edits: &[("globex.toml", "\"198.18.0.0/24\"", "\"2001:db8::/64\"")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be an IPv4 network, not `2001:db8::/64`",
                "write it like `198.18.0.0/24`",
            )],
        },
        Case {
            what: "loopback",
            edits: &[("globex.toml", "198.18.0.0/24", "127.0.0.0/24")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be unicast and routable, but 127.0.0.0/24 overlaps \
                 127.0.0.0/8 (loopback)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "multicast",
            edits: &[("globex.toml", "198.18.0.0/24", "239.0.0.0/24")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be unicast and routable, but 239.0.0.0/24 overlaps \
                 224.0.0.0/4 (multicast)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "link-local",
            edits: &[("globex.toml", "198.18.0.0/24", "169.254.1.0/24")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be unicast and routable, but 169.254.1.0/24 overlaps \
                 169.254.0.0/16 (link-local, not routed)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "this network",
            edits: &[("globex.toml", "198.18.0.0/24", "0.0.0.0/8")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be unicast and routable, but 0.0.0.0/8 overlaps 0.0.0.0/8 \
                 (“this network”)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "everything",
            edits: &[("globex.toml", "198.18.0.0/24", "0.0.0.0/0")],
            faults: &[(
                "globex.toml:10:8: `cidr` must be unicast and routable, but 0.0.0.0/0 overlaps 0.0.0.0/8 \
                 (“this network”)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "too small",
            edits: &[("globex.toml", "198.18.0.0/24", "198.18.0.0/31")],
            faults: &[(
                "globex.toml:10:8: a subnet must be a /8 to /30, not 198.18.0.0/31",
                "a gateway and an endpoint need a /30; a subnet is one L2 segment",
            )],
        },
        Case {
            what: "too large",
            edits: &[("globex.toml", "198.18.0.0/24", "16.0.0.0/7")],
            faults: &[(
                "globex.toml:10:8: a subnet must be a /8 to /30, not 16.0.0.0/7",
                "a gateway and an endpoint need a /30; a subnet is one L2 segment",
            )],
        },
        Case {
            what: "an advertised multicast network",
            edits: &[("acme.toml", "\"0.0.0.0/0\"", "\"224.0.0.0/24\"")],
            faults: &[(
                "acme.toml:9:31: each item of `advertise` must be unicast and routable, but 224.0.0.0/24 \
                 overlaps 224.0.0.0/4 (multicast)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "an overlap within a tenant",
            edits: &[("acme.toml", "198.18.1.0/24", "198.18.0.0/16")],
            faults: &[(
                "acme.toml:44:8: 198.18.0.0/16 overlaps 198.18.0.0/24 at acme.toml:21:8",
                "networks of one tenant must be apart: take another",
            )],
        },
        Case {
            what: "an overlap with a loopback pool of ours",
            edits: &[("globex.toml", "198.18.0.0/24", "203.0.113.0/24")],
            faults: &[
                (
                    "globex.toml:10:8: 203.0.113.0/24 overlaps 203.0.113.0/28, the loopback pool of `h1` at \
                     fabric.toml:11:13",
                    "take another network, or another pool",
                ),
                (
                    "globex.toml:10:8: 203.0.113.0/24 overlaps 203.0.113.16/28, the loopback pool of `h2` \
                     at fabric.toml:17:13",
                    "take another network, or another pool",
                ),
            ],
        },
        Case {
            what: "an overlap with the underlay is none",
            edits: &[("globex.toml", "198.18.0.0/24", "192.0.2.0/24")],
            faults: &[],
        },
        Case {
            what: "a gateway outside",
            edits: &[("acme.toml", "gateway = \"198.18.0.254\"", "gateway = \"198.18.1.254\"")],
            faults: &[(
                "acme.toml:22:11: the gateway 198.18.1.254 is not a host's address in 198.18.0.0/24",
                "the hosts of 198.18.0.0/24 are 198.18.0.1 to 198.18.0.254",
            )],
        },
        Case {
            what: "the broadcast address as the gateway",
            edits: &[("acme.toml", "gateway = \"198.18.0.254\"", "gateway = \"198.18.0.255\"")],
            faults: &[(
                "acme.toml:22:11: the gateway 198.18.0.255 is not a host's address in 198.18.0.0/24",
                "the hosts of 198.18.0.0/24 are 198.18.0.1 to 198.18.0.254",
            )],
        },
        Case {
            what: "a DHCP range outside",
            edits: &[("acme.toml", "198.18.1.19", "198.18.2.19")],
            faults: &[(
                "acme.toml:45:39: the DHCP range's `end` 198.18.2.19 is not a host's address in \
                 198.18.1.0/24",
                "the hosts of 198.18.1.0/24 are 198.18.1.1 to 198.18.1.254",
            )],
        },
        Case {
            what: "a DHCP range that contains the gateway by default",
            edits: &[("acme.toml", "198.18.1.10", "198.18.1.1")],
            faults: &[(
                "acme.toml:45:8: the DHCP range contains the gateway, 198.18.1.1",
                "let it begin behind the gateway, or end before it",
            )],
        },
        Case {
            what: "a DHCP range that contains the gateway",
            edits: &[("acme.toml", "198.18.0.19", "198.18.0.254")],
            faults: &[(
                "acme.toml:25:8: the DHCP range contains the gateway, 198.18.0.254",
                "let it begin behind the gateway, or end before it",
            )],
        },
        Case {
            what: "a DHCP range backwards",
            edits: &[("acme.toml", "198.18.1.10", "198.18.1.29")],
            faults: &[(
                "acme.toml:45:18: the DHCP range begins with 198.18.1.29 behind its end, 198.18.1.19",
                "exchange `start` and `end`",
            )],
        },
        Case {
            what: "a DHCP range with half its keys",
            edits: &[("acme.toml", ", end = \"198.18.1.19\"", "")],
            faults: &[("acme.toml:45:8: missing key `end`", "add `end = …` to this table")],
        },
        Case {
            what: "fewer leases than endpoints, those of the stretch included",
            edits: &[("acme.toml", "198.18.0.19", "198.18.0.10")],
            faults: &[(
                "acme.toml:25:8: the DHCP range is 1 long, for 2 endpoints in `web`",
                "make it at least 2 long",
            )],
        },
        Case {
            what: "an endpoint of ours without a DHCP server",
            edits: &[("globex.toml", "vni = 200", "vni = 200\n[[vpc.subnet.endpoint]]\nname = \"pc1\"")],
            faults: &[(
                "globex.toml:13:8: `pc1` gets its address by DHCP, and `web` has no server",
                "give `web` a `dhcp` range, or the endpoint an existing `interface`",
            )],
        },
        Case {
            what: "a subnet without a spine",
            edits: &[("globex.toml", "[[vpc.spine]]\nasn = 1000\n", "")],
            faults: &[(
                "globex.toml:6:1: VPC `vpc1` has no spine, and this subnet no way out",
                "add `[[vpc.spine]]` with an `asn`; two for redundancy",
            )],
        },
    ]);
}
