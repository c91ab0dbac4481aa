//! Networks, gateways, DHCP ranges.

use super::{Case, run};

#[test]
fn subnets() {
    run(&[
        Case {
            what: "no network",
            edits: &[("acme.toml", "\"198.18.1.0/24\"", "\"198.18.1.0\"")],
            faults: &[],
        },
        Case {
            what: "no network at all",
            edits: &[("globex.toml", "cidr = \"198.18.0.0/24\"\n", "")],
            faults: &[],
        },
        Case {
            what: "bits behind the prefix",
            edits: &[("globex.toml", "198.18.0.0/24", "198.18.0.1/24")],
            faults: &[],
        },
        Case {
            what: "an address for a network",
            edits: &[("globex.toml", "\"198.18.0.0/24\"", "\"2001:db8::/64\"")],
            faults: &[],
        },
        Case { what: "loopback", edits: &[("globex.toml", "198.18.0.0/24", "127.0.0.0/24")], faults: &[] },
        Case { what: "multicast", edits: &[("globex.toml", "198.18.0.0/24", "239.0.0.0/24")], faults: &[] },
        Case {
            what: "link-local",
            edits: &[("globex.toml", "198.18.0.0/24", "169.254.1.0/24")],
            faults: &[],
        },
        Case { what: "this network", edits: &[("globex.toml", "198.18.0.0/24", "0.0.0.0/8")], faults: &[] },
        Case { what: "everything", edits: &[("globex.toml", "198.18.0.0/24", "0.0.0.0/0")], faults: &[] },
        Case { what: "too small", edits: &[("globex.toml", "198.18.0.0/24", "198.18.0.0/31")], faults: &[] },
        Case { what: "too large", edits: &[("globex.toml", "198.18.0.0/24", "16.0.0.0/7")], faults: &[] },
        Case {
            what: "an advertised multicast network",
            edits: &[("acme.toml", "\"0.0.0.0/0\"", "\"224.0.0.0/24\"")],
            faults: &[],
        },
        Case {
            what: "an overlap within a tenant",
            edits: &[("acme.toml", "198.18.1.0/24", "198.18.0.0/16")],
            faults: &[],
        },
        Case {
            what: "an overlap with a loopback pool of ours",
            edits: &[("globex.toml", "198.18.0.0/24", "203.0.113.0/24")],
            faults: &[],
        },
        Case {
            what: "an overlap with the underlay is none",
            edits: &[("globex.toml", "198.18.0.0/24", "192.0.2.0/24")],
            faults: &[],
        },
        Case {
            what: "a gateway outside",
            edits: &[("acme.toml", "gateway = \"198.18.0.254\"", "gateway = \"198.18.1.254\"")],
            faults: &[],
        },
        Case {
            what: "the broadcast address as the gateway",
            edits: &[("acme.toml", "gateway = \"198.18.0.254\"", "gateway = \"198.18.0.255\"")],
            faults: &[],
        },
        Case {
            what: "a DHCP range outside",
            edits: &[("acme.toml", "198.18.1.19", "198.18.2.19")],
            faults: &[],
        },
        Case {
            what: "a DHCP range that contains the gateway by default",
            edits: &[("acme.toml", "198.18.1.10", "198.18.1.1")],
            faults: &[],
        },
        Case {
            what: "a DHCP range that contains the gateway",
            edits: &[("acme.toml", "198.18.0.19", "198.18.0.254")],
            faults: &[],
        },
        Case {
            what: "a DHCP range backwards",
            edits: &[("acme.toml", "198.18.1.10", "198.18.1.29")],
            faults: &[],
        },
        Case {
            what: "a DHCP range with half its keys",
            edits: &[("acme.toml", ", end = \"198.18.1.19\"", "")],
            faults: &[],
        },
        Case {
            what: "fewer leases than endpoints, those of the stretch included",
            edits: &[("acme.toml", "198.18.0.19", "198.18.0.10")],
            faults: &[],
        },
        Case {
            what: "an endpoint of ours without a DHCP server",
            edits: &[("globex.toml", "vni = 200", "vni = 200\n[[vpc.subnet.endpoint]]\nname = \"pc1\"")],
            faults: &[],
        },
        Case {
            what: "a subnet without a spine",
            edits: &[("globex.toml", "[[vpc.spine]]\nasn = 1000\n", "")],
            faults: &[],
        },
    ]);
}
