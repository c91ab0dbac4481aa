//! L2 segments: a bridge on each hypervisor that has a part of one.

use std::collections::BTreeMap;

use super::{
    Bridge, Domain, PlanError,
    builder::{Builder, Local},
    names::{Prefix, full_name},
};
use crate::model::{Subnet, SubnetKind, Tenant, Vpc};

/// Bytes that VXLAN adds to a layer-3 packet: inner Ethernet 14, VXLAN 8, UDP 8, IPv4 20.
const VXLAN_OVERHEAD: u16 = 50;

/// This hypervisor's part of a segment, once its bridge is planned.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// Domain id.
    pub(super) id: u32,
    /// Full name.
    pub(super) name: String,
    /// Kernel name of the bridge.
    pub(super) bridge: String,
    /// MTU of everything on the segment.
    pub(super) mtu: u16,
}

impl<'a> Builder<'a> {
    /// A VPC's subnets on this hypervisor, with all that hangs on them; and what its spines originate because
    /// of them.
    pub(super) fn add_subnets(&mut self, tenant: &'a Tenant, vpc: &'a Vpc) -> Result<(), PlanError> {
        let mut networks = Vec::new();
        for subnet in &vpc.subnets {
            let segment = self.add_segment(tenant, subnet)?;
            if let SubnetKind::Routed { cidr, gateway, dhcp } = &subnet.kind {
                let own = self.add_leaf(tenant, vpc, subnet, &segment, (*cidr, *gateway))?;
                networks.extend(own);
                if let Some(dhcp) = dhcp {
                    self.add_dhcp_server(tenant, subnet, &segment, (*cidr, *gateway), dhcp);
                }
            }
            self.add_endpoints(tenant, subnet, &segment)?;
        }
        for spine in &vpc.spines {
            let router = Local { tenant: &tenant.name, name: &spine.name };
            self.originate(&router, &spine.bgp, networks.iter().copied());
        }
        Ok(())
    }

    fn add_segment(&mut self, tenant: &'a Tenant, subnet: &'a Subnet) -> Result<Segment, PlanError> {
        let name = full_name(&tenant.name, &subnet.name);
        let mtu = match subnet.vni {
            Some(_) => self.mtu_behind(VXLAN_OVERHEAD, &name)?,
            None => self.network.fabric.mtu,
        };
        let segment = Segment {
            id: self.ids.domain(&name)?,
            bridge: self.names.interface(Prefix::Bridge, &name),
            mtu,
            name,
        };
        self.desired.bridges.push(Bridge {
            ifname: segment.bridge.clone(),
            alias: self.names.alias(&segment.name),
            mac: self.names.mac(&segment.name),
            mtu,
        });
        self.desired.topology.domains.push(Domain {
            id: segment.id,
            name: segment.name.clone(),
            bridge: segment.bridge.clone(),
            gateway: None,
            vxlan: None,
            vteps: BTreeMap::new(),
        });
        if let Some(vni) = subnet.vni {
            self.add_stretch(tenant, subnet, &segment, vni)?;
        }
        Ok(segment)
    }
}
