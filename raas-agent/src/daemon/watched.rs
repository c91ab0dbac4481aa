//! The namespaces under watch: those of the topology, as far as they exist, each as the namespace that it is now.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

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

    /// Watches the hypervisor's own namespace and those of the topology's routers that exist; lets go of all others. A failure
    /// leaves the rest to the next call.
    pub async fn follow(&mut self, topology: &Topology) -> Result<()> {
        let routers = topology.routers.iter().map(|router| Place::Namespace(router.netns.clone()));
        let wanted: Vec<_> = std::iter::once(Place::Host).chain(routers).collect();
        let gone: Vec<_> = self.monitor.places().filter(|place| !wanted.contains(place)).cloned().collect();
        for place in gone {
            self.forget(&place);
        }
        for place in wanted {
            self.follow_one(&place).await.with_context(|| format!("watching {place:?}"))?;
        }
        Ok(())
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
