//! Counters, the FIB's memory, outer headers, and grace periods.

use raas_common::{Encap, Exit, Nexthop, NexthopKind, Port, PortKind, Router, TunnelKind};

use super::*;
use crate::exact::{Words as _, length};
use crate::fib::{Fib, Grace, RouterId, TrieMemory as _, lookup};

#[test]
fn counters_are_summed_and_cleared() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 9, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();
        fast_path.attach("port", Hook::Tc).unwrap();
        assert_counts(&maps, 9);
        detach_all(pins).unwrap();
        maps.counters.clear(9).unwrap();
        assert_eq!(packets(&maps, 9), 0);
        assert!(maps.counters.get(1 << 20, Exit::ROUTED_PORT).is_err());
    });
}

#[test]
fn a_new_agent_takes_the_live_fib_over() {
    isolated(|pins| {
        load(pins);
        let router = RouterId::new(1).unwrap();
        let route =
            |target| Nexthop { kind: NexthopKind::ROUTER, target, mtu: 1500, ..Nexthop::default() }.into();
        let (inside, outside) = ("198.51.100.7".parse().unwrap(), "203.0.113.1".parse().unwrap());
        let mut first = Fib::new(FibMemory::open(pins).unwrap(), Membarrier).unwrap();
        first.apply(router, "198.51.100.0/24".parse().unwrap(), Some(&route(2))).unwrap();
        let old = lookup(first.memory(), 1, inside);
        first.memory().set_seed(router, 0x5eed);
        drop(first);

        let mut second = Fib::take_over(FibMemory::open(pins).unwrap(), Membarrier).unwrap();
        second.apply(router, "0.0.0.0/0".parse().unwrap(), Some(&route(3))).unwrap();
        assert_eq!(lookup(second.memory(), 1, inside), old, "unchanged until committed");
        second.commit_takeover();
        second.reclaim().unwrap();
        let new = lookup(second.memory(), 1, outside);
        assert!(new.is_leaf() && new != old);
        assert_eq!(lookup(second.memory(), 1, inside), new);
        let routers = Mapped::open(&pins.map("ROUTERS")).unwrap();
        let root = second.memory().root(1);
        assert_eq!(
            routers.read::<Router>(length::<Router>()),
            Router { root, seed: 0x5eed },
            "publishing leaves the seed alone"
        );
        assert_eq!((second.counts().nodes.used, second.counts().nodes.quarantined), (1, 0));
    });
}

#[test]
fn outer_headers_flip_between_two_copies() {
    #[derive(Default)]
    struct Counting(std::rc::Rc<std::cell::Cell<u32>>);
    impl Grace for Counting {
        fn wait(&mut self) -> std::io::Result<()> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }
    isolated(|pins| {
        load(pins);
        let waits = std::rc::Rc::default();
        let mut encaps = Encaps::open(pins, Counting(std::rc::Rc::clone(&waits))).unwrap();
        let encap = |egress| Encap {
            egress,
            kind: TunnelKind::GRE,
            len: 38,
            checksum: 0x1_2345,
            scope: 4,
            header: std::array::from_fn(|byte| byte as u8),
        };
        assert_eq!(encaps.get(1).unwrap(), Encap::default());
        for egress in [1, 2, 3] {
            assert!(encaps.set(1, &encap(egress)).unwrap());
            assert_eq!(encaps.get(1).unwrap(), encap(egress));
        }
        assert!(!encaps.set(1, &encap(3)).unwrap());
        assert_eq!(waits.get(), 3, "one for what was before, one before each rewrite");
        encaps.set(2, &encap(2)).unwrap();
        assert_eq!(waits.get(), 3, "another tunnel needs no wait");
        assert!(encaps.set(0, &encap(1)).is_err());
    });
}

#[test]
fn membarrier_works_here() {
    Membarrier.wait().unwrap();
}
