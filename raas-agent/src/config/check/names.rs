//! The names within a tenant.

use std::{collections::BTreeMap, fmt};

use super::{Resolved, each_again, value};
use crate::{
    config::{
        faults::Faults,
        raw,
        source::{At, Place, Written},
    },
    model::{Level, Name},
};

/// What has a name in the tenant's space of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Spine,
    /// The level is `None` if it could not be read.
    Transit(Option<Level>),
    /// A foreign router.
    Peer,
    Subnet,
    Endpoint,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spine => "a spine",
            Self::Transit(None) => "a transit",
            Self::Transit(Some(Level::L1)) => "an L1 transit",
            Self::Transit(Some(Level::L2)) => "an L2 transit",
            Self::Peer => "a peer",
            Self::Subnet => "a subnet",
            Self::Endpoint => "an endpoint",
        })
    }
}

/// What a name stands for, and where that is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resource<'r> {
    pub kind: Kind,
    pub name: &'r Name,
    pub hypervisor: Option<&'r Name>,
    pub place: Place,
}

/// What references within a tenant can lead to.
pub(super) struct Names<'r> {
    pub by_name: BTreeMap<&'r Name, Resource<'r>>,
    /// Whether everything has a name written: only then is a reference that leads nowhere a fault of the
    /// reference. (A name that is written and not legal hides none: a reference to it is not legal either.)
    pub complete: bool,
}

impl<'r> Names<'r> {
    /// Collects a tenant's names, and reports those that two things have.
    pub fn collect(tenant: &'r raw::Tenant, faults: &Faults<'_>) -> Self {
        let vpcs = tenant.vpcs.iter().filter_map(|vpc| vpc.name.at());
        each_again(vpcs.map(|name| (&name.value, name.place)), |name, first, place| {
            let message = format!("duplicate VPC `{name}`: the first is at {}", faults.describe(first));
            faults.report(place, message, "give it another name");
        });

        let mut names = Self { by_name: BTreeMap::new(), complete: true };
        for vpc in &tenant.vpcs {
            let hypervisor = value(&vpc.hypervisor);
            for spine in &vpc.spines {
                names.insert(Kind::Spine, &spine.name, hypervisor, faults);
            }
            for subnet in &vpc.subnets {
                names.insert(Kind::Subnet, &subnet.name, hypervisor, faults);
                for endpoint in &subnet.endpoints {
                    names.insert(Kind::Endpoint, &endpoint.name, hypervisor, faults);
                }
            }
        }
        for transit in &tenant.transits {
            let kind = Kind::Transit(value(&transit.level).copied());
            let hypervisor = value(&transit.hypervisor);
            names.insert(kind, &transit.name, hypervisor, faults);
            for peer in &transit.peers {
                names.insert(Kind::Peer, &peer.name, hypervisor, faults);
            }
        }
        names
    }

    fn insert(
        &mut self,
        kind: Kind,
        name: &'r Written<Name>,
        hypervisor: Option<&'r Name>,
        faults: &Faults<'_>,
    ) {
        self.complete &= !name.is_absent();
        let Some(At { value: name, place }) = name.at() else { return };
        let resource = Resource { kind, name, hypervisor, place: *place };
        match self.by_name.get(name) {
            None => {
                self.by_name.insert(name, resource);
            }
            Some(first) => {
                let at = faults.describe(first.place);
                let message = format!("duplicate name `{name}`: {} at {at} has it", first.kind);
                let help =
                    "routers, subnets and endpoints of a tenant share one space of names: choose another";
                faults.report(*place, message, help);
            }
        }
    }
}

/// Namespaces are called `raas-TENANT-NAME`, and so tenant `a` with `b-c` would clash with tenant `a-b` with
/// `c`.
pub(super) fn namespaces(tenants: &[Resolved<'_>], faults: &Faults<'_>) {
    let names = tenants.iter().flat_map(|tenant| {
        // A peer has none: it is elsewhere.
        let resources = tenant.names.by_name.values().filter(|resource| resource.kind != Kind::Peer);
        resources.map(|resource| {
            let namespace = format!("raas-{}-{}", tenant.raw.name, resource.name);
            ((resource.hypervisor, namespace), resource.place)
        })
    });
    each_again(names, |(hypervisor, namespace), first, place| {
        if hypervisor.is_some() {
            let message = format!("its namespace `{namespace}` is also that of {}", faults.describe(first));
            faults.report(place, message, "rename one, or one of the tenants");
        }
    });
}
