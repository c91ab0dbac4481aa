//! Endpoints: bridge ports with a program, and what sits behind them if the agent makes it.

use super::{
    DhcpClient, Namespace, NamespaceKind, Place, PlanError, Port, PortRole, VethEnd, VethPair,
    builder::Builder,
    names::{Prefix, full_name, netns},
    segment::Segment,
    stretch::segment_of,
};
use crate::model::{Endpoint, EndpointKind, Hook, Name, Subnet, SubnetKind, Tenant};

impl<'a> Builder<'a> {
    pub(super) fn add_endpoints(
        &mut self,
        tenant: &'a Tenant,
        subnet: &'a Subnet,
        segment: &Segment,
    ) -> Result<(), PlanError> {
        let dhcp = has_dhcp(tenant, segment_of(subnet));
        for endpoint in &subnet.endpoints {
            let name = full_name(&tenant.name, &endpoint.name);
            let hook = self.options.hook_override.unwrap_or(endpoint.hook);
            let (ifname, peer) = match &endpoint.kind {
                EndpointKind::Namespace => {
                    (self.add_endpoint_namespace(tenant, endpoint, segment, hook, dhcp), true)
                }
                EndpointKind::Interface(ifname) => {
                    self.desired.adopted.insert(ifname.clone(), segment.bridge.clone());
                    (ifname.clone(), false)
                }
            };
            let scope = self.ids.port_scope(&name)?;
            let role = PortRole::Endpoint { domain: segment.id, peer };
            self.desired.topology.ports.push(Port { ifname, name, role, hook, scope });
        }
        Ok(())
    }

    /// An endpoint that the agent makes. Returns the kernel name of its bridge port.
    fn add_endpoint_namespace(
        &mut self,
        tenant: &Tenant,
        endpoint: &Endpoint,
        segment: &Segment,
        hook: Hook,
        dhcp: bool,
    ) -> String {
        let name = full_name(&tenant.name, &endpoint.name);
        let netns = netns(&tenant.name, &endpoint.name);
        self.desired.namespaces.push(Namespace {
            netns: netns.clone(),
            name: name.clone(),
            kind: NamespaceKind::Endpoint,
            loopback: None,
        });
        let ifname = self.names.interface(Prefix::Port, &name);
        let inside = VethEnd {
            // `auto` is TC on a veth. Beyond a tunnel, XDP on a veth cannot see either that a checksum is
            // unfinished.
            tx_checksum_off: hook == Hook::Xdp || self.xdp_uplink(),
            ..self.end(Place::Namespace(netns.clone()), "eth0".to_owned(), &format!("{name}/eth0"))
        };
        let port =
            VethEnd { bridge: Some(segment.bridge.clone()), ..self.end(Place::Host, ifname.clone(), &name) };
        self.desired.veths.push(VethPair { a: inside, b: port, mtu: segment.mtu });
        if dhcp {
            let name = format!("{}-{}", tenant.name, endpoint.name);
            self.desired.dhcp_clients.push(DhcpClient { netns, name });
        }
        ifname
    }
}

/// Whether a segment has a DHCP server, on whatever hypervisor.
fn has_dhcp(tenant: &Tenant, segment: &Name) -> bool {
    tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets).any(|subnet| {
        subnet.name == *segment && matches!(subnet.kind, SubnetKind::Routed { dhcp: Some(_), .. })
    })
}
