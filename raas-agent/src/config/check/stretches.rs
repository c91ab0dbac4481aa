//! Stretches: what they extend, and from where.

use std::collections::BTreeMap;

use super::{
    each_again,
    names::{Kind, Names},
    value,
};
use crate::{
    config::{faults::Faults, raw, source::At},
    model::Name,
};

/// A tenant's subnets by name, each with its hypervisor.
type Subnets<'r> = BTreeMap<&'r Name, (&'r raw::Subnet, Option<&'r Name>)>;

pub(super) fn check(tenant: &raw::Tenant, names: &Names<'_>, faults: &Faults<'_>) {
    let all = || {
        tenant.vpcs.iter().flat_map(|vpc| vpc.subnets.iter().map(|subnet| (subnet, value(&vpc.hypervisor))))
    };
    let subnets: Subnets<'_> =
        all().filter_map(|(subnet, at)| Some((subnet.name.value()?, (subnet, at)))).collect();
    for (subnet, hypervisor) in all() {
        if let Some(of) = subnet.stretch.at() {
            nothing_of_its_own(subnet, of, faults);
            parent(of, hypervisor, names, &subnets, faults);
        }
    }
    let parts = all().filter_map(|(subnet, hypervisor)| {
        let of = subnet.stretch.at()?;
        Some(((&of.value, hypervisor?), of.place))
    });
    each_again(parts, |(of, hypervisor), first, place| {
        let message = format!(
            "`{of}` is stretched to `{hypervisor}` twice: the first is at {}",
            faults.describe(first)
        );
        faults.report(place, message, "put the endpoints of both into one subnet");
    });
}

fn nothing_of_its_own(subnet: &raw::Subnet, of: &At<Name>, faults: &Faults<'_>) {
    let keys = [
        ("cidr", subnet.cidr.at().map(|at| at.place)),
        ("gateway", subnet.gateway.at().map(|at| at.place)),
        ("dhcp", subnet.dhcp.at().map(|at| at.place)),
        ("vni", subnet.vni.at().map(|at| at.place)),
        ("vtep", subnet.vtep.at().map(|at| at.place)),
    ];
    for (key, place) in keys {
        if let Some(place) = place {
            let message = format!("a stretch has no `{key}` of its own");
            faults.report(place, message, format!("remove it: that of `{}` applies", of.value));
        }
    }
}

fn parent(
    of: &At<Name>,
    hypervisor: Option<&Name>,
    names: &Names<'_>,
    subnets: &Subnets<'_>,
    faults: &Faults<'_>,
) {
    let name = &of.value;
    let stretchable = || {
        let routed = subnets.iter().filter(|(_, (subnet, _))| subnet.is_routed());
        faults.suggest(name.as_str(), "subnets that can be stretched", routed.map(|(name, _)| name.as_str()))
    };
    let Some((parent, its_hypervisor)) = subnets.get(name) else {
        match names.by_name.get(name) {
            Some(other) if other.kind != Kind::Subnet => {
                faults.report(of.place, format!("`{name}` is {}, not a subnet", other.kind), stretchable());
            }
            _ if names.complete => faults.report(of.place, format!("unknown subnet `{name}`"), stretchable()),
            _ => {}
        }
        return;
    };
    if let Some(grandparent) = parent.stretch.value() {
        let message = format!("`{name}` is itself a stretch");
        faults.report(of.place, message, format!("write `stretch = \"{grandparent}\"`"));
        return;
    }
    if parent.is_routed() && parent.vni.is_absent() {
        let message = format!("`{name}` has no VNI to be stretched by");
        faults.report(of.place, message, format!("give `{name}` a `vni`"));
    }
    if hypervisor.is_some() && hypervisor == *its_hypervisor {
        let message = format!("`{name}` is on this hypervisor already");
        faults.report(of.place, message, format!("put the endpoints into `{name}`"));
    }
}
