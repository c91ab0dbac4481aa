//! Routes that do not fit into the fast path, in the operator's words.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    fib::{FibCounts, Lack, RouterId, Shortage},
    plan::Topology,
};

/// Most routers that a fault names.
const NAMED: usize = 5;

/// What is short, where, what that means for packets, and what to do: one fault for each that is short.
pub fn faults(
    shortages: &BTreeMap<RouterId, Shortage>,
    counts: &FibCounts,
    topology: &Topology,
) -> Vec<String> {
    let lacks: BTreeSet<_> = shortages.values().flat_map(|shortage| shortage.waiting.keys()).collect();
    lacks.into_iter().map(|&lack| fault(lack, shortages, counts, topology)).collect()
}

fn fault(
    lack: Lack,
    shortages: &BTreeMap<RouterId, Shortage>,
    counts: &FibCounts,
    topology: &Topology,
) -> String {
    let lacking = || shortages.iter().filter(|(_, shortage)| shortage.waiting.contains_key(&lack));
    let routes: usize = lacking().map(|(_, shortage)| shortage.waiting[&lack]).sum();
    let routers: Vec<_> = lacking().map(|(id, _)| name(*id, topology)).collect();
    let (reason, remedy) = match lack {
        Lack::Nodes => (
            format!("all {} nodes of the FIB are in use", counts.nodes.capacity),
            "raise `fib-nodes` in fabric.toml and restart the agent",
        ),
        Lack::Nexthops => (
            format!("all {} nexthops are in use", counts.nexthops.capacity),
            "move subnets with many endpoints to another hypervisor",
        ),
        Lack::Groups => (
            format!("all {} nexthop groups are in use", counts.groups.capacity),
            "have fewer different sets of next hops, or move routers to another hypervisor",
        ),
        Lack::Writing => ("writing the tables failed".to_owned(), "see the agent's log"),
    };
    let effect = if lacking().any(|(_, shortage)| shortage.held) {
        "the kernel forwards all packets of these routers"
    } else {
        "the kernel forwards what takes these routes"
    };
    format!(
        "no room in the fast path for {} of {}: {reason}; {effect}; {remedy}",
        count(routes),
        list(&routers)
    )
}

/// So many routes.
fn count(routes: usize) -> String {
    format!("{routes} route{}", if routes == 1 { "" } else { "s" })
}

/// A router's full name.
pub fn name(id: RouterId, topology: &Topology) -> String {
    let router = topology.routers.iter().find(|router| router.id == id.get());
    router.map_or_else(|| format!("router {}", id.get()), |router| router.name.clone())
}

fn list(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let list = names[..names.len() - more].join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_some_routers() {
        let names = |count: u32| (1..=count).map(|id| format!("t/r{id}")).collect::<Vec<_>>();
        assert_eq!(list(&names(2)), "t/r1, t/r2");
        assert_eq!(list(&names(7)), "t/r1, t/r2, t/r3, t/r4, t/r5 and 2 more");
    }
}
