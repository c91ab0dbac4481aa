//! Hypervisors: addresses, uplinks, pools.

use super::{Case, run};

#[test]
fn hypervisors() {
    run(&[
        Case {
            what: "two of one name",
            edits: &[("fabric.toml", "name = \"h2\"", "name = \"h1\"")],
            faults: &[],
        },
        Case {
            what: "two of one underlay address",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.1/32")],
            faults: &[],
        },
        Case {
            what: "an underlay address without a prefix length",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.2")],
            faults: &[],
        },
        Case {
            what: "a network's address as a host's",
            edits: &[("fabric.toml", "192.0.2.2/24", "192.0.2.0/24")],
            faults: &[],
        },
        Case {
            what: "a multicast address as a host's",
            edits: &[("fabric.toml", "192.0.2.2/24", "224.0.0.5/24")],
            faults: &[],
        },
        Case {
            what: "no uplink",
            edits: &[("fabric.toml", "uplinks = [\"uplink0\"]", "uplinks = []")],
            faults: &[],
        },
        Case {
            what: "an uplink twice",
            edits: &[("fabric.toml", "\"uplink1\"", "\"uplink0\"")],
            faults: &[],
        },
        Case {
            what: "pools that overlap",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.0/27")],
            faults: &[],
        },
        Case {
            what: "bits behind the prefix of a pool",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.17/28")],
            faults: &[],
        },
        Case {
            what: "a pool without a host address",
            edits: &[("fabric.toml", "203.0.113.16/28", "203.0.113.16/31")],
            faults: &[],
        },
        Case {
            what: "an exhausted pool: two spines, two transits and a subnet",
            edits: &[("fabric.toml", "203.0.113.0/28", "203.0.113.0/30")],
            faults: &[],
        },
        Case {
            what: "a faulty address in a fabric does not make references to its hypervisor dangle",
            edits: &[("fabric.toml", "name = \"h2\"", "name = \"h_2\"")],
            faults: &[],
        },
        Case {
            what: "the least of all fabrics lacks everything",
            edits: &[("fabric.toml", super::base::FABRIC, "")],
            faults: &[],
        },
    ]);
}
