//! `TENANT.toml`.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use toml::de::DeTable;

use crate::{
    config::{
        faults::Faults,
        parse,
        section::Section,
        source::{At, Place, Written},
    },
    model::{Hook, InvalidName, Level, Name},
};

/// The whole file.
pub struct Tenant {
    pub name: Name,
    pub vpcs: Vec<Vpc>,
    pub transits: Vec<Transit>,
    pub attachments: Vec<Attachment>,
}

/// `[[vpc]]`.
pub struct Vpc {
    pub name: Written<Name>,
    pub hypervisor: Option<At<Name>>,
    pub spines: Vec<Spine>,
    /// There is a spine, right or wrong.
    pub spine_written: bool,
    pub subnets: Vec<Subnet>,
}

/// `[[vpc.spine]]`.
pub struct Spine {
    /// Left out: `VPC-s1`, `VPC-s2`, …
    pub name: Written<Name>,
    pub bgp: Bgp,
}

/// `[[transit]]`.
pub struct Transit {
    pub name: Written<Name>,
    pub hypervisor: Option<At<Name>>,
    pub level: Option<At<Level>>,
    pub bgp: Bgp,
    pub peers: Vec<Peer>,
}

/// `[[transit.peer]]`.
pub struct Peer {
    pub place: Place,
    pub name: Written<Name>,
    pub remote: Option<At<Ipv4Addr>>,
    pub asn: Option<At<u32>>,
    pub key: Written<u32>,
    pub address: Written<Ipv4Net>,
    pub maximum_prefix: Written<u32>,
    pub import: Vec<At<Ipv4Net>>,
    pub export: Vec<At<Ipv4Net>>,
}

/// What spines and transits have in common.
pub struct Bgp {
    pub asn: Option<At<u32>>,
    pub ecmp: Written<u8>,
    pub advertise: Vec<At<Ipv4Net>>,
    pub neighbors: Vec<Neighbor>,
}

/// `[[….neighbor]]`.
pub struct Neighbor {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub weight: Written<u16>,
    pub local_preference: Written<u32>,
}

/// `[[vpc.subnet]]`.
pub struct Subnet {
    pub place: Place,
    pub name: Written<Name>,
    pub stretch: Written<Name>,
    pub cidr: Written<Ipv4Net>,
    pub gateway: Written<Ipv4Addr>,
    pub vni: Written<u32>,
    pub vtep: Written<Ipv4Addr>,
    pub dhcp: Written<Dhcp>,
    pub hook: Written<Hook>,
    pub endpoints: Vec<Endpoint>,
}

/// `dhcp = { … }`.
pub struct Dhcp {
    pub start: Option<At<Ipv4Addr>>,
    pub end: Option<At<Ipv4Addr>>,
    pub lease: Written<u32>,
}

/// `[[vpc.subnet.endpoint]]`.
pub struct Endpoint {
    pub name: Written<Name>,
    pub interface: Written<String>,
    pub hook: Written<Hook>,
}

/// `[[attachment]]`.
pub struct Attachment {
    pub place: Place,
    pub between: Vec<At<Name>>,
    /// How many ends are written, right or wrong.
    pub ends_written: Option<usize>,
    pub key: Written<u32>,
}

impl Tenant {
    pub fn read<'t>(name: Name, file: usize, table: &'t DeTable<'t>, faults: &'t Faults<'t>) -> Self {
        Section::read(table, Place { file, offset: 0 }, faults, |section| {
            section.refuse("name", "remove it: a tenant is called after its file");
            Self {
                name,
                vpcs: section.tables("vpc", Vpc::read),
                transits: section.tables("transit", Transit::read),
                attachments: section.tables("attachment", Attachment::read),
            }
        })
    }
}

impl Vpc {
    fn read(section: &mut Section<'_>) -> Self {
        let name = section.named();
        let mut spine = 0;
        Self {
            hypervisor: section.required("hypervisor", parse::name),
            spines: section.tables("spine", |section| {
                spine += 1;
                Spine::read(section, &name, spine)
            }),
            spine_written: section.has("spine") && section.count("spine") != Some(0),
            subnets: section.tables("subnet", Subnet::read),
            name,
        }
    }
}

impl Spine {
    /// `number` counts the spines of the VPC `vpc`, from 1.
    fn read(section: &mut Section<'_>, vpc: &Written<Name>, number: u32) -> Self {
        let mut name = section.optional("name", parse::name);
        if name.is_absent() {
            name = match vpc {
                Written::Value(vpc) => Self::default_name(section, &vpc.value, number),
                Written::Faulty => Written::Faulty,
                Written::Absent => Written::Absent,
            };
        }
        Self { name, bgp: Bgp::read(section) }
    }

