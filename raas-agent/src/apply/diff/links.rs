//! Which links to delete and to make.

use std::collections::BTreeSet;

use super::{Diff, settings::Wanted};
use crate::{
    apply::{Action, Link, LinkChange, LinkKind, LinkRef, mark},
    plan::{Desired, Place, VethPair, Vxlan},
};

/// UDP port of VXLAN (RFC 7348 section 5).
const VXLAN_PORT: u16 = 4789;

impl Diff<'_> {
    pub(super) fn links(&mut self) {
        self.delete_surplus();
        for pair in &self.desired.veths {
            self.veth(pair);
        }
        for vxlan in &self.desired.vxlans {
            let kept = self.keep_or_delete(&Place::Host, &vxlan.ifname, &vxlan.alias, vxlan.mac, |link| {
                is_vxlan(link, vxlan)
            });
            if !kept {
                self.create(Action::CreateVxlan(vxlan.clone()));
            }
        }
        for bridge in &self.desired.bridges {
            let kept = self.keep_or_delete(&Place::Host, &bridge.ifname, &bridge.alias, bridge.mac, |link| {
                matches!(link.kind, LinkKind::Bridge { .. })
            });
            if !kept {
                self.create(Action::CreateBridge(bridge.clone()));
            }
        }
        self.settings();
        self.adopt();
        self.release();
    }

    /// Links with our mark that nobody wants, also in namespaces that go: while something else holds such a
    /// namespace, its links would live on.
    fn delete_surplus(&mut self) {
        let wanted = wanted_names(self.desired);
        for (place, links) in &self.observed.links {
            for (ifname, link) in links {
                if ifname != "lo"
                    && let Some(name) = mark::name_of(link.alias.as_deref(), &self.desired.hypervisor)
                    && !wanted.contains(&(place, ifname.as_str()))
                {
                    let (place, name) = (place.clone(), name.to_owned());
                    self.actions.push(Action::DeleteLink(LinkRef { place, ifname: ifname.clone(), name }));
                }
            }
        }
    }

    fn veth(&mut self, pair: &VethPair) {
        let ends = [&pair.a, &pair.b];
        let observed = ends.map(|end| self.observed.links.get(&end.place)?.get(&end.ifname));
        let joined = matches!(observed, [Some(a), Some(b)] if are_joined(a, b));
        let mut kept = true;
        for end in ends {
            kept &= self.keep_or_delete(&end.place, &end.ifname, &end.alias, end.mac, |_| joined);
        }
        if !kept {
            self.create(Action::CreateVeth(pair.clone()));
        }
    }

    /// Whether there is a link that can stay as this one. If it is ours and cannot, it is deleted; if it is
    /// not ours, it is in the way.
    fn keep_or_delete(
        &mut self,
        place: &Place,
        ifname: &str,
        alias: &str,
        mac: [u8; 6],
        fits: impl Fn(&Link) -> bool,
    ) -> bool {
        let Some(link) = self.observed.links.get(place).and_then(|links| links.get(ifname)) else {
            return false;
        };
        let link_ref = LinkRef { place: place.clone(), ifname: ifname.to_owned(), name: self.name_of(alias) };
        // A link gets its mark one message after it is made. If the agent was killed in between, its name and
        // its MAC address, both hashes of its full name, still say whose it is.
        let unmarked_leftover = link.alias.is_none() && link.mac == Some(mac);
        if !self.is_ours(link.alias.as_deref()) && !unmarked_leftover {
            let reason = format!("an interface {ifname} exists that does not carry our mark; rename it");
            self.conflict(link_ref.object(), &link_ref.name, reason);
            return false;
        }
        let fits = fits(link);
        if !fits {
            self.actions.push(Action::DeleteLink(link_ref));
        }
        fits
    }

    /// The full name in an alias with our mark.
    pub(super) fn name_of(&self, alias: &str) -> String {
        mark::name_of(Some(alias), &self.desired.hypervisor).unwrap_or(alias).to_owned()
    }

    fn settings(&mut self) {
        let mut wanted = Vec::new();
        wanted.extend(self.desired.namespaces.iter().map(Wanted::loopback));
        for pair in &self.desired.veths {
            for end in [&pair.a, &pair.b] {
                let leased = self.desired.dhcp_clients.iter().any(|client| {
                    end.ifname == super::processes::CLIENT_INTERFACE
                        && end.place == Place::Namespace(client.netns.clone())
                });
                wanted.push(Wanted::veth_end(end, pair.mtu, leased));
            }
        }
        wanted.extend(self.desired.vxlans.iter().map(Wanted::vxlan));
        // After their ports: a bridge takes the smallest MTU of its ports until it is given one.
        wanted.extend(self.desired.bridges.iter().map(Wanted::bridge));
        for wanted in wanted {
            let fresh = self.is_fresh(&wanted.place, wanted.ifname);
            let observed = self.observed.links.get(&wanted.place).and_then(|links| links.get(wanted.ifname));
            let name = self.name_of(wanted.alias.unwrap_or(wanted.ifname));
            // A bridge that is made anew has lost its ports.
            let orphaned = wanted.master.flatten().is_some_and(|bridge| self.is_fresh(&Place::Host, bridge));
            let actions = wanted.compare(&name, observed.filter(|_| !fresh), orphaned);
            self.actions.extend(actions);
        }
    }

    /// Existing interfaces become ports of our bridges.
    fn adopt(&mut self) {
        for (ifname, bridge) in &self.desired.adopted {
            let host = self.observed.links.get(&Place::Host);
            let link_ref = LinkRef { place: Place::Host, ifname: ifname.clone(), name: ifname.clone() };
            let Some(link) = host.and_then(|links| links.get(ifname)) else {
                let reason = "there is no such interface; it becomes a port as soon as it exists".to_owned();
                self.conflict(link_ref.object(), ifname, reason);
                continue;
            };
            match &link.master {
                Some(master) if master == bridge && !self.is_fresh(&Place::Host, bridge) => {}
                Some(master) if !self.is_our_bridge(master) => {
                    let reason = format!("it is a port of {master}, which is not ours; release it there");
                    self.conflict(link_ref.object(), ifname, reason);
                    continue;
                }
                _ => {
                    let change = LinkChange { master: Some(Some(bridge.clone())), ..LinkChange::default() };
                    self.actions.push(Action::SetLink { link: link_ref.clone(), change });
                }
            }
            if !link.up {
                self.actions.push(Action::RaiseLink(link_ref));
            }
        }
    }

    /// A port of our bridge without our mark, and not desired: an interface that was adopted once. It leaves
    /// the bridge and stays otherwise as it is.
    fn release(&mut self) {
        let wanted = wanted_names(self.desired);
        for (ifname, link) in self.observed.links.get(&Place::Host).into_iter().flatten() {
            let is_port = link.master.as_deref().is_some_and(|master| self.is_our_bridge(master));
            let is_adopted = self.desired.adopted.contains_key(ifname);
            let is_made =
                self.is_ours(link.alias.as_deref()) || wanted.contains(&(&Place::Host, ifname.as_str()));
            if is_port && !is_adopted && !is_made {
                let link = LinkRef { place: Place::Host, ifname: ifname.clone(), name: ifname.clone() };
                self.actions.push(Action::ReleaseLink(link));
            }
        }
    }

    fn is_our_bridge(&self, ifname: &str) -> bool {
        let observed = self.observed.links.get(&Place::Host).and_then(|links| links.get(ifname));
        observed.is_some_and(|link| self.is_ours(link.alias.as_deref()))
    }
}

