//! Spines: a VPC's routers, between its leaves and the L1 transits.

use ipnet::Ipv4Net;

use super::{
    NamespaceKind, PlanError, StaticRoute,
    builder::{Builder, Local},
    frr::Group,
};
use crate::model::{Bgp, Level, Tenant, Vpc};

impl<'a> Builder<'a> {
    /// A VPC's spines and their links to each L1 transit of the tenant on this hypervisor.
    pub(super) fn add_spines(&mut self, tenant: &'a Tenant, vpc: &'a Vpc) -> Result<(), PlanError> {
        for spine in &vpc.spines {
            let router = self.add_router(tenant, &spine.name, NamespaceKind::Spine, Some(&spine.bgp))?;
            let transits = tenant.transits.iter();
            for l1 in transits.filter(|t| t.hypervisor == self.here.name && t.level == Level::L1) {
                let transit = Local { tenant: &tenant.name, name: &l1.name };
                self.add_link(&router, &transit)?;
                self.add_session(&router, &spine.bgp, &l1.name, Group::Providers);
                self.add_session(&transit, &l1.bgp, &spine.name, Group::Customers);
            }
        }
        Ok(())
    }

    /// What a router originates: its loopback, `own` networks (which it has routes to), and those that the
    /// configuration names. Of these it discards what no better route covers, as an aggregate should (RFC
    /// 4632, section 5.1).
    pub(super) fn originate(
        &mut self,
        router: &Local<'_>,
        bgp: &Bgp,
        own: impl IntoIterator<Item = Ipv4Net>,
    ) {
        let Some(speaker) = self.frr.speakers.get_mut(&router.full_name()) else { return };
        speaker.networks.insert(speaker.router_id.into());
        speaker.networks.extend(own);
        for network in &bgp.advertise {
            if speaker.networks.insert(*network) {
                self.desired.routes.push(StaticRoute {
                    netns: router.netns(),
                    destination: *network,
                    nexthops: Vec::new(),
                });
            }
        }
    }
}
