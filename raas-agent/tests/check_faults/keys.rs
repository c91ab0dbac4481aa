//! Keys, types, bounds and names.

use super::{Case, run};

#[test]
fn keys_types_bounds_and_names() {
    run(&[
        Case {
            what: "a misspelt key is one fault, though it is missing as well",
            edits: &[("acme.toml", "asn = 2000", "asnn = 2000")],
            faults: &[("acme.toml:17:1: unknown key `asnn`", "did you mean `asn`?")],
        },
        Case {
            what: "an unknown key",
            edits: &[("acme.toml", "ecmp = 4", "colour = 4")],
            faults: &[(
                "acme.toml:8:1: unknown key `colour`",
                "known keys: `name`, `asn`, `ecmp`, `advertise`, `neighbor`",
            )],
        },
        Case {
            what: "a key in the wrong case",
            edits: &[("fabric.toml", "fib-nodes", "fib_nodes")],
            faults: &[("fabric.toml:4:1: unknown key `fib_nodes`", "did you mean `fib-nodes`?")],
        },
        Case {
            what: "a tenant is called after its file",
            edits: &[("globex.toml", "[[vpc]]", "name = \"globex\"\n[[vpc]]")],
            faults: &[(
                "globex.toml:1:1: unknown key `name`",
                "remove it: a tenant is called after its file",
            )],
        },
        Case {
            what: "a missing key",
            edits: &[("acme.toml", "asn = 2000\n", "\n")],
            faults: &[("acme.toml:16:1: missing key `asn`", "add `asn = …` to this table")],
        },
        Case {
            what: "a value of the wrong type",
            edits: &[("acme.toml", "asn = 2000", "asn = \"2000\"")],
            faults: &[(
                "acme.toml:17:7: `asn` must be an integer, not a string",
                "write an integer from 1 to 4294967295",
            )],
        },
        Case {
            what: "a number for a name",
            edits: &[("acme.toml", "name = \"spine\"", "name = 1")],
            faults: &[(
                "acme.toml:6:8: `name` must be a string, not an integer",
                "write it between double quotes",
            )],
        },
        Case {
            what: "a value for an array",
            edits: &[("acme.toml", "between = [\"l1a\", \"l2a\"]", "between = \"l1a\"")],
            faults: &[(
                "acme.toml:77:11: `between` must be an array, not a string",
                "write `between = [ … ]`",
            )],
        },
        Case {
            what: "a table for an array of tables",
            edits: &[("globex.toml", "[[attachment]]", "[attachment]")],
            faults: &[(
                "globex.toml:25:1: `attachment` must be an array of tables, not a table",
                "write `[[…attachment]]`, once for each",
            )],
        },
        Case {
            what: "an array for a table",
            edits: &[(
                "acme.toml",
                "dhcp = { start = \"198.18.1.10\", end = \"198.18.1.19\" }",
                "dhcp = [1]",
            )],
            faults: &[("acme.toml:45:8: `dhcp` must be a table, not an array", "write `dhcp = { … }`")],
        },
        Case {
            what: "array items that are no tables",
            edits: &[("globex.toml", "[[vpc.spine]]\nasn = 1000\n", "spine = [1]\n")],
            faults: &[(
                "globex.toml:5:10: `spine` must be a table, not an integer",
                "write `[[…spine]]`, once for each",
            )],
        },
        Case {
            what: "ECMP below its bounds",
            edits: &[("acme.toml", "ecmp = 4", "ecmp = 0")],
            faults: &[("acme.toml:8:8: `ecmp` must be 1 to 64, not `0`", "write an integer from 1 to 64")],
        },
        Case {
            what: "ECMP above its bounds",
            edits: &[("acme.toml", "ecmp = 4", "ecmp = 65")],
            faults: &[("acme.toml:8:8: `ecmp` must be 1 to 64, not `65`", "write an integer from 1 to 64")],
        },
        Case {
            what: "a weight out of bounds",
            edits: &[("acme.toml", "weight = 100", "weight = 65536")],
            faults: &[(
                "acme.toml:13:10: `weight` must be 0 to 65535, not `65536`",
                "write an integer from 0 to 65535",
            )],
        },
        Case {
            what: "a number beyond any type",
            edits: &[(
                "acme.toml",
                "local-preference = 200",
                "local-preference = 99999999999999999999999999999999999999999",
            )],
            faults: &[(
                "acme.toml:14:20: `local-preference` must be 0 to 4294967295, not \
                 `9999999999999999999999999999999999999999…`",
                "write an integer from 0 to 4294967295",
            )],
        },
        Case {
            what: "a negative number",
            edits: &[("fabric.toml", "mtu = 1500", "mtu = -1500")],
            faults: &[(
                "fabric.toml:3:7: `mtu` must be 1330 to 9216, not `-1500`",
                "write an integer from 1330 to 9216",
            )],
        },
        Case {
            what: "an MTU too small for IPv6",
            edits: &[("fabric.toml", "mtu = 1500", "mtu = 1329")],
            faults: &[(
                "fabric.toml:3:7: `mtu` must be 1330 to 9216, not `1329`",
                "write an integer from 1330 to 9216",
            )],
        },
        Case {
            what: "an MTU too large",
            edits: &[("fabric.toml", "mtu = 1500", "mtu = 9217")],
            faults: &[(
                "fabric.toml:3:7: `mtu` must be 1330 to 9216, not `9217`",
                "write an integer from 1330 to 9216",
            )],
        },
        Case {
            what: "a FIB too small",
            edits: &[("fabric.toml", "1024", "0x10")],
            faults: &[(
                "fabric.toml:4:13: `fib-nodes` must be 256 to 524288, not `0x10`",
                "write an integer from 256 to 524288",
            )],
        },
        Case {
            what: "a VNI beyond 24 bits",
            edits: &[("globex.toml", "vni = 200", "vni = 16777216")],
            faults: &[(
                "globex.toml:11:7: `vni` must be 1 to 16777215, not `16777216`",
                "write an integer from 1 to 16777215",
            )],
        },
        Case {
            what: "a GRE key beyond 32 bits",
            edits: &[("acme.toml", "gre-key = 1", "gre-key = 4294967296")],
            faults: &[(
                "acme.toml:81:11: `gre-key` must be 0 to 4294967295, not `4294967296`",
                "write an integer from 0 to 4294967295",
            )],
        },
        Case {
            what: "a lease that dnsmasq would not take",
            edits: &[("acme.toml", "lease = 120", "lease = 119")],
            faults: &[(
                "acme.toml:25:62: `lease` must be 120 to 31536000, not `119`",
                "write an integer from 120 to 31536000",
            )],
        },
        Case {
            what: "a third level",
            edits: &[("globex.toml", "level = 2", "level = 3")],
            faults: &[("globex.toml:21:9: `level` must be 1 to 2, not `3`", "write an integer from 1 to 2")],
        },
        Case {
            what: "a reserved AS number",
            edits: &[("acme.toml", "asn = 2000", "asn = 23456")],
            faults: &[(
                "acme.toml:17:7: `asn` must not be 23456, which is reserved",
                "private use: 64512 to 65534 or 4200000000 to 4294967294 (RFC 6996)",
            )],
        },
        Case {
            what: "AS 0",
            edits: &[("acme.toml", "asn = 2000", "asn = 0")],
            faults: &[(
                "acme.toml:17:7: `asn` must be 1 to 4294967295, not `0`",
                "write an integer from 1 to 4294967295",
            )],
        },
        Case {
            what: "an unknown hook",
            edits: &[("acme.toml", "hook = \"tc\"", "hook = \"xpd\"")],
            faults: &[(
                "acme.toml:24:8: `hook` must be `xdp`, `tc` or `auto`, not `xpd`",
                "did you mean `xdp`?",
            )],
        },
        Case {
            what: "an illegal name",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"PC 1\"")],
            faults: &[(
                "acme.toml:28:8: `name` must be a legal name, which `PC 1` is not: it must begin with a \
                 letter a-z",
                "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
            )],
        },
        Case {
            what: "a name that is too long",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"abcdefghijklmn\"")],
            faults: &[(
                "acme.toml:28:8: `name` must be a legal name, which `abcdefghijklmn` is not: it is longer \
                 than 13 characters",
                "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
            )],
        },
        Case {
            what: "a name with a control character",
            edits: &[("acme.toml", "name = \"pc1\"", "name = \"pc\\u001b[31m\"")],
            faults: &[(
                "acme.toml:28:8: `name` must be a legal name, which `pc\\u{1b}[31m` is not: only a-z, 0-9 \
                 and `-` are allowed",
                "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
            )],
        },
        Case {
            what: "a name that the kernel gives away",
            edits: &[("acme.toml", "name = \"spine\"", "name = \"gre0\"")],
            faults: &[(
                "acme.toml:6:8: `name` must be a legal name, which `gre0` is not: the system uses this name \
                 itself",
                "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
            )],
        },
        Case {
            what: "a VPC's name that leaves no room for its spines'",
            edits: &[("acme.toml", "name = \"vpc2\"", "name = \"vpc-number-2\"")],
            faults: &[(
                "acme.toml:39:1: the default name `vpc-number-2-s1` is not legal: it is longer than 13 \
                 characters",
                "give the spine a `name`",
            )],
        },
        Case {
            what: "an interface's name with a slash",
            edits: &[("acme.toml", "\"eth1\"", "\"../eth1\"")],
            faults: &[(
                "acme.toml:32:13: `interface` must be an interface name, which `../eth1` is not: only ASCII \
                 without `/`, `:` and blanks is allowed",
                "`ip link` lists the interfaces",
            )],
        },
        Case {
            what: "an interface's name that is too long",
            edits: &[("acme.toml", "\"eth1\"", "\"ethernet-number1\"")],
            faults: &[(
                "acme.toml:32:13: `interface` must be an interface name, which `ethernet-number1` is not: \
                 it is longer than 15 characters",
                "`ip link` lists the interfaces",
            )],
        },
        Case {
            what: "an interface's name with a blank",
            edits: &[("fabric.toml", "\"uplink1\"", "\"uplink 1\"")],
            faults: &[(
                "fabric.toml:9:23: each item of `uplinks` must be an interface name, which `uplink 1` is \
                 not: only ASCII without `/`, `:` and blanks is allowed",
                "`ip link` lists the interfaces",
            )],
        },
        Case {
            what: "the loopback as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"lo\"")],
            faults: &[(
                "acme.toml:32:13: `interface` must be an interface name, which `lo` is not: the kernel uses \
                 it itself",
                "`ip link` lists the interfaces",
            )],
        },
        Case {
            what: "an interface of ours as an endpoint",
            edits: &[("acme.toml", "\"eth1\"", "\"rp0123456789\"")],
            faults: &[(
                "acme.toml:32:13: `interface` must be an interface name, which `rp0123456789` is not: the \
                 agent calls its own interfaces like this",
                "`ip link` lists the interfaces",
            )],
        },
    ]);
}
