//! The plan in the making: what every builder adds to, and the steps that several of them share.

use std::collections::BTreeMap;

use super::{
    Allocations, Desired, Namespace, NamespaceKind, Options, Place, PlanError, Role, Router, VethEnd,
    VethPair,
    allocations::Allocator,
    check,
    frr::{self, Frr, Group, Session, Speaker},
    names::{Names, full_name, netns},
};
use crate::model::{Bgp, Hypervisor, Name, Network, Tenant};

/// The plan in the making.
pub(super) struct Builder<'a> {
    pub(super) network: &'a Network,
    /// The hypervisor that is planned for.
    pub(super) here: &'a Hypervisor,
    pub(super) options: &'a Options,
    pub(super) names: Names,
    pub(super) ids: Allocator,
    pub(super) desired: Desired,
    pub(super) frr: Frr,
}

/// A router on this hypervisor: how the builders refer to one that they have added.
#[derive(Clone, Debug)]
pub(super) struct Local<'a> {
    pub(super) tenant: &'a Name,
    pub(super) name: &'a Name,
}

impl Local<'_> {
    pub(super) fn full_name(&self) -> String {
        full_name(self.tenant, self.name)
    }

    pub(super) fn netns(&self) -> String {
        netns(self.tenant, self.name)
    }

    /// Full name of the interface that leads to a neighbour.
    pub(super) fn interface_to(&self, neighbor: &Name) -> String {
        format!("{}/{}/{neighbor}", self.tenant, self.name)
    }
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        network: &'a Network,
        here: &'a Hypervisor,
        previous: &Allocations,
        options: &'a Options,
    ) -> Self {
        Self {
            network,
            here,
            options,
            names: Names::new(here.name.clone()),
            ids: Allocator::new(previous, here.loopbacks),
            desired: Desired { hypervisor: here.name.to_string(), ..Desired::default() },
            frr: Frr::new(&here.name),
        }
    }

    /// Checks and renders what was added.
    pub(super) fn finish(mut self) -> Result<(Desired, Allocations), PlanError> {
        self.desired.routes.sort();
        self.desired.frr = frr::render(&self.frr);
        check::no_collisions(&self.desired)?;
        Ok((self.desired, self.ids.finish()))
    }

    /// A router: its namespace, and its entry in the topology, without interfaces as yet.
    pub(super) fn add_router(
        &mut self,
        tenant: &'a Tenant,
        name: &'a Name,
        kind: NamespaceKind,
        bgp: Option<&Bgp>,
    ) -> Result<Local<'a>, PlanError> {
        let local = Local { tenant: &tenant.name, name };
        let full_name = local.full_name();
        let loopback = self.ids.loopback(tenant.name.as_str(), &full_name)?;
        self.desired.namespaces.push(Namespace {
            netns: local.netns(),
            name: full_name.clone(),
            kind,
            loopback: Some(loopback),
        });
        self.desired.topology.routers.push(Router {
            id: self.ids.router(&full_name)?,
            name: full_name.clone(),
            netns: local.netns(),
            kind,
            asn: bgp.map(|bgp| bgp.asn),
            loopback,
            interfaces: BTreeMap::new(),
        });
        if let Some(bgp) = bgp {
            self.frr.speakers.insert(full_name, Speaker::new(local.netns(), loopback, bgp));
        }
        Ok(local)
    }

    /// Where an interface of a router that was added before leads.
    pub(super) fn add_interface(&mut self, router: &Local<'_>, ifname: &str, role: Role) {
        let name = router.full_name();
        if let Some(router) = self.desired.topology.routers.iter_mut().find(|router| router.name == name) {
            router.interfaces.insert(ifname.to_owned(), role);
        }
    }

    /// A link between two routers on this hypervisor: an unnumbered veth pair, each end called after the
    /// other's router.
    pub(super) fn add_link(&mut self, a: &Local<'_>, b: &Local<'_>) -> Result<(), PlanError> {
        let (a_id, b_id) = (self.ids.router(&a.full_name())?, self.ids.router(&b.full_name())?);
        self.add_interface(a, b.name.as_str(), Role::Link { router: b_id });
        self.add_interface(b, a.name.as_str(), Role::Link { router: a_id });
        let pair = VethPair {
            a: self.router_end(a, b.name),
            b: self.router_end(b, a.name),
            mtu: self.network.fabric.mtu,
        };
        self.desired.veths.push(pair);
        Ok(())
    }

    /// A BGP session of a router that was added before, if it speaks BGP.
    pub(super) fn add_session(&mut self, router: &Local<'_>, bgp: &Bgp, peer: &Name, group: Group) {
        if let Some(speaker) = self.frr.speakers.get_mut(&router.full_name()) {
            let policy = bgp.neighbors.iter().find(|policy| policy.neighbor == *peer);
            speaker.sessions.insert(
                peer.to_string(),
                Session {
                    group,
                    weight: policy.and_then(|policy| policy.weight),
                    local_preference: policy.and_then(|policy| policy.local_preference),
                },
            );
        }
    }

    /// The end in a router's namespace of its link to `neighbor`.
    pub(super) fn router_end(&self, router: &Local<'_>, neighbor: &Name) -> VethEnd {
        let place = Place::Namespace(router.netns());
        let end = self.end(place, neighbor.to_string(), &router.interface_to(neighbor));
        VethEnd { link_local: true, ..end }
    }

    /// A veth's end with nothing but a name and a MAC address.
    pub(super) fn end(&self, place: Place, ifname: String, full_name: &str) -> VethEnd {
        VethEnd {
            place,
            ifname,
            alias: self.names.alias(full_name),
            mac: self.names.mac(full_name),
            address: None,
            bridge: None,
            noarp: false,
            link_local: false,
            tx_checksum_off: false,
        }
    }

    /// What the underlay's MTU leaves behind `overhead` bytes of tunnel headers. Below 1280 the kernel turns
    /// IPv6 off on the interface (RFC 8200, section 5), and BGP with it.
    pub(super) fn mtu_behind(&self, overhead: u16, what: &str) -> Result<u16, PlanError> {
        let underlay = self.network.fabric.mtu;
        let inner = underlay.saturating_sub(overhead);
        if inner < 1280 {
            return Err(PlanError::MtuTooSmall { underlay, inner, what: what.to_owned() });
        }
        Ok(inner)
    }
}
