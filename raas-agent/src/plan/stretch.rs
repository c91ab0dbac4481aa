//! Stretches: a segment's VXLAN device, and a tunnel to each other hypervisor that has a part of the segment, or to the
//! foreign VTEP that has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::Ipv4Addr,
};

use super::{PlanError, Tunnel, TunnelSpec, Vxlan, builder::Builder, names::Prefix, segment::Segment};
use crate::model::{Name, Subnet, SubnetKind, Tenant};

impl<'a> Builder<'a> {
    pub(super) fn add_stretch(
        &mut self,
        tenant: &'a Tenant,
        subnet: &'a Subnet,
        segment: &Segment,
        vni: u32,
    ) -> Result<(), PlanError> {
        let local = self.here.address.addr();
        let device_name = format!("{}@vxlan", segment.name);
        let device = Vxlan {
            ifname: self.names.interface(Prefix::Vxlan, &segment.name),
            alias: self.names.alias(&device_name),
            mac: self.names.mac(&device_name),
            vni,
            local,
            vtep: subnet.vtep,
            bridge: segment.bridge.clone(),
            mtu: segment.mtu,
        };
        let ifname = device.ifname.clone();
        self.desired.vxlans.push(device);

        let mut vteps = BTreeMap::new();
        for other in self.other_parts(tenant, subnet) {
            let hypervisor = self.network.fabric.hypervisor(other).ok_or_else(|| PlanError::Dangling {
                tenant: tenant.name.clone(),
                what: "hypervisor",
                name: other.clone(),
            })?;
            let remote = hypervisor.address.addr();
            vteps.insert(remote, self.add_vxlan_tunnel(segment, vni, other, remote, false)?);
            self.frr.add_evpn_peer(&self.network.fabric, self.here, remote);
        }
        if let Some(remote) = subnet.vtep {
            vteps.insert(remote, self.add_vxlan_tunnel(segment, vni, remote, remote, true)?);
        }
        let domains = &mut self.desired.topology.domains;
        if let Some(domain) = domains.iter_mut().find(|domain| domain.id == segment.id) {
            domain.vxlan = Some(ifname);
            domain.vteps = vteps;
        }
        Ok(())
    }

    /// A tunnel to `remote`, which is called `there`. Returns its id.
    fn add_vxlan_tunnel(
        &mut self,
        segment: &Segment,
        vni: u32,
        there: impl fmt::Display,
        remote: Ipv4Addr,
        foreign: bool,
    ) -> Result<u32, PlanError> {
        let name = format!("{}@{there}", segment.name);
        let id = self.ids.tunnel(&name)?;
        self.desired.topology.tunnels.push(Tunnel {
            id,
            scope: self.ids.tunnel_scope(&name)?,
            name,
            local: self.here.address.addr(),
            remote,
            mtu: segment.mtu,
            spec: TunnelSpec::Vxlan { vni, domain: segment.id, foreign },
        });
        Ok(id)
    }

    /// The other hypervisors with a part of the segment.
    fn other_parts(&self, tenant: &'a Tenant, subnet: &'a Subnet) -> BTreeSet<&'a Name> {
        let segment = segment_of(subnet);
        let parts =
            tenant.vpcs.iter().filter(|vpc| vpc.subnets.iter().any(|subnet| segment_of(subnet) == segment));
        parts.map(|vpc| &vpc.hypervisor).filter(|hypervisor| **hypervisor != self.here.name).collect()
    }
}

/// The segment that a subnet is a part of, by the name of its routed part.
pub(super) fn segment_of(subnet: &Subnet) -> &Name {
    match &subnet.kind {
        SubnetKind::Routed { .. } => &subnet.name,
        SubnetKind::Stretch { of } => of,
    }
}
