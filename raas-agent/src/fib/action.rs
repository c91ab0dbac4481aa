//! What a route does: one nexthop, or a weighted set of them.

use raas_common::{Mac, Nexthop, NexthopKind};

/// A member of a weighted set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where its share of the flows goes.
    pub nexthop: Nexthop,
    /// Its share, relative to the others'; not 0.
    pub weight: u32,
}

/// What a route does with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteAction {
    /// One nexthop takes all.
    Nexthop(Nexthop),
    /// Two or more nexthops share the flows. Made by [`RouteAction::weighted`].
    Weighted(Members),
}

/// Two or more members, without duplicates, in an order that does not depend on how they were learned: the
/// same set gives the same buckets on every start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members(Box<[Member]>);

impl Members {
    /// The members.
    pub fn as_slice(&self) -> &[Member] {
        &self.0
    }
}

impl RouteAction {
    /// Leave it to the kernel.
    pub const PUNT: Self = Self::Nexthop(Nexthop {
        kind: NexthopKind::PUNT,
        target: 0,
        mtu: 0,
        flags: 0,
        destination: Mac::new([0; 6]),
        source: Mac::new([0; 6]),
        pad: 0,
    });

    /// Discard.
    pub fn blackhole() -> Self {
        Self::Nexthop(Nexthop { kind: NexthopKind::BLACKHOLE, ..Nexthop::default() })
    }

    /// Shares flows by weight. Members without weight are dropped, equal nexthops are merged; a set of one is
    /// that nexthop. `None` when nobody is left.
    pub fn weighted(members: impl IntoIterator<Item = Member>) -> Option<Self> {
        let mut members: Vec<_> = members.into_iter().filter(|member| member.weight > 0).collect();
        members.sort_by_key(|member| {
            let n = member.nexthop;
            (n.kind, n.target, n.destination, n.source, n.mtu, n.flags, n.pad)
        });
        members.dedup_by(|next, kept| {
            let equal = next.nexthop == kept.nexthop;
            if equal {
                kept.weight = kept.weight.saturating_add(next.weight);
            }
            equal
        });
        match members.as_slice() {
            [] => None,
            [only] => Some(Self::Nexthop(only.nexthop)),
            _ => Some(Self::Weighted(Members(members.into_boxed_slice()))),
        }
    }
}

impl From<Nexthop> for RouteAction {
    fn from(nexthop: Nexthop) -> Self {
        Self::Nexthop(nexthop)
    }
}
