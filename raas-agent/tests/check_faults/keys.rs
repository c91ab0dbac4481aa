//! Keys, types, bounds and names.

use super::{Case, run};

#[test]
fn keys_types_bounds_and_names() {
    run(&[
        Case {
            what: "a misspelt key is one fault, though it is missing as well",
            edits: &[("acme.toml", "asn = 2000", "asnn = 2000")],
            faults: &[],
        },
        Case { what: "an unknown key", edits: &[("acme.toml", "ecmp = 4", "colour = 4")], faults: &[] },
        Case {
            what: "a key in the wrong case",
            edits: &[("fabric.toml", "fib-nodes", "fib_nodes")],
            faults: &[],
        },
        Case {
            what: "a tenant is called after its file",
            edits: &[("globex.toml", "[[vpc]]", "name = \"globex\"\n[[vpc]]")],
            faults: &[],
        },
        Case { what: "a missing key", edits: &[("acme.toml", "asn = 2000\n", "\n")], faults: &[] },
        Case {
            what: "a value of the wrong type",
            edits: &[("acme.toml", "asn = 2000", "asn = \"2000\"")],
            faults: &[],
        },
        Case {
            what: "a number for a name",
            edits: &[("acme.toml", "name = \"spine\"", "name = 1")],
            faults: &[],
        },
        Case {
            what: "a value for an array",
            edits: &[("acme.toml", "between = [\"l1a\", \"l2a\"]", "between = \"l1a\"")],
            faults: &[],
        },
        Case {
            what: "a table for an array of tables",
            edits: &[("globex.toml", "[[attachment]]", "[attachment]")],
            faults: &[],
        },
        Case {
            what: "an array for a table",
            edits: &[(
                "acme.toml",
                "dhcp = { start = \"198.18.1.10\", end = \"198.18.1.19\" }",
                "dhcp = [1]",
            )],
            faults: &[],
        },
        Case {
            what: "array items that are no tables",
            edits: &[("fabric.toml", "name = \"test\"", "name = \"test\"\nhypervisors = [1]")],
            faults: &[],
        },
        Case { what: "ECMP below its bounds", edits: &[("acme.toml", "ecmp = 4", "ecmp = 0")], faults: &[] },
        Case { what: "ECMP above its bounds", edits: &[("acme.toml", "ecmp = 4", "ecmp = 65")], faults: &[] },
        Case {
            what: "a weight out of bounds",
            edits: &[("acme.toml", "weight = 100", "weight = 65536")],
            faults: &[],
        },
        Case {
            what: "a number beyond any type",
            edits: &[(
                "acme.toml",
                "local-preference = 200",
                "local-preference = 99999999999999999999999999999999999999999",
            )],
            faults: &[],
        },
        Case {
            what: "a negative number",
            edits: &[("fabric.toml", "mtu = 1500", "mtu = -1500")],
            faults: &[],
        },
        Case {
            what: "an MTU too small for IPv6",
            edits: &[("fabric.toml", "mtu = 1500", "mtu = 1329")],
            faults: &[],
        },
        Case { what: "an MTU too large", edits: &[("fabric.toml", "mtu = 1500", "mtu = 9217")], faults: &[] },
        Case { what: "a FIB too small", edits: &[("fabric.toml", "1024", "0x10")], faults: &[] },
        Case {
            what: "a VNI beyond 24 bits",
            edits: &[("globex.toml", "vni = 200", "vni = 16777216")],
            faults: &[],
        },
        Case {
            what: "a GRE key beyond 32 bits",
            edits: &[("acme.toml", "gre-key = 1", "gre-key = 4294967296")],
            faults: &[],
        },
        Case {
            what: "a lease that dnsmasq would not take",
            edits: &[("acme.toml", "lease = 120", "lease = 119")],
            faults: &[],
        },
        Case { what: "a third level", edits: &[("globex.toml", "level = 2", "level = 3")], faults: &[] },
        Case {
            what: "a reserved AS number",
            edits: &[("acme.toml", "asn = 2000", "asn = 23456")],
            faults: &[],
        },
        Case { what: "AS 0", edits: &[("acme.toml", "asn = 2000", "asn = 0")], faults: &[] },
        Case {
            what: "an unknown hook",
            edits: &[("acme.toml", "hook = \"tc\"", "hook = \"xpd\"")],
            faults: &[],
        },
        Case {
            what: "an illegal name",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"PC 1\"")],
            faults: &[],
        },
        Case {
            what: "a name that is too long",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"abcdefghijklmn\"")],
            faults: &[],
        },
        Case {
            what: "a name with a control character",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"pc\\u001b[31m\"")],
            faults: &[],
        },
        Case {
            what: "a name that the kernel gives away",
            edits: &[("acme.toml", "name = \"spine\"", "name = \"gre0\"")],
            faults: &[],
        },
        Case {
            what: "a VPC's name that leaves no room for its spines'",
            edits: &[("acme.toml", "name = \"vpc2\"", "name = \"vpc-number-2\"")],
            faults: &[],
        },
        Case {
            what: "an interface's name with a slash",
            edits: &[("acme.toml", "\"eth1\"", "\"../eth1\"")],
            faults: &[],
        },
        Case {
            what: "an interface's name that is too long",
            edits: &[("acme.toml", "\"eth1\"", "\"ethernet-number1\"")],
            faults: &[],
        },
        Case {
            what: "an interface's name with a blank",
            edits: &[("fabric.toml", "\"uplink1\"", "\"uplink 1\"")],
            faults: &[],
        },
        Case {
            what: "the loopback as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"lo\"")],
            faults: &[],
        },
        Case {
            what: "an interface of ours as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"rp0123456789\"")],
            faults: &[],
        },
    ]);
}
