//! Nexthop objects and groups of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::learn::event::{Hop, NexthopObject, NexthopTarget};

/// The nexthop objects of a namespace.
#[derive(Clone, Debug, Default)]
pub struct Nexthops {
    objects: BTreeMap<u32, NexthopTarget>,
    /// Objects that something refers to, but that have not been seen. The kernel lets nothing refer to an
    /// object that does not exist, but amid a dump references may come first.
    missing: BTreeSet<u32>,
}

impl Nexthops {
    /// Adds or replaces an object. True: something that routes may use already has changed.
    pub fn put(&mut self, nexthop: NexthopObject) -> bool {
        let NexthopObject { id, target } = nexthop;
        if let NexthopTarget::Group(members) = &target {
            for &(member, _) in members {
                self.refer_to(member);
            }
        }
        let awaited = self.missing.remove(&id);
        match self.objects.get(&id) {
            Some(old) if *old == target => false,
            Some(_) => {
                self.objects.insert(id, target);
                true
            }
            None => {
                self.objects.insert(id, target);
                awaited
            }
        }
    }

    /// A route or group uses an object.
    pub fn refer_to(&mut self, id: u32) {
        if !self.objects.contains_key(&id) {
            self.missing.insert(id);
        }
    }

    /// Ids of the objects that send out of a link.
    pub fn on_link(&self, index: u32) -> BTreeSet<u32> {
        let on_link =
            |target: &NexthopTarget| matches!(target, NexthopTarget::Hop(hop) if hop.interface == index);
        self.objects.iter().filter(|(_, target)| on_link(target)).map(|(&id, _)| id).collect()
    }

    /// Removes objects, their membership in groups, and the groups that are left empty. Returns the ids of
    /// all that are gone, and whether any other group lost a member.
    pub fn remove(&mut self, mut ids: BTreeSet<u32>) -> (BTreeSet<u32>, bool) {
        ids.retain(|id| self.objects.remove(id).is_some());
        let mut shrunk = false;
        let mut empty = BTreeSet::new();
        for (&id, target) in &mut self.objects {
            let NexthopTarget::Group(members) = target else { continue };
            let before = members.len();
            members.retain(|(member, _)| !ids.contains(member));
            if members.is_empty() {
                empty.insert(id);
            } else if members.len() != before {
                shrunk = true;
            }
        }
        self.objects.retain(|id, _| !empty.contains(id));
        ids.append(&mut empty);
        (ids, shrunk)
    }

    /// Keeps the objects whose id `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        let missing = &mut self.missing;
        self.objects.retain(|&id, _| {
            let kept = keep(id);
            if !kept {
                missing.insert(id);
            }
            kept
        });
    }

    /// The ways of an object, those of a group with the group's weights; `None`: no such object.
    pub fn ways(&self, id: u32) -> Option<Ways> {
        Some(match self.objects.get(&id)? {
            NexthopTarget::Hop(hop) => Ways::Hops(vec![*hop]),
            NexthopTarget::Blackhole => Ways::Blackhole,
            NexthopTarget::Group(members) => {
                let mut hops = Vec::with_capacity(members.len());
                for &(member, weight) in members {
                    match self.objects.get(&member) {
                        Some(NexthopTarget::Hop(hop)) => hops.push(Hop { weight, ..*hop }),
                        // A blackhole is the only member of its group (`valid_group_nh`).
                        Some(NexthopTarget::Blackhole) => return Some(Ways::Blackhole),
                        // The kernel allows no group in a group. A member may be missing in the midst of a
                        // dump.
                        Some(NexthopTarget::Group(_)) | None => {}
                    }
                }
                Ways::Hops(hops)
            }
        })
    }
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ways {
    /// Nowhere.
    Blackhole,
    /// Here.
    Hops(Vec<Hop>),
}
