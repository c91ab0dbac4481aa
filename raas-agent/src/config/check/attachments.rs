//! Edges between transits: who may be joined, and how.

use super::{
    each_again,
    names::{Kind, Names, Resource},
};
use crate::{
    config::{
        faults::Faults,
        raw,
        source::{At, Place, Written},
    },
    model::{Level, Name},
};

/// An attachment whose two ends were found.
pub(super) struct Edge<'r> {
    pub place: Place,
    pub ends: [Resource<'r>; 2],
    pub key: &'r Written<u32>,
}

impl<'r> Edge<'r> {
    /// The two hypervisors, in order of name, if it crosses from one to another.
    pub fn crosses(&self) -> Option<[&'r Name; 2]> {
        let [a, b] = [self.ends[0].hypervisor?, self.ends[1].hypervisor?];
        (a != b).then(|| if a < b { [a, b] } else { [b, a] })
    }
}

pub(super) fn check<'r>(tenant: &'r raw::Tenant, names: &Names<'r>, faults: &Faults<'_>) -> Vec<Edge<'r>> {
    let edges: Vec<_> =
        tenant.attachments.iter().filter_map(|attachment| edge(attachment, names, faults)).collect();
    let pairs = edges.iter().map(|edge| {
        let [a, b] = [edge.ends[0].name, edge.ends[1].name];
        (if a < b { [a, b] } else { [b, a] }, edge.place)
    });
    each_again(pairs, |[a, b], first, place| {
        let message =
            format!("`{a}` and `{b}` are attached twice: the first is at {}", faults.describe(first));
        faults.report(place, message, "remove one: for more paths, attach more transits");
    });
    edges
}

fn edge<'r>(raw: &'r raw::Attachment, names: &Names<'r>, faults: &Faults<'_>) -> Option<Edge<'r>> {
    if raw.ends_written.is_some_and(|count| count != 2) {
        let help = "write `between = [\"l1a\", \"l2a\"]`";
        faults.report(raw.place, "`between` must name two routers", help);
        return None;
    }
    let [a, b] = &raw.between[..] else { return None };
    let ends = [transit(a, names, faults), transit(b, names, faults)];
    let [Some(first), Some(second)] = ends else { return None };
    let edge = Edge { place: raw.place, ends: [first, second], key: &raw.key };
    if a.value == b.value {
        faults.report(b.place, format!("`{}` is attached to itself", a.value), "name two different transits");
        return None;
    }
    if [first.kind, second.kind] == [Kind::Transit(Some(Level::L1)); 2] {
        let message = format!("`{}` and `{}` are both L1 transits", a.value, b.value);
        faults.report(raw.place, message, "attach each of them to an L2 transit, which joins L1 transits");
    }
    if let Some(key) = raw.key.at()
        && first.hypervisor.is_some()
        && first.hypervisor == second.hypervisor
    {
        let message = format!("`{}` and `{}` are on one hypervisor, and need no `gre-key`", a.value, b.value);
        faults.report(key.place, message, "remove it: GRE is for attachments between hypervisors");
    }
    Some(edge)
}

fn transit<'r>(end: &'r At<Name>, names: &Names<'r>, faults: &Faults<'_>) -> Option<Resource<'r>> {
    let found = names.by_name.get(&end.value).copied();
    let is_transit = |resource: &&Resource<'_>| matches!(resource.kind, Kind::Transit(_));
    match found {
        Some(resource) if is_transit(&&resource) => return Some(resource),
        None if !names.complete => {}
        _ => {
            let message = match found {
                Some(resource) => format!("`{}` is {}, not a transit", end.value, resource.kind),
                None => format!("unknown transit `{}`", end.value),
            };
            let known = names.by_name.values().filter(is_transit).map(|resource| resource.name.as_str());
            faults.report(end.place, message, faults.suggest(end.value.as_str(), "transits", known));
        }
    }
    None
}
