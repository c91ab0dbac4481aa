//! The plain reference: routes in a map, longest-prefix match by trying them all.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    ops::Range,
};

use ipnet::Ipv4Net;
use proptest::prelude::*;
use raas_common::{Nexthop, NexthopKind};

use super::readers::Outcome;
use crate::fib::{Member, RouteAction, RouterId};

type Routes = BTreeMap<Ipv4Net, RouteAction>;

#[derive(Clone, Default)]
pub struct Reference {
    pub current: BTreeMap<u32, Routes>,
    pub next: BTreeMap<u32, Routes>,
}

/// One step of a test.
#[derive(Clone, Debug)]
pub enum Step {
    Set(RouterId, Ipv4Net, RouteAction),
    Withdraw(RouterId, Ipv4Net),
    BeginResync(RouterId),
    FinishResync(RouterId),
    Remove(RouterId),
    Reclaim,
}

impl Step {
    /// It may change what the router does with the address.
    pub fn touches(&self, router: u32, address: Ipv4Addr) -> bool {
        match self {
            Self::Set(of, prefix, _) | Self::Withdraw(of, prefix) => {
                of.get() == router && prefix.contains(&address)
            }
            Self::FinishResync(of) | Self::Remove(of) => of.get() == router,
            Self::BeginResync(_) | Self::Reclaim => false,
        }
    }
}

impl Reference {
    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Set(router, prefix, action) => {
                self.target(router.get()).insert(*prefix, action.clone());
            }
            Step::Withdraw(router, prefix) => {
                self.target(router.get()).remove(prefix);
            }
            Step::BeginResync(router) => {
                self.next.insert(router.get(), Routes::new());
            }
            Step::FinishResync(router) => {
                if let Some(next) = self.next.remove(&router.get()) {
                    self.current.insert(router.get(), next);
                }
            }
            Step::Remove(router) => {
                self.next.remove(&router.get());
                self.current.remove(&router.get());
            }
            Step::Reclaim => {}
        }
    }

    fn target(&mut self, router: u32) -> &mut Routes {
        self.next.get_mut(&router).unwrap_or_else(|| self.current.entry(router).or_default())
    }

    pub fn lookup(&self, router: u32, address: Ipv4Addr) -> Outcome {
        self.current
            .get(&router)
            .into_iter()
            .flatten()
            .filter(|(prefix, _)| prefix.contains(&address))
            .max_by_key(|(prefix, _)| prefix.prefix_len())
            .map_or([0].into(), |(_, action)| targets(action))
    }

    pub fn prefixes(&self) -> Vec<(RouterId, Ipv4Net)> {
        let routers = self.current.iter().chain(&self.next);
        routers.flat_map(|(&router, routes)| routes.keys().map(move |&prefix| (id(router), prefix))).collect()
    }
}

pub fn id(router: u32) -> RouterId {
    RouterId::new(router).unwrap()
}

/// By its number; its words tell which belong together.
pub fn nexthop(target: u32) -> Nexthop {
    Nexthop { kind: NexthopKind::ROUTER, target, mtu: 1500 + target, ..Nexthop::default() }
}

fn targets(action: &RouteAction) -> BTreeSet<u32> {
    match action {
        RouteAction::Nexthop(nexthop) => [nexthop.target].into(),
        RouteAction::Weighted(members) => {
            members.as_slice().iter().map(|member| member.nexthop.target).collect()
        }
    }
}

pub fn routers() -> impl Strategy<Value = RouterId> {
    (1..3_u32).prop_map(id)
}

/// Few different bytes, so that prefixes cover each other.
pub fn addresses() -> impl Strategy<Value = Ipv4Addr> {
    let octet = || prop::sample::select(vec![0, 1, 127, 128, 255_u8]);
    [octet(), octet(), octet(), octet()].prop_map(Ipv4Addr::from)
}

pub fn prefixes() -> impl Strategy<Value = Ipv4Net> {
    (addresses(), 0..=32_u8).prop_map(|(address, length)| Ipv4Net::new(address, length).unwrap().trunc())
}

pub fn actions() -> impl Strategy<Value = RouteAction> {
    numbered(1..7)
}

/// One nexthop of these numbers, or some.
pub fn numbered(numbers: Range<u32>) -> impl Strategy<Value = RouteAction> {
    let members = prop::collection::vec((numbers, 1..4_u32), 1..4);
    members.prop_map(|members| {
        let member = |(target, weight)| Member { nexthop: nexthop(target), weight };
        RouteAction::weighted(members.into_iter().map(member)).unwrap()
    })
}

/// Nodes below the root from which on a table is widened: at once, soon, never.
pub fn widths() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![1, 3, u16::MAX])
}

pub fn steps() -> impl Strategy<Value = Step> {
    steps_of(prefixes, actions())
}

/// Steps, with routes of these actions to these prefixes.
pub fn steps_of<P: Strategy<Value = Ipv4Net>>(
    prefixes: impl Fn() -> P,
    actions: impl Strategy<Value = RouteAction>,
) -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (routers(), prefixes(), actions).prop_map(|(r, prefix, action)| Step::Set(r, prefix, action)),
        6 => (routers(), prefixes()).prop_map(|(router, prefix)| Step::Withdraw(router, prefix)),
        1 => routers().prop_map(Step::BeginResync),
        1 => routers().prop_map(Step::FinishResync),
        1 => routers().prop_map(Step::Remove),
        2 => Just(Step::Reclaim),
    ]
}
