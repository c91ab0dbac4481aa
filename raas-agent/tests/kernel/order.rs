//! The order of a plan. Pure: needs no privileges.

use std::collections::BTreeSet;

use raas_agent::{
    apply::{Action, Object, Observed, diff},
    plan::Place,
};

use crate::{lab::text, sample::network_with_dhcp};

#[test]
fn every_step_comes_after_what_it_needs() {
    let plan = diff(&network_with_dhcp(), &Observed::default());
    let mut exist = BTreeSet::from([Object::Place(Place::Host)]);
    for action in &plan.actions {
        for needed in action.needs() {
            let is_loopback = matches!(&needed, Object::Link(_, ifname) if ifname == "lo");
            assert!(is_loopback || exist.contains(&needed), "{action} before {needed:?}");
        }
        exist.extend(action.makes());
    }
}

#[test]
fn removals_come_before_creations() {
    let before = network_with_dhcp();
    let mut observed = Observed::default();
    observed.namespaces.insert("raas-old".into(), Some("raas:h1:old".into()));
    observed.namespaces.insert("raas-foreign".into(), Some("raas:h2:old".into()));
    observed.namespaces.insert("raas-nobodys".into(), None);
    let actions = diff(&before, &observed).actions;
    assert_eq!(text(&actions[..1]), ["delete namespace old (raas-old)"]);
    assert!(matches!(actions[1], Action::CreateNamespace { .. }));
}