/// Names of the links that we make.
fn wanted_names(desired: &Desired) -> BTreeSet<(&Place, &str)> {
    let bridges = desired.bridges.iter().map(|bridge| (&Place::Host, bridge.ifname.as_str()));
    let vxlans = desired.vxlans.iter().map(|vxlan| (&Place::Host, vxlan.ifname.as_str()));
    let ends = desired.veths.iter().flat_map(|pair| [&pair.a, &pair.b]);
    bridges.chain(vxlans).chain(ends.map(|end| (&end.place, end.ifname.as_str()))).collect()
}

/// Whether two ends are each other's. (Indexes are unique within a namespace only, but both ends carry our
/// names.)
fn are_joined(a: &Link, b: &Link) -> bool {
    a.kind == (LinkKind::Veth { peer: Some(b.index) }) && b.kind == (LinkKind::Veth { peer: Some(a.index) })
}

/// None of these can be changed in place.
fn is_vxlan(link: &Link, wanted: &Vxlan) -> bool {
    let local = Some(wanted.local);
    let (remote, learning) = (wanted.vtep, wanted.vtep.is_some());
    let (vni, port) = (wanted.vni, VXLAN_PORT);
    link.kind == (LinkKind::Vxlan { vni, local, port, remote, learning, like_fast_path: true })
}
