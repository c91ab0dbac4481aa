//! Hypervisors: addresses, uplinks, pools.

use super::{Case, run};

#[test]
fn hypervisors() {
    run(&[
        Case {
            what: "two of one name",
            edits: &[("fabric.toml", "name = \"h2\"", "name = \"h1\"")],
            faults: &[(
                "fabric.toml:14:8: duplicate hypervisor `h1`: the first is at fabric.toml:7:8",
                "give it another name",
            )],
        },
        Case {
            what: "two of one underlay address",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.1/32")],
            faults: &[(
                "fabric.toml:15:11: duplicate underlay address 192.0.2.1: the first is at fabric.toml:8:11",
                "give each hypervisor an address of its own",
            )],
        },
        Case {
            what: "an underlay address without a prefix length",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.2")],
            faults: &[(
                "fabric.toml:15:11: `address` must be an IPv4 address with a prefix length, not `192.0.2.2`",
                "write it like `192.0.2.1/24`",
            )],
        },
        Case {
            what: "a network's address as a host's",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.0/24")],
            faults: &[(
                "fabric.toml:15:11: `address` must be a host's address, which 192.0.2.0 is not in \
                 192.0.2.0/24",
                "take another address: a network's first and last are no host's",
            )],
        },
        Case {
            what: "a multicast address as a host's",
            edits: &[("fabric.toml", "192.0.2.2/24", "224.0.0.5/24")],
            faults: &[(
                "fabric.toml:15:11: `address` must be unicast and routable, but 224.0.0.5/24 overlaps \
                 224.0.0.0/4 (multicast)",
                "take a unicast one, private (RFC 1918) or public",
            )],
        },
        Case {
            what: "no uplink",
            edits: &[("fabric.toml", "uplinks = [\"uplink0\"]", "uplinks = []")],
            faults: &[(
                "fabric.toml:13:1: `uplinks` is empty",
                "name the interface that leads to the other hypervisors: `uplinks = [\"uplink0\"]`",
            )],
        },
        Case {
            what: "an uplink twice",
            edits: &[("fabric.toml", "\"uplink1\"", "\"uplink0\"")],
            faults: &[("fabric.toml:9:23: `uplink0` is an uplink twice", "remove one")],
        },
        Case {
            what: "pools that overlap",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.0/27")],
            faults: &[(
                "fabric.toml:17:13: the pool 203.0.113.0/27 overlaps 203.0.113.0/28 at fabric.toml:11:13",
                "give each hypervisor a pool of its own",
            )],
        },
        Case {
            what: "bits behind the prefix of a pool",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.17/28")],
            faults: &[(
                "fabric.toml:17:13: `loopbacks` must be a network, but 203.0.113.17/28 has bits set behind \
                 the prefix",
                "write `203.0.113.16/28`",
            )],
        },
        Case {
            what: "a pool without a host address",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.16/31")],
            faults: &[(
                "fabric.toml:17:13: the pool 203.0.113.16/31 has no host address",
                "take a shorter prefix: /26 has room for 62 routers of each tenant",
            )],
        },
        Case {
            what: "an exhausted pool: two spines, two transits and a subnet",
            edits: &[("fabric.toml", "203.0.113.0/28", "203.0.113.0/30")],
            faults: &[
                (
                    "fabric.toml:11:13: the pool 203.0.113.0/30 has 2 addresses, and tenant `acme` 5 \
                     routers on `h1`",
                    "take a shorter prefix, or move routers to another hypervisor",
                ),
                (
                    "fabric.toml:11:13: the pool 203.0.113.0/30 has 2 addresses, and tenant `globex` 3 \
                     routers on `h1`",
                    "take a shorter prefix, or move routers to another hypervisor",
                ),
            ],
        },
        Case {
            what: "a faulty address in a fabric does not make references to its hypervisor dangle",
            edits: &[("fabric.toml", "name = \"h2\"", "name = \"h_2\"")],
            faults: &[(
                "fabric.toml:14:8: `name` must be a legal name, which `h_2` is not: only a-z, 0-9 and `-` \
                 are allowed",
                "1 to 13 characters of a-z, 0-9 and `-`, beginning with a letter",
            )],
        },
        Case {
            what: "the least of all fabrics lacks everything",
            edits: &[("fabric.toml", super::base::FABRIC, "")],
            faults: &[
                ("fabric.toml:1:1: missing key `asn`", "add `asn = …` to this table"),
                ("fabric.toml:1:1: missing key `hypervisor`", "add `[[hypervisor]]`, once for each"),
                ("fabric.toml:1:1: missing key `name`", "add `name = …` to this table"),
            ],
        },
    ]);
}

#[test]
fn a_hypervisor_has_more_routers_than_its_fast_path_holds() {
    let mut files = super::edited(&[("fabric.toml", "203.0.113.0/28", "198.19.0.0/20")]);
    let transit = |n: u32| format!("[[transit]]\nname = 't{n}'\nlevel = 1\nhypervisor = 'h1'\nasn = {n}\n");
    files[1].text = (1..=1021).map(transit).collect();
    files[2].text = "[[vpc]]\nname = 'v'\nhypervisor = 'h1'\n[[vpc.spine]]\nasn = 1\n".into();
    let two_more = "[[vpc.spine]]\nasn = 2\n[[vpc.spine]]\nasn = 3\n";
    assert!(raas_agent::config::parse(files.clone()).is_ok(), "1022 routers of two tenants");
    files[2].text += two_more;
    let faults = raas_agent::config::parse(files).unwrap_err();
    let expected = "\
fabric.toml:6:1: error: `h1` would have 1024 routers, and its fast path holds 1023
  help: move some to another hypervisor";
    assert_eq!(faults.to_string(), expected);
}
