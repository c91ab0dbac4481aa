//! The order of a plan. Pure: needs no privileges.

use std::collections::BTreeSet;

use raas_agent::{
    apply::{Object, Observed, diff},
    plan::{Desired, Place},
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
fn a_namespace_goes_after_frr_has_let_go_of_it() {
    let wanted = Desired { frr: "router bgp 65001\n".into(), ..network_with_dhcp() };
    let mut observed = Observed::default();
    observed.namespaces.insert("raas-old".into(), Some("raas:h1:old".into()));
    observed.namespaces.insert("raas-foreign".into(), Some("raas:h2:old".into()));
    observed.namespaces.insert("raas-nobodys".into(), None);
    let actions = text(&diff(&wanted, &observed).actions);
    let last = ["load the configuration of FRR", "delete namespace old (raas-old)"];
    assert_eq!(actions[actions.len() - 2..], last);
}
