//! The namespaces under watch: those of the topology, as far as they exist, each as the namespace that it is
//! now.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Error, Result};

use crate::{
    learn::Request,
    plan::{Place, Topology},
    platform::{
        monitor::Monitor,
        netns::{self, Identity},
    },
};

/// Watches namespaces, and notices when one was made anew under its old name.
pub struct Watched {
    monitor: Monitor,
    identities: BTreeMap<Place, Identity>,
}

impl Watched {
    /// Watches nothing yet.
    pub fn new(monitor: Monitor) -> Self {
        Self { monitor, identities: BTreeMap::new() }
    }

    /// Lets go of namespaces that the topology does not name. To be called whenever it changes: one that
    /// comes back later is watched from the beginning.
    pub fn retain(&mut self, topology: &Topology) {
        let wanted: BTreeSet<_> = wanted(topology).collect();
        let gone: Vec<_> = self.monitor.places().filter(|place| !wanted.contains(place)).cloned().collect();
        for place in gone {
            self.forget(&place);
        }
    }

    /// Watches the hypervisor's own namespace and those of the topology's routers that exist; lets go of all
    /// others. Returns what went wrong: the next call tries those again.
    pub async fn follow(&mut self, topology: &Topology) -> Vec<Error> {
        self.retain(topology);
        let mut errors = Vec::new();
        for place in wanted(topology) {
            let result = self.follow_one(&place).await;
            errors.extend(result.with_context(|| format!("watching {place:?}")).err());
        }
        errors
    }

    /// A namespace whose watch has ended, as none should.
    pub fn ended(&self) -> Option<&Place> {
        self.monitor.ended()
    }

    async fn follow_one(&mut self, place: &Place) -> Result<()> {
        let netns = match place {
            Place::Host => Some(netns::current()?),
            Place::Namespace(name) => netns::open(name)?,
        };
        let Some(netns) = netns else {
            self.forget(place);
            return Ok(());
        };
        let identity = Identity::of_fd(&netns)?;
        if self.identities.get(place) != Some(&identity) {
            self.monitor.watch(place.clone(), &netns).await?;
            self.identities.insert(place.clone(), identity);
        }
        Ok(())
    }

    fn forget(&mut self, place: &Place) {
        self.monitor.forget(place);
        self.identities.remove(place);
    }

    /// Asks the kernels for keep-alives.
    pub fn request(&mut self, requests: &[Request]) {
        self.monitor.request(requests);
    }
}

/// The namespaces that are to be watched.
fn wanted(topology: &Topology) -> impl Iterator<Item = Place> {
    let routers = topology.routers.iter().map(|router| Place::Namespace(router.netns.clone()));
    std::iter::once(Place::Host).chain(routers)
}

#[cfg(test)]
mod tests;
