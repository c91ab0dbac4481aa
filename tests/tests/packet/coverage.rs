//! Every exit has a case.

use std::collections::BTreeSet;

use raas_common::Exit;

use crate::{bridge, case::Case, gre, gso, route, slow_path, uplink, vxlan};

/// All tables.
pub fn tables() -> [Vec<Case>; 7] {
    [
        bridge::cases(),
        route::cases(),
        gre::cases(),
        vxlan::cases(),
        uplink::cases(),
        slow_path::cases(),
        gso::cases(),
    ]
}

#[test]
fn every_exit_has_a_case() {
    let tables = tables();
    let covered: BTreeSet<Exit> =
        tables.iter().flatten().flat_map(|case| &case.counts).map(|&(_, exit)| exit).collect();
    let missing: Vec<&str> =
        Exit::ALL.iter().filter(|(exit, _)| !covered.contains(exit)).map(|&(_, name)| name).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}
