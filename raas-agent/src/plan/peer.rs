//! Foreign routers: a GRE tunnel and a BGP session to what no agent of ours configures.

use super::{
    PlanError,
    attachment::Far,
    builder::{Builder, Local},
    frr::{Foreign, Group},
};
use crate::model::Tenant;

impl<'a> Builder<'a> {
    pub(super) fn add_peers(&mut self, tenant: &'a Tenant) -> Result<(), PlanError> {
        for transit in tenant.transits.iter().filter(|transit| transit.hypervisor == self.here.name) {
            let router = Local { tenant: &tenant.name, name: &transit.name };
            for peer in &transit.peers {
                let numbered = peer.address.zip(peer.neighbor_address());
                let far = Far { name: &peer.name, remote: peer.remote, key: peer.key, numbered };
                self.add_tunnel(tenant, transit, &far)?;
                let foreign = Foreign {
                    address: numbered.map(|(_, neighbor)| neighbor),
                    asn: peer.asn,
                    maximum_prefix: peer.maximum_prefix,
                    import: peer.import.clone(),
                    export: peer.export.clone(),
                };
                self.add_session(&router, &transit.bgp, &peer.name, Group::Foreign(foreign));
            }
        }
        Ok(())
    }
}
