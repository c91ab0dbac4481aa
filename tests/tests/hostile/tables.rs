//! The corpus as it stands, in every state of the switch and the device map, and over the wire.

use crate::{
    corpus::{Seed, corpus},
    judge::{Judge, name},
    model::{Hop, Place, Role, Tenant, World},
    network::network,
    oracle::{Devices, Fate, Hook, Input, predict},
    rig::with_rig,
};

/// What a packet of the corpus is to the program when nothing else is odd.
pub fn input(world: &World, hook: Hook, seed: &Seed) -> Input {
    Input::plain(hook, world.named(seed.ingress).index, seed.frame.clone())
}

/// Collects what `check` finds on both hooks.
pub fn on_both_hooks(check: impl Fn(&mut Judge<'_>) -> Vec<String> + Sync) {
    let mut failures = Vec::new();
    for hook in [Hook::Xdp, Hook::Tc] {
        let found = with_rig(hook, |rig| {
            let mut judge = Judge::new(rig);
            let mut found = check(&mut judge);
            found.extend(judge.sweep().err());
            found
        });
        // The first few tell as much as all.
        failures.extend(found.into_iter().take(5).map(|failure| format!("{hook:?}: {failure}")));
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_packet_of_the_corpus_takes_the_exit_that_it_is_for() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in corpus() {
            let input = input(&judge.rig.world, judge.rig.hook, &seed);
            let exit = predict(&judge.rig.world, &input)[0].counts[0].1;
            if exit != seed.exit {
                failures.push(format!("{}: the oracle says {}", seed.name, name(exit)));
            }
            failures.extend(judge.test_run(&input).err().map(|failure| format!("{}: {failure}", seed.name)));
        }
        failures
    });
}

#[test]
fn every_packet_of_the_corpus_leaves_where_it_has_to() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in corpus() {
            let input = input(&judge.rig.world, judge.rig.hook, &seed);
            failures
                .extend(judge.over_the_wire(&input).err().map(|failure| format!("{}: {failure}", seed.name)));
        }
        failures
    });
}

/// Switched off, peers are checked and GRE goes on; nothing else leaves.
#[test]
fn the_corpus_while_the_fast_path_is_off() {
    on_both_hooks(|judge| {
        let off = |seed: &Seed| Input { fast_path: false, ..input(&judge.rig.world, judge.rig.hook, seed) };
        let inputs: Vec<Input> = corpus().iter().map(off).collect();
        inputs.iter().filter_map(|input| judge.test_run(input).err()).map(|f| f.to_string()).collect()
    });
}

/// With nothing in the device map but the interface that a packet has to leave by, and with all but that. TC
/// has no such map.
#[test]
fn the_corpus_with_other_device_maps() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        if judge.rig.hook == Hook::Tc {
            return failures;
        }
        for seed in corpus() {
            let input = input(&judge.rig.world, judge.rig.hook, &seed);
            for outcome in predict(&judge.rig.world, &input) {
                let Fate::Sent(sent) = outcome.fate else { continue };
                for devices in [Devices::Only(sent.egress), Devices::AllBut(sent.egress)] {
                    let result = judge.test_run(&Input { devices, ..input.clone() });
                    failures.extend(result.err().map(|failure| failure.to_string()));
                }
            }
        }
        failures
    });
}

/// The lists themselves lead from no tenant to another: otherwise the oracle would allow it.
#[test]
fn the_network_keeps_its_tenants_apart() {
    let world = network();
    let interface = |index| match world.interface(index).expect("an interface").role {
        Role::Endpoint(domain) => world.domain(domain).tenant,
        role => panic!("{role:?} is nobody's port"),
    };
    let place = |place| match place {
        Place::Port { interface: index, .. } => interface(index),
        Place::Vxlan(tunnel) => world.tunnel(tunnel).tenant,
    };
    let hop = |router: Tenant, hop: &Hop| match *hop {
        Hop::Kernel | Hop::Blackhole => router,
        Hop::Router { router, .. } => world.router(router).tenant,
        Hop::Neighbour { place: at, .. } => place(at),
        Hop::Gre { tunnel, .. } => world.tunnel(tunnel).tenant,
    };
    for router in &world.routers {
        for next in router.routes.iter().flat_map(|route| &route.hops) {
            assert_eq!(hop(router.tenant, next), router.tenant, "router {}", router.id);
        }
    }
    for domain in &world.domains {
        let gateway = domain.gateway.iter().map(|gateway| world.router(gateway.router).tenant);
        for tenant in domain.stations.iter().map(|station| place(station.place)).chain(gateway) {
            assert_eq!(tenant, domain.tenant, "domain {}", domain.id);
        }
    }
    for tunnel in &world.tunnels {
        let owner = if tunnel.is_vxlan() {
            world.domain(tunnel.owner).tenant
        } else {
            world.router(tunnel.owner).tenant
        };
        assert_eq!(owner, tunnel.tenant, "tunnel {}", tunnel.id);
    }
}
