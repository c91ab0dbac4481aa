//! `TENANT.toml`.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use toml::de::DeTable;

use crate::{
    config::{
        faults::Faults,
        parse,
        section::Section,
        source::{At, Place},
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
    pub name: Option<At<Name>>,
    pub hypervisor: Option<At<Name>>,
    pub spines: Vec<Spine>,
    pub subnets: Vec<Subnet>,
}

/// `[[vpc.spine]]`.
pub struct Spine {
    /// Left out: `VPC-s1`, `VPC-s2`, …
    pub name: Option<At<Name>>,
    pub bgp: Bgp,
}

/// `[[transit]]`.
pub struct Transit {
    pub name: Option<At<Name>>,
    pub hypervisor: Option<At<Name>>,
    pub level: Option<At<Level>>,
    pub bgp: Bgp,
}

/// What spines and transits have in common.
pub struct Bgp {
    pub asn: Option<At<u32>>,
    pub ecmp: Option<At<u8>>,
    pub advertise: Vec<At<Ipv4Net>>,
    pub neighbors: Vec<Neighbor>,
}

/// `[[….neighbor]]`.
pub struct Neighbor {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub weight: Option<At<u16>>,
    pub local_preference: Option<At<u32>>,
}

/// `[[vpc.subnet]]`.
pub struct Subnet {
    pub place: Place,
    pub name: Option<At<Name>>,
    pub stretch: Option<At<Name>>,
    pub cidr: Option<At<Ipv4Net>>,
    pub gateway: Option<At<Ipv4Addr>>,
    pub vni: Option<At<u32>>,
    pub dhcp: Option<Dhcp>,
    pub hook: Option<At<Hook>>,
    pub endpoints: Vec<Endpoint>,
}

/// `dhcp = { … }`.
pub struct Dhcp {
    pub place: Place,
    pub start: Option<At<Ipv4Addr>>,
    pub end: Option<At<Ipv4Addr>>,
    pub lease: Option<At<u32>>,
}

/// `[[vpc.subnet.endpoint]]`.
pub struct Endpoint {
    pub name: Option<At<Name>>,
    pub interface: Option<At<String>>,
    pub hook: Option<At<Hook>>,
}

/// `[[attachment]]`.
pub struct Attachment {
    pub place: Place,
    pub between: Vec<At<Name>>,
    pub key: Option<At<u32>>,
}

impl Tenant {
    pub fn read<'t>(name: Name, file: usize, table: &'t DeTable<'t>, faults: &'t Faults<'t>) -> Self {
        Section::read(table, Place { file, offset: 0 }, faults, |section| Self {
            name,
            vpcs: section.tables("vpc", Vpc::read),
            transits: section.tables("transit", Transit::read),
            attachments: section.tables("attachment", Attachment::read),
        })
    }
}

impl Vpc {
    fn read(section: &mut Section<'_>) -> Self {
        let name = section.required("name", parse::name);
        let mut spine = 0;
        Self {
            hypervisor: section.required("hypervisor", parse::name),
            spines: section.tables("spine", |section| {
                spine += 1;
                Spine::read(section, name.as_ref().map(|name| format!("{}-s{spine}", name.value)))
            }),
            subnets: section.tables("subnet", Subnet::read),
            name,
        }
    }
}

impl Spine {
    fn read(section: &mut Section<'_>, default: Option<String>) -> Self {
        let mut name = section.optional("name", parse::name);
        if !section.has("name")
            && let Some(text) = default
        {
            match text.parse() {
                Ok(value) => name = Some(At { value, place: section.place }),
                Err(wrong) => section.faults.report(
                    section.place,
                    format!("the default name `{text}` is not legal: {}", InvalidName::reason(&wrong)),
                    "give the spine a `name`",
                ),
            }
        }
        Self { name, bgp: Bgp::read(section) }
    }
}

impl Transit {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            name: section.required("name", parse::name),
            hypervisor: section.required("hypervisor", parse::name),
            level: section.required("level", |value| {
                parse::number(1..=2)(value).map(|level| if level == 1 { Level::L1 } else { Level::L2 })
            }),
            bgp: Bgp::read(section),
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
    fn read(section: &mut Section<'_>) -> Self {
        let stretch = section.optional("stretch", parse::name);
        let cidr = if section.has("stretch") {
            section.optional("cidr", parse::network)
        } else {
            section.required("cidr", parse::network)
        };
        Self {
            place: section.place,
            name: section.required("name", parse::name),
            stretch,
            cidr,
            gateway: section.optional("gateway", parse::address),
            // 24 bits (RFC 7348, section 5); 0 is left to the kernel, which takes it for "none".
            vni: section.optional("vni", parse::number(1..=(1 << 24) - 1)),
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
            place: section.place,
            start: section.required("start", parse::address),
            end: section.required("end", parse::address),
            lease: section.optional("lease", parse::number(Self::LEAST_LEASE..=Self::MOST_LEASE)),
        }
    }
}

impl Endpoint {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            name: section.required("name", parse::name),
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
            between: section.list("between", parse::name),
            key: section.optional("gre-key", parse::number(0..=u32::MAX)),
        }
    }
}
