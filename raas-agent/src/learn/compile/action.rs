//! What a route does, in the fast path's terms.

use std::collections::BTreeMap;

use raas_common::{Nexthop, NexthopKind};

/// What a route does: one nexthop, or several with weights.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteAction {
    /// One nexthop.
    Single(Nexthop),
    /// At least two different nexthops, each with its share of flows (at least 1), in a stable order.
    Weighted(Vec<(Nexthop, u32)>),
}

impl RouteAction {
    /// Leave it to the kernel.
    pub const PUNT: Self = Self::Single(Nexthop {
        kind: NexthopKind::PUNT,
        target: 0,
        mtu: 0,
        flags: 0,
        destination: raas_common::Mac::new([0; 6]),
        source: raas_common::Mac::new([0; 6]),
        pad: 0,
    });

    /// Discard.
    pub fn blackhole() -> Self {
        Self::Single(Nexthop { kind: NexthopKind::BLACKHOLE, ..Nexthop::default() })
    }

    /// From nexthops and their weights: equal ones are joined, the order does not matter. `None`: there is
    /// none.
    pub fn from_members(members: impl IntoIterator<Item = (Nexthop, u32)>) -> Option<Self> {
        let mut joined: BTreeMap<_, (Nexthop, u32)> = BTreeMap::new();
        for (nexthop, weight) in members {
            let entry = joined.entry(order(&nexthop)).or_insert((nexthop, 0));
            entry.1 = entry.1.saturating_add(weight);
        }
        let members: Vec<_> = joined.into_values().collect();
        match members.as_slice() {
            [] => None,
            [(only, _)] => Some(Self::Single(*only)),
            _ => Some(Self::Weighted(members)),
        }
    }
}

/// All fields but the padding, as something with an order.
fn order(nexthop: &Nexthop) -> impl Ord + use<> {
    let Nexthop { kind, target, mtu, flags, destination, source, pad: _ } = *nexthop;
    (kind, target, mtu, flags, destination, source)
}
