//! `fabric.toml`.

use ipnet::Ipv4Net;
use raas_common::MAX_FIB_NODES;
use toml::de::DeTable;

use crate::{
    config::{
        faults::Faults,
        parse,
        section::Section,
        source::{At, Place, Written},
    },
    model::{Hook, Name},
};

/// The whole file.
pub struct Fabric {
    pub name: Option<At<Name>>,
    pub asn: Option<At<u32>>,
    pub mtu: Written<u16>,
    pub fib_nodes: Written<u32>,
    pub hypervisors: Vec<Hypervisor>,
}

/// `[[hypervisor]]`.
pub struct Hypervisor {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub address: Option<At<Ipv4Net>>,
    pub uplinks: Vec<At<String>>,
    /// How many uplinks are written, right or wrong.
    pub uplinks_written: Option<usize>,
    pub hook: Written<Hook>,
    pub loopbacks: Option<At<Ipv4Net>>,
}

impl Fabric {
    /// Underlay MTU if the file does not say: Ethernet's.
    pub const DEFAULT_MTU: u16 = 1500;
    /// FIB nodes if the file does not say.
    pub const DEFAULT_FIB_NODES: u32 = raas_common::DEFAULT_FIB_NODES;
    /// IPv6, which unnumbered BGP runs over, needs 1280 (RFC 8200, section 5) behind 50 bytes of VXLAN.
    const LEAST_MTU: u16 = 1280 + 50;
    /// Jumbo frames as most NICs have them.
    const MOST_MTU: u16 = 9216;

    pub fn read<'t>(file: usize, table: &'t DeTable<'t>, faults: &'t Faults<'t>) -> Self {
        Section::read(table, Place { file, offset: 0 }, faults, |section| {
            section.require_with_help("hypervisor", "add `[[hypervisor]]`, once for each");
            Self {
                name: section.required("name", parse::name),
                asn: section.required("asn", parse::asn),
                mtu: section.optional("mtu", parse::number(Self::LEAST_MTU..=Self::MOST_MTU)),
                fib_nodes: section.optional("fib-nodes", parse::number(256..=MAX_FIB_NODES)),
                hypervisors: section.tables("hypervisor", Hypervisor::read),
            }
        })
    }
}

impl Hypervisor {
    fn read(section: &mut Section<'_>) -> Self {
        section.require("uplinks");
        Self {
            place: section.place,
            name: section.required("name", parse::name),
            address: section.required("address", parse::interface_address),
            uplinks_written: section.count("uplinks"),
            uplinks: section.list("uplinks", parse::interface),
            hook: section.optional("hook", parse::hook),
            loopbacks: section.required("loopbacks", parse::network),
        }
    }
}
