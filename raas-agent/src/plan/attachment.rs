//! Attachments between transit routers: a veth pair on one hypervisor, a GRE tunnel between two. Foreign routers
//! are attached by the same tunnels ([`super::peer`]).

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{
    Address, Place, PlanError, Port, PortRole, Role, Tunnel, TunnelSpec, VethEnd, VethPair,
    builder::{Builder, Local},
    frr::Group,
    names::Prefix,
};
use crate::model::{Attachment, Hook, Level, Name, Tenant, Transit};

/// Bytes that GRE adds: outer IPv4 20, GRE 4 (RFC 2784).
const GRE_OVERHEAD: u16 = 24;
/// The same with a key (RFC 2890).
const GRE_KEYED_OVERHEAD: u16 = 28;

/// What a GRE tunnel of a transit leads to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Far<'a> {
    /// The router there; the interface towards it is called like this.
    pub(super) name: &'a Name,
    /// Where the tunnel ends there.
    pub(super) remote: Ipv4Addr,
    /// GRE key.
    pub(super) key: Option<u32>,
    /// Our address in the tunnel, and the neighbour's; without them the session is unnumbered.
    pub(super) numbered: Option<(Ipv4Net, Ipv4Addr)>,
}

impl<'a> Builder<'a> {
    pub(super) fn add_attachments(&mut self, tenant: &'a Tenant) -> Result<(), PlanError> {
        for attachment in &tenant.attachments {
            let a = transit(tenant, &attachment.a)?;
            let b = transit(tenant, &attachment.b)?;
            let (a_here, b_here) = (a.hypervisor == self.here.name, b.hypervisor == self.here.name);
            if a_here && b_here {
                let locals = [a, b].map(|t| Local { tenant: &tenant.name, name: &t.name });
                self.add_link(&locals[0], &locals[1])?;
            } else if a_here {
                self.add_tunnel(tenant, a, &self.far(tenant, attachment, b)?)?;
            } else if b_here {
                self.add_tunnel(tenant, b, &self.far(tenant, attachment, a)?)?;
            }
            for (this, other) in [(a, b), (b, a)] {
                let router = Local { tenant: &tenant.name, name: &this.name };
                self.add_session(&router, &this.bgp, &other.name, group(this.level, other.level));
            }
        }
        Ok(())
    }

    /// A transit on another hypervisor, as an attachment leads to it.
    fn far(&self, tenant: &Tenant, attachment: &Attachment, far: &'a Transit) -> Result<Far<'a>, PlanError> {
        let there = self.network.fabric.hypervisor(&far.hypervisor).ok_or_else(|| PlanError::Dangling {
            tenant: tenant.name.clone(),
            what: "hypervisor",
            name: far.hypervisor.clone(),
        })?;
        let remote = there.address.addr();
        Ok(Far { name: &far.name, remote, key: attachment.key, numbered: None })
    }

    /// This hypervisor's end of a GRE tunnel of its transit `near`.
    pub(super) fn add_tunnel(
        &mut self,
        tenant: &'a Tenant,
        near: &'a Transit,
        far: &Far<'_>,
    ) -> Result<(), PlanError> {
        let router = Local { tenant: &tenant.name, name: &near.name };
        let name = router.interface_to(far.name);
        let overhead = if far.key.is_some() { GRE_KEYED_OVERHEAD } else { GRE_OVERHEAD };
        let mtu = self.mtu_behind(overhead, &name)?;
        let id = self.ids.tunnel(&name)?;

        let inside = VethEnd {
            noarp: true,
            tx_checksum_off: self.may_meet_xdp(),
            address: far.numbered.map(|(own, _)| Address { address: own.addr(), prefix: own.prefix_len() }),
            ..self.router_end(&router, far.name)
        };
        let device = self.names.interface(Prefix::Tunnel, &name);
        let outside =
            VethEnd { noarp: true, ..self.end(Place::Host, device.clone(), &format!("{name}@outer")) };
        let mac = inside.mac;
        self.desired.veths.push(VethPair { a: inside, b: outside, mtu });
        self.add_interface(&router, far.name.as_str(), Role::Tunnel { tunnel: id });

        let router = self.ids.router(&router.full_name())?;
        let port = Port {
            ifname: device.clone(),
            name: name.clone(),
            role: PortRole::Tunnel { tunnel: id },
            hook: Hook::Tc,
            scope: self.ids.port_scope(&name)?,
        };
        self.desired.topology.ports.push(port);
        let tunnel = Tunnel {
            id,
            scope: self.ids.tunnel_scope(&name)?,
            name,
            local: self.here.address.addr(),
            remote: far.remote,
            mtu,
            spec: TunnelSpec::Gre {
                key: far.key,
                router,
                device,
                mac,
                neighbor: far.numbered.map(|(_, neighbor)| neighbor),
            },
        };
        self.desired.topology.tunnels.push(tunnel);
        Ok(())
    }

    /// Whether some uplink, possibly a veth, is to have XDP; `auto` is XDP on NICs only, which finish checksums.
    pub(super) fn xdp_uplink(&self) -> bool {
        let mut hypervisors = self.network.fabric.hypervisors.iter();
        hypervisors.any(|there| self.options.hook_override.unwrap_or(there.uplink_hook) == Hook::Xdp)
    }

    /// Whether a packet sent into a tunnel may come to XDP at some uplink. A frame between veths carries its
    /// unfinished checksum along, and XDP at the far end does not see that it is unfinished.
    fn may_meet_xdp(&self) -> bool {
        let mut hypervisors = self.network.fabric.hypervisors.iter();
        hypervisors.any(|there| self.options.hook_override.unwrap_or(there.uplink_hook) != Hook::Tc)
    }
}

fn transit<'a>(tenant: &'a Tenant, name: &Name) -> Result<&'a Transit, PlanError> {
    tenant.transits.iter().find(|transit| transit.name == *name).ok_or_else(|| PlanError::Dangling {
        tenant: tenant.name.clone(),
        what: "transit",
        name: name.clone(),
    })
}

/// What a neighbour of level `theirs` is to a transit of level `ours`: who is higher provides.
fn group(ours: Level, theirs: Level) -> Group {
    match (ours, theirs) {
        (Level::L1, Level::L2) => Group::Providers,
        (Level::L2, Level::L1) => Group::Customers,
        (Level::L1, Level::L1) | (Level::L2, Level::L2) => Group::Siblings,
    }
}
