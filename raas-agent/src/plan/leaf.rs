//! Leaves: a routed subnet's gateway, its links to the VPC's spines, its routes and its DHCP server.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{
    Address, DhcpServer, NamespaceKind, Nexthop4, Place, PlanError, Role, StaticRoute, VethEnd, VethPair,
    builder::{Builder, Local},
    dnsmasq,
    names::Prefix,
    segment::Segment,
};
use crate::model::{Dhcp, Subnet, Tenant, Vpc};

/// Name of a leaf's interface towards its bridge.
const BRIDGE: &str = "bridge";

impl<'a> Builder<'a> {
    /// A subnet's gateway. Returns the networks that the VPC's spines reach through it.
    pub(super) fn add_leaf(
        &mut self,
        tenant: &'a Tenant,
        vpc: &'a Vpc,
        subnet: &'a Subnet,
        segment: &Segment,
        (cidr, gateway): (Ipv4Net, Ipv4Addr),
    ) -> Result<[Ipv4Net; 2], PlanError> {
        let leaf = self.add_router(tenant, &subnet.name, NamespaceKind::Leaf, None)?;
        let loopback = self.ids.loopback(tenant.name.as_str(), &leaf.full_name())?;
        self.join_bridge(&leaf, segment, Address { address: gateway, prefix: cidr.prefix_len() })?;

        let networks = [cidr.trunc(), loopback.into()];
        for spine in &vpc.spines {
            let spine = Local { tenant: &tenant.name, name: &spine.name };
            self.add_link(&spine, &leaf)?;
            for destination in networks {
                self.add_route(&spine, destination, vec![self.nexthop(&spine, &leaf)]);
            }
        }
        let spines = vpc.spines.iter().map(|spine| Local { tenant: &tenant.name, name: &spine.name });
        let ways: Vec<_> = spines.map(|spine| self.nexthop(&leaf, &spine)).collect();
        if !ways.is_empty() {
            self.add_route(&leaf, Ipv4Net::default(), ways);
        }
        Ok(networks)
    }

    /// The leaf's interface on its segment, and the segment's gateway in the topology.
    fn join_bridge(
        &mut self,
        leaf: &Local<'_>,
        segment: &Segment,
        address: Address,
    ) -> Result<(), PlanError> {
        let router = self.ids.router(&leaf.full_name())?;
        let name = format!("{}/{BRIDGE}", leaf.full_name());
        let inside = VethEnd {
            address: Some(address),
            ..self.end(Place::Namespace(leaf.netns()), BRIDGE.to_owned(), &name)
        };
        let port_name = format!("{}@leaf", segment.name);
        let port = VethEnd {
            bridge: Some(segment.bridge.clone()),
            ..self.end(Place::Host, self.names.interface(Prefix::Leaf, &segment.name), &port_name)
        };
        self.add_interface(leaf, BRIDGE, Role::Domain { domain: segment.id });
        let domains = &mut self.desired.topology.domains;
        if let Some(domain) = domains.iter_mut().find(|domain| domain.id == segment.id) {
            domain.gateway = Some((router, inside.mac));
        }
        self.desired.veths.push(VethPair { a: inside, b: port, mtu: segment.mtu });
        Ok(())
    }

    /// A subnet's DHCP server, in its leaf.
    pub(super) fn add_dhcp_server(
        &mut self,
        tenant: &Tenant,
        subnet: &Subnet,
        segment: &Segment,
        (cidr, gateway): (Ipv4Net, Ipv4Addr),
        dhcp: &Dhcp,
    ) {
        let leaf = Local { tenant: &tenant.name, name: &subnet.name };
        self.desired.dhcp_servers.push(DhcpServer {
            netns: leaf.netns(),
            name: format!("{}-{}", tenant.name, subnet.name),
            config: dnsmasq::render(BRIDGE, cidr, gateway, dhcp, segment.mtu),
        });
    }

    /// The way from one router to another that it is linked to, both on this hypervisor.
    fn nexthop(&self, from: &Local<'_>, to: &Local<'_>) -> Nexthop4 {
        Nexthop4 { ifname: to.name.to_string(), via: self.names.link_local(&to.interface_to(from.name)) }
    }

    fn add_route(&mut self, router: &Local<'_>, destination: Ipv4Net, nexthops: Vec<Nexthop4>) {
        self.desired.routes.push(StaticRoute { netns: router.netns(), destination, nexthops });
    }
}
