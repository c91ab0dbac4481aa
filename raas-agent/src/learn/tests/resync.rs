//! Dumps, and notifications among them.

use super::*;

const PREFIX: &str = "198.18.0.0/24";
const VIA: &str = "169.254.0.1";

fn there() -> Object {
    Object::Route(route(PREFIX, &[(VIA, TO_WEB, 1)]))
}

fn links() -> [Event; 2] {
    [Event::Dumped(link(TO_WEB, "web")), Event::Dumped(link(TO_PEER, "peer"))]
}

#[test]
fn nothing_is_said_of_a_namespace_before_its_first_dump_is_complete() {
    let mut learner = Learner::default();
    learner.set_topology(topology());
    let mut net = Net { learner };
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Dumped(there()), Event::ResyncEnd]);
    assert!(net.compile().is_empty(), "the hypervisor's is missing");
    net.dump(Place::Host, [link(UPLINK, "uplink0")]);
    let changes = net.compile();
    assert_eq!(changes.routers.keys().copied().collect::<Vec<_>>(), [SPINE], "the leaf's is missing");
    assert!(changes.tables.is_some() && !net.learner.synchronised());
    net.dump(leaf(), []);
    assert!(net.learner.synchronised());
}

#[test]
fn what_a_new_dump_does_not_show_is_gone() {
    let mut net = Net::new();
    net.add(spine(), there());
    net.add(spine(), route("198.18.1.0/24", &[(VIA, TO_WEB, 1)]));
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    assert!(net.action(SPINE, PREFIX).is_some(), "as long as the dump goes on, what was known stays");
    net.events(spine(), [Event::Dumped(there()), Event::ResyncEnd]);
    assert!(net.action(SPINE, PREFIX).is_some());
    assert_eq!(net.action(SPINE, "198.18.1.0/24"), None);
}

#[test]
fn a_notification_beats_the_dump_whatever_their_order() {
    let mut net = Net::new();
    net.add(spine(), there());
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Removed(there()), Event::Dumped(there()), Event::ResyncEnd]);
    assert_eq!(net.action(SPINE, PREFIX), None, "removed while the dump was under way");
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Dumped(there()), Event::Removed(there()), Event::Dumped(there())]);
    net.events(spine(), [Event::ResyncEnd]);
    assert_eq!(net.action(SPINE, PREFIX), None, "removed between two tries of a dump");
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Added(there(), Placement::Prepend), Event::ResyncEnd]);
    assert!(net.action(SPINE, PREFIX).is_some(), "added behind the dump's back");
}

#[test]
fn what_was_replaced_while_deaf_does_not_outlive_the_removal_of_its_replacement() {
    let mut net = Net::new();
    let replacement = Object::Route(route(PREFIX, &[(VIA, TO_PEER, 1)]));
    net.add(spine(), there());
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Removed(replacement), Event::ResyncEnd]);
    assert_eq!(net.action(SPINE, PREFIX), None);
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net.events(Place::Host, [Event::ResyncBegin]);
    net.events(Place::Host, host_links().map(Event::Dumped));
    net.events(Place::Host, [Event::Removed(behind_port(mac(0x50), PORT2).into()), Event::ResyncEnd]);
    net.compile();
    assert!(net.learner.tables().fdb.is_empty(), "moved and removed");
}

#[test]
fn a_dump_lists_equal_routes_in_the_kernels_order() {
    let mut net = Net::new();
    let second = Object::Route(route(PREFIX, &[(VIA, TO_PEER, 1)]));
    net.add(spine(), second.clone());
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.events(spine(), [Event::Dumped(there()), Event::Dumped(second), Event::ResyncEnd]);
    assert_eq!(net.action(SPINE, PREFIX), single(to_router(LEAF)));
}

#[test]
fn a_dump_taken_between_a_link_going_down_and_its_flush_brings_nothing_back() {
    let mut net = Net::new();
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.add(spine(), Link { up: false, carrier: false, ..a_link(TO_WEB, "web") });
    net.events(spine(), [Event::Dumped(there()), Event::ResyncEnd]);
    net.add(spine(), a_link(TO_WEB, "web"));
    assert_eq!(net.action(SPINE, PREFIX), None);
}

#[test]
fn a_dead_route_in_a_dump_takes_the_place_of_what_was_known() {
    let mut net = Net::new();
    net.add(spine(), there());
    net.events(spine(), [Event::ResyncBegin]);
    net.events(spine(), links());
    net.add(spine(), Link { up: false, carrier: false, ..a_link(TO_PEER, "peer") });
    let dead = Object::Route(route(PREFIX, &[(VIA, TO_PEER, 1)]));
    net.events(spine(), [Event::Dumped(dead), Event::ResyncEnd]);
    assert_eq!(net.action(SPINE, PREFIX), None, "replaced by the dead one while deaf");
}

#[test]
fn a_namespace_made_anew_starts_from_nothing_and_the_old_one_is_not_heard() {
    let mut net = Net::new();
    net.add(spine(), there());
    assert!(net.action(SPINE, PREFIX).is_some());
    let batch = |generation, events| Batch { place: spine(), generation, events };
    net.learner.apply(batch(2, vec![Event::ResyncBegin]));
    assert!(
        net.action(SPINE, PREFIX).is_some(),
        "the fast path keeps what it has until the dump is complete"
    );
    net.learner.apply(batch(1, vec![Event::Added(there(), Placement::Replace)]));
    net.learner.apply(batch(2, vec![Event::Dumped(link(TO_WEB, "web")), Event::ResyncEnd]));
    assert_eq!(net.action(SPINE, PREFIX), None);
}
