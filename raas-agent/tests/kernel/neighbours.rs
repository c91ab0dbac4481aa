//! Neighbours and FDB entries that are kept alive.

use std::time::Duration;

use raas_agent::{
    plan::Place,
    platform::{
        ifreq,
        netlink::neighbour::{forget, manage, seen},
    },
};

use crate::{
    lab::{self, Lab, shell, try_shell},
    sample::network,
};

#[test]
fn a_managed_neighbour_is_resolved_and_stays() {
    lab::hypervisor(|mut lab| async move {
        lab.reconcile(&network()).await;
        let leaf = lab.kernel.places().get(&Place::Namespace("raas-acme-leaf".into())).unwrap();
        let bridge = ifreq::index(leaf.control(), "bridge").unwrap();
        let endpoint = [198, 18, 0, 10].into();
        manage(leaf.netlink(), bridge, endpoint).await.unwrap();
        Lab::eventually("the neighbour is resolved", Duration::from_secs(10), || {
            let neighbour = try_shell("ip -n raas-acme-leaf neighbour show 198.18.0.10").1;
            neighbour.contains("managed") && neighbour.contains("02:aa:00:00:00:04")
        })
        .await;
        forget(leaf.netlink(), bridge, endpoint).await.unwrap();
        forget(leaf.netlink(), bridge, endpoint).await.unwrap();
        assert!(!shell("ip -n raas-acme-leaf neighbour show 198.18.0.10").contains("managed"));
        lab
    });
}

#[test]
fn a_station_in_use_does_not_age() {
    lab::hypervisor(|mut lab| async move {
        lab.reconcile(&network()).await;
        let host = lab.kernel.places().host();
        let port = ifreq::index(host.control(), "rp0").unwrap();
        seen(host.netlink(), port, [2, 0xaa, 0, 0, 0, 4]).await.unwrap();
        let entry = shell("bridge -s fdb show dev rp0 | grep 02:aa:00:00:00:04");
        assert!(entry.contains("used") && !entry.contains("permanent"), "{entry}");
        lab
    });
}
