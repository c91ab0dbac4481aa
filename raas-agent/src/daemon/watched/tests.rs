use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use tokio::{sync::mpsc, time::timeout};

use super::*;
use crate::{
    learn::{Batch, Event},
    platform::monitor::tests::Netns,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// The generation of the next dump of a namespace other than the hypervisor's.
async fn dump(batches: &mut mpsc::Receiver<Batch>) -> u64 {
    let next = async {
        loop {
            let batch = batches.recv().await.unwrap();
            if batch.place != Place::Host && batch.events.contains(&Event::ResyncBegin) {
                return batch.generation;
            }
        }
    };
    timeout(DEADLINE, next).await.unwrap()
}

fn topology(names: &[&str]) -> Topology {
    let mut topology = crate::learn::tests::topology();
    topology.routers.truncate(names.len());
    for (router, name) in topology.routers.iter_mut().zip(names) {
        router.netns = (*name).to_owned();
    }
    topology
}

#[tokio::test]
async fn a_router_that_comes_back_is_dumped_again() {
    let netns = Netns::new();
    let (sender, mut batches) = mpsc::channel(64);
    let mut watched = Watched::new(Monitor::new(sender, 1 << 20));
    assert!(watched.follow(&topology(&[&netns.name])).await.is_empty());
    let first = dump(&mut batches).await;
    // Removed and restored before anything was applied: nothing has followed in between.
    watched.retain(&topology(&[]));
    watched.retain(&topology(&[&netns.name]));
    assert!(watched.follow(&topology(&[&netns.name])).await.is_empty());
    assert!(dump(&mut batches).await > first);
    assert_eq!(watched.ended(), None);
}

/// A named namespace that is none of the network.
struct NotNetns {
    name: String,
}

impl NotNetns {
    fn new() -> Self {
        let name = format!("raas-test-watched-{}", std::process::id());
        let path = format!("/run/netns/{name}");
        std::fs::write(&path, "").unwrap();
        let bind = Some("/proc/self/ns/uts");
        mount(bind, path.as_str(), None::<&str>, MsFlags::MS_BIND, None::<&str>).unwrap();
        Self { name }
    }
}

impl Drop for NotNetns {
    fn drop(&mut self) {
        let path = format!("/run/netns/{}", self.name);
        let _ = umount2(path.as_str(), MntFlags::MNT_DETACH);
        drop(std::fs::remove_file(path));
    }
}

#[tokio::test]
async fn one_namespace_that_cannot_be_watched_keeps_no_other_from_being_watched() {
    let netns = Netns::new();
    let (sender, mut batches) = mpsc::channel(64);
    let mut watched = Watched::new(Monitor::new(sender, 1 << 20));
    let other = NotNetns::new();
    let errors = watched.follow(&topology(&[&other.name, &netns.name])).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    dump(&mut batches).await;
}