    fn default_name(section: &Section<'_>, vpc: &Name, number: u32) -> Written<Name> {
        let text = format!("{vpc}-s{number}");
        match text.parse() {
            Ok(value) => Written::Value(At { value, place: section.place }),
            Err(wrong) => {
                section.faults.report(
                    section.place,
                    format!("the default name `{text}` is not legal: {}", InvalidName::reason(&wrong)),
                    "give the spine a `name`",
                );
                Written::Faulty
            }
        }
    }
}

impl Transit {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            name: section.named(),
            hypervisor: section.required("hypervisor", parse::name),
            level: section.required("level", |value| {
                parse::number(1..=2)(value).map(|level| if level == 1 { Level::L1 } else { Level::L2 })
            }),
            bgp: Bgp::read(section),
            peers: section.tables("peer", Peer::read),
        }
    }
}

impl Peer {
    /// Most prefixes to take, if the file does not say.
    pub const DEFAULT_MAXIMUM_PREFIX: u32 = 1000;

    fn read(section: &mut Section<'_>) -> Self {
        Self {
            place: section.place,
            name: section.named(),
            remote: section.required("remote", parse::host),
            asn: section.required("asn", parse::asn),
            key: section.optional("gre-key", parse::number(0..=u32::MAX)),
            address: section.optional("address", parse::tunnel_address),
            maximum_prefix: section.optional("maximum-prefix", parse::number(1..=u32::MAX)),
            import: section.list("import", parse::announced),
            export: section.list("export", parse::announced),
        }
    }
}

impl Bgp {
    /// Equal paths in use, if the file does not say.
    pub const DEFAULT_ECMP: u8 = 8;

    fn read(section: &mut Section<'_>) -> Self {
        Self {
            asn: section.required("asn", parse::asn),
            ecmp: section.optional("ecmp", parse::number(1..=64)),
            advertise: section.list("advertise", parse::announced),
            neighbors: section.tables("neighbor", Neighbor::read),
        }
    }
}

impl Neighbor {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            place: section.place,
            name: section.required("name", parse::name),
            weight: section.optional("weight", parse::number(0..=u16::MAX)),
            local_preference: section.optional("local-preference", parse::number(0..=u32::MAX)),
        }
    }
}

impl Subnet {
    /// Has a network of its own, or should.
    pub fn is_routed(&self) -> bool {
        self.stretch.is_absent()
    }

    /// The subnet whose segment this is a part of: what it stretches, or itself.
    pub fn segment(&self) -> Option<&Name> {
        if self.is_routed() { self.name.value() } else { self.stretch.value() }
    }

    fn read(section: &mut Section<'_>) -> Self {
        let stretch = section.optional("stretch", parse::name);
        if stretch.is_absent() {
            let help = "add `cidr = …` to this table, or `stretch = …` to extend another subnet";
            section.require_with_help("cidr", help);
        }
        Self {
            place: section.place,
            name: section.named(),
            stretch,
            cidr: section.optional("cidr", parse::network),
            gateway: section.optional("gateway", parse::address),
            // 24 bits (RFC 7348, section 5); 0 is left to the kernel, which takes it for "none".
            vni: section.optional("vni", parse::number(1..=(1 << 24) - 1)),
            vtep: section.optional("vtep", parse::host),
            dhcp: section.table("dhcp", Dhcp::read),
            hook: section.optional("hook", parse::hook),
            endpoints: section.tables("endpoint", Endpoint::read),
        }
    }
}

impl Dhcp {
    /// Lease time if the file does not say: an hour.
    pub const DEFAULT_LEASE: u32 = 3600;
    /// dnsmasq takes less for this much.
    const LEAST_LEASE: u32 = 120;
    const MOST_LEASE: u32 = 365 * 24 * 3600;

    fn read(section: &mut Section<'_>) -> Self {
        Self {
            start: section.required("start", parse::address),
            end: section.required("end", parse::address),
            lease: section.optional("lease", parse::number(Self::LEAST_LEASE..=Self::MOST_LEASE)),
        }
    }
}

impl Endpoint {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            name: section.named(),
            interface: section.optional("interface", parse::interface),
            hook: section.optional("hook", parse::hook),
        }
    }
}

impl Attachment {
    fn read(section: &mut Section<'_>) -> Self {
        section.require("between");
        Self {
            place: section.place,
            ends_written: section.count("between"),
            between: section.list("between", parse::name),
            key: section.optional("gre-key", parse::number(0..=u32::MAX)),
        }
    }
}
