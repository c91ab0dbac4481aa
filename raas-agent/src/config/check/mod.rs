//! What must fit together across tables and files. Each check reports on its own, whatever the others found;
//! what rests on a value that could not be read is skipped, so that one fault is not reported twice.

mod addresses;
mod attachments;
mod capacity;
mod clashes;
mod dhcp;
mod hypervisors;
mod interfaces;
mod names;
mod neighbors;
mod peers;
mod stretches;

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    faults::Faults,
    raw,
    source::{At, Place},
};
use attachments::Edge;
use names::Names;

/// A tenant, with what its references lead to.
struct Resolved<'r> {
    raw: &'r raw::Tenant,
    names: Names<'r>,
    edges: Vec<Edge<'r>>,
}

/// Runs every check. `fabric` is `None` if its file could not be read.
pub(super) fn all(fabric: Option<&raw::Fabric>, tenants: &[raw::Tenant], faults: &Faults<'_>) {
    let hypervisors = hypervisors::check(fabric, faults);
    let tenants: Vec<Resolved<'_>> = tenants
        .iter()
        .map(|raw| {
            let names = Names::collect(raw, faults);
            hypervisors::references(raw, &hypervisors, faults);
            neighbors::spines(raw, faults);
            let edges = attachments::check(raw, &names, faults);
            neighbors::check(raw, &names, &edges, faults);
            peers::check(raw, &hypervisors, faults);
            peers::vteps(raw, &hypervisors, faults);
            addresses::check(raw, &hypervisors, faults);
            stretches::check(raw, &names, faults);
            dhcp::check(raw, faults);
            Resolved { raw, names, edges }
        })
        .collect();
    names::namespaces(&tenants, faults);
    clashes::as_numbers(fabric, &tenants, faults);
    clashes::vnis(&tenants, faults);
    clashes::gre_keys(&tenants, faults);
    interfaces::check(&tenants, &hypervisors, faults);
    capacity::check(&tenants, &hypervisors, faults);
}

/// Passes over items in the order in which they are written, and calls `again` (with the first's place) for
/// each whose key another had before.
fn each_again<K: Ord>(items: impl IntoIterator<Item = (K, Place)>, mut again: impl FnMut(&K, Place, Place)) {
    let mut seen = BTreeMap::new();
    for (key, place) in items {
        match seen.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(place);
            }
            Entry::Occupied(entry) => again(entry.key(), *entry.get(), place),
        }
    }
}

/// The value of a key that was read.
fn value<T>(written: &Option<At<T>>) -> Option<&T> {
    written.as_ref().map(|at| &at.value)
}
