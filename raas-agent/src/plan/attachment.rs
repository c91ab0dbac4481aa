//! Attachments between transit routers: a veth pair on one hypervisor, a GRE tunnel between two.

use super::{
    Place, PlanError, Port, PortRole, Role, Tunnel, TunnelSpec, VethEnd, VethPair,
    builder::{Builder, Local},
    frr::Group,
    names::Prefix,
};
use crate::model::{Attachment, Hook, Level, Name, Tenant, Transit};

/// Bytes that GRE adds: outer IPv4 20, GRE 4 (RFC 2784).
const GRE_OVERHEAD: u16 = 24;
/// The same with a key (RFC 2890).
const GRE_KEYED_OVERHEAD: u16 = 28;

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
                self.add_tunnel(tenant, attachment, a, b)?;
            } else if b_here {
                self.add_tunnel(tenant, attachment, b, a)?;
            }
            for (this, other) in [(a, b), (b, a)] {
                let router = Local { tenant: &tenant.name, name: &this.name };
                self.add_session(&router, &this.bgp, &other.name, group(this.level, other.level));
            }
        }
        Ok(())
    }

    /// This hypervisor's end of a GRE tunnel from its transit `near` to `far` on another one.
    fn add_tunnel(
        &mut self,
        tenant: &'a Tenant,
        attachment: &Attachment,
        near: &'a Transit,
        far: &'a Transit,
    ) -> Result<(), PlanError> {
        let peer = self.network.fabric.hypervisor(&far.hypervisor).ok_or_else(|| PlanError::Dangling {
            tenant: tenant.name.clone(),
            what: "hypervisor",
            name: far.hypervisor.clone(),
        })?;
        let router = Local { tenant: &tenant.name, name: &near.name };
        let name = router.interface_to(&far.name);
        let overhead = if attachment.key.is_some() { GRE_KEYED_OVERHEAD } else { GRE_OVERHEAD };
        let mtu = self.mtu_behind(overhead, &name)?;
        let id = self.ids.tunnel(&name)?;

        let inside = VethEnd {
            noarp: true,
            tx_checksum_off: self.may_meet_xdp(),
            ..self.router_end(&router, &far.name)
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
            remote: peer.address.addr(),
            mtu,
            spec: TunnelSpec::Gre { key: attachment.key, router, device, mac },
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
