//! The comparison: what is desired, what is observed, what is to be done. Pure.

mod links;
mod processes;
mod settings;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Action, LinkRef, NamespaceRef, Object, Observed, mark, poison::Poison, sysctls, unnumbered};
use crate::plan::{Desired, Place, StaticRoute};

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Steps, in order: removals, then creations, each after what it builds on; namespaces go last.
    pub actions: Vec<Action>,
    /// What cannot be done, because something that is not ours is in the way.
    pub conflicts: Vec<Conflict>,
}

/// Something that is not ours is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Full name of what cannot be made.
    pub object: String,
    /// What is in the way, and what helps.
    pub reason: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.reason)
    }
}

/// Compares. Two runs on the same input give the same plan; a hypervisor that is as desired gives an empty
/// one.
pub fn diff(desired: &Desired, observed: &Observed) -> Plan {
    let mut diff = Diff {
        desired,
        observed,
        actions: Vec::new(),
        conflicts: Vec::new(),
        blocked: Poison::default(),
        fresh: BTreeSet::new(),
    };
    diff.namespaces();
    diff.links();
    diff.parameters();
    diff.neighbours();
    diff.routes();
    diff.processes();

    let Diff { mut actions, conflicts, mut blocked, .. } = diff;
    // Stable: within a rank, the order of the comparison stays.
    actions.sort_by_key(Action::rank);
    actions.retain(|action| !blocked.hits(action));
    Plan { actions, conflicts }
}

/// A comparison under way.
struct Diff<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    actions: Vec<Action>,
    conflicts: Vec<Conflict>,
    /// What somebody else's objects keep us from making.
    blocked: Poison,
    /// What the plan makes (anew): nothing that was observed holds for it.
    fresh: BTreeSet<Object>,
}

impl Diff<'_> {
    fn is_ours(&self, alias: Option<&str>) -> bool {
        mark::is_ours(alias, &self.desired.hypervisor)
    }

    fn is_fresh(&self, place: &Place, ifname: &str) -> bool {
        self.fresh.contains(&Object::Place(place.clone()))
            || self.fresh.contains(&Object::Link(place.clone(), ifname.to_owned()))
    }

    fn conflict(&mut self, blocked: Object, object: &str, reason: String) {
        self.blocked.add(blocked);
        self.conflicts.push(Conflict { object: object.to_owned(), reason });
    }

    fn create(&mut self, action: Action) {
        self.fresh.extend(action.makes());
        self.actions.push(action);
    }

    fn namespaces(&mut self) {
        let desired: BTreeSet<&str> = self.desired.namespaces.iter().map(|ns| ns.netns.as_str()).collect();
        for (netns, alias) in &self.observed.namespaces {
            if let Some(name) = mark::name_of(alias.as_deref(), &self.desired.hypervisor)
                && !desired.contains(netns.as_str())
            {
                let namespace = NamespaceRef { netns: netns.clone(), name: name.to_owned() };
                self.actions.push(Action::DeleteNamespace(namespace));
            }
        }
        for namespace in &self.desired.namespaces {
            match self.observed.namespaces.get(&namespace.netns) {
                None => self.create(Action::CreateNamespace {
                    namespace: NamespaceRef { netns: namespace.netns.clone(), name: namespace.name.clone() },
                    mark: mark::mark(&self.desired.hypervisor, &namespace.name),
                }),
                Some(alias) if self.is_ours(alias.as_deref()) => {}
                Some(_) => self.conflict(
                    Object::Place(Place::Namespace(namespace.netns.clone())),
                    &namespace.name,
                    format!(
                        "a namespace {} exists that does not carry our mark; rename one",
                        namespace.netns
                    ),
                ),
            }
        }
    }

    fn parameters(&mut self) {
        let mut of_places: BTreeMap<Place, Vec<(String, u32)>> = BTreeMap::new();
        let mut of_links: BTreeMap<(Place, String), Vec<(String, u32)>> = BTreeMap::new();
        for (key, value) in sysctls::desired(self.desired) {
            let fresh = self.is_fresh(&key.place, key.ifname.as_deref().unwrap_or_default());
            let read = if fresh { None } else { self.observed.sysctls.get(&key).map(String::as_str) };
            if !value.is_met_by(read) {
                let values = match key.ifname {
                    None => of_places.entry(key.place).or_default(),
                    Some(ifname) => of_links.entry((key.place, ifname)).or_default(),
                };
                values.push((key.path, value.number()));
            }
        }
        self.actions
            .extend(of_places.into_iter().map(|(place, values)| Action::SetParameters { place, values }));
        self.actions.extend(of_links.into_iter().map(|((place, ifname), values)| {
            let name = ifname.clone();
            Action::SetLinkParameters { link: LinkRef { place, ifname, name }, values }
        }));
    }

    fn neighbours(&mut self) {
        for (end, mac) in unnumbered::desired(self.desired) {
            let known = self.observed.neighbours.get(&end) == Some(&mac);
            let (netns, ifname) = end;
            let place = Place::Namespace(netns);
            if !known || self.is_fresh(&place, &ifname) {
                let name = ifname.clone();
                self.actions.push(Action::SetNeighbour { link: LinkRef { place, ifname, name }, mac });
            }
        }
    }

    fn routes(&mut self) {
        let mut desired = BTreeSet::new();
        for route in &self.desired.routes {
            let mut route = route.clone();
            route.nexthops.sort();
            let place = Place::Namespace(route.netns.clone());
            let lost = self.fresh.contains(&Object::Place(place.clone()))
                || route.nexthops.iter().any(|hop| self.is_fresh(&place, &hop.ifname));
            desired.insert((route.netns.clone(), route.destination));
            if lost || !self.observed.routes.contains(&route) {
                let replace = self.observed.routes.iter().any(|observed| same_key(observed, &route));
                self.actions.push(Action::SetRoute { route, replace });
            }
        }
        // What is in a namespace that goes, goes with it.
        let stays = |netns: &str| self.desired.namespaces.iter().any(|namespace| namespace.netns == netns);
        let surplus: Vec<_> = self
            .observed
            .routes
            .iter()
            .filter(|route| {
                !desired.contains(&(route.netns.clone(), route.destination)) && stays(&route.netns)
            })
            .cloned()
            .collect();
        self.actions.extend(surplus.into_iter().map(Action::RemoveRoute));
    }
}

fn same_key(a: &StaticRoute, b: &StaticRoute) -> bool {
    (&a.netns, a.destination) == (&b.netns, b.destination)
}
