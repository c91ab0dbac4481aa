//! Transit routers.

use super::{NamespaceKind, PlanError, builder::Builder};
use crate::model::{Level, Tenant};

impl<'a> Builder<'a> {
    /// A tenant's transit routers on this hypervisor. Their links come with the spines and the attachments.
    pub(super) fn add_transits(&mut self, tenant: &'a Tenant) -> Result<(), PlanError> {
        for transit in tenant.transits.iter().filter(|transit| transit.hypervisor == self.here.name) {
            let kind = match transit.level {
                Level::L1 => NamespaceKind::L1,
                Level::L2 => NamespaceKind::L2,
            };
            let router = self.add_router(tenant, &transit.name, kind, Some(&transit.bgp))?;
            self.originate(&router, &transit.bgp, []);
        }
        Ok(())
    }
}
