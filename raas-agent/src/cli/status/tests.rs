//! What people and programs read.

use super::{collect::router_status, *};
use crate::{
    learn::tests::topology,
    plan,
    platform::process::frr::Sessions,
    report::{AgentReport, RouterReport},
};

fn status(routers: Vec<RouterStatus>) -> Status {
    Status {
        hypervisor: "h1".to_owned(),
        fast_path: "on",
        agent: "running",
        evpn: Vec::new(),
        routers,
        tunnels: Vec::new(),
        ports: Vec::new(),
        fib_nodes_used: 255,
        fib_nodes: 255,
        nexthops_used: 7,
        nexthops: 16383,
        groups_used: 2,
        groups: 4095,
        resynchronisations: 0,
        repairs: Repairs::default(),
        failing: None,
        share: None,
        faults: vec!["3 routes of t/s1 do not fit".to_owned()],
    }
}

#[test]
fn routers_whose_routes_do_not_fit_show() {
    let short = [("t/web", 2, false), ("t/s1", 3, true)];
    let tables =
        short.map(|(name, waiting, held)| (name.to_owned(), RouterReport { routes: 9, waiting, held }));
    let report = AgentReport { routers: tables.into(), ..AgentReport::default() };
    let mut routers = topology().routers;
    routers.push(plan::Router { name: "t/s2".to_owned(), ..routers[1].clone() });
    let routers = routers.iter().map(|router| router_status(router, &report, &mut Sessions::new()));
    let mut status = status(routers.collect());
    status.repairs.add(vec!["the fast path's FDB: 2 entries differed".to_owned()]);

    let text = Text(&status).to_string();
    let line = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().trim_end();
    assert!(line("t/web ").ends_with("2 without room"), "{text}");
    assert!(line("t/s1 ").ends_with("all: 3 without room"), "{text}");
    assert!(line("t/s2 ").ends_with(" -"), "{text}");
    assert_eq!(
        line("FIB:"),
        "FIB: 255 of 255 nodes, 7 of 16383 nexthops and 2 of 4095 groups in use, 0 resynchronisations"
    );
    let repairs = line("repairs:");
    assert!(repairs.starts_with("repairs: 1 steps; the last, "), "{text}");
    assert!(repairs.ends_with(" ago: the fast path's FDB: 2 entries differed"), "{text}");
    assert_eq!(text.lines().last(), Some("fault: 3 routes of t/s1 do not fit"));

    let json = serde_json::to_value(&status).unwrap();
    let spine = json["routers"].as_array().unwrap().iter().find(|router| router["name"] == "t/s1").unwrap();
    assert_eq!((&spine["waiting"], &spine["held"]), (&3.into(), &true.into()));
    assert_eq!((&json["nexthops"], &json["groups_used"]), (&16383.into(), &2.into()));
}
