//! What the command line knows of this hypervisor: the manifest, the pinned maps, the kernel's interfaces.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::{
    apply::Link,
    cli::scopes::scopes,
    plan::{Desired, Domain, Router, Tunnel},
    platform::{
        Paths,
        bpf::{Attachment, Encaps, Membarrier, PinnedMaps, Pins, attachments},
        netlink::read,
        netns::{self, OpenNetns},
        state,
    },
};

/// This hypervisor.
pub struct World {
    pub manifest: Desired,
    pub pins: Pins,
    pub maps: PinnedMaps,
    pub encaps: Encaps<Membarrier>,
    pub attachments: Vec<Attachment>,
    /// Interfaces of the hypervisor's own namespace, by name.
    pub links: BTreeMap<String, Link>,
    /// Counter scopes: name and kind.
    pub scopes: BTreeMap<u32, (String, &'static str)>,
}

impl World {
    /// Opens everything.
    pub async fn open(paths: &Paths) -> Result<Self> {
        let manifest = state::manifest(paths)?;
        let pins = Pins::new(&paths.pin);
        let host = OpenNetns::new(netns::current().context("opening this network namespace")?).await?;
        Ok(Self {
            scopes: scopes(&manifest.topology),
            maps: PinnedMaps::open(&pins)?,
            encaps: Encaps::open(&pins, Membarrier)?,
            attachments: attachments(&pins)?,
            links: read::links(host.netlink()).await.context("reading interfaces")?,
            manifest,
            pins,
        })
    }

    /// A namespace of ours.
    pub async fn enter(&self, netns: &str) -> Result<OpenNetns> {
        let fd = netns::open(netns)?.with_context(|| {
            format!("{} is missing; the agent, if it runs, rebuilds it", netns::path(netns).display())
        })?;
        OpenNetns::new(fd).await
    }

    /// A router by its id.
    pub fn router(&self, id: u32) -> Option<&Router> {
        self.manifest.topology.routers.iter().find(|router| router.id == id)
    }

    /// A bridge domain by its id.
    pub fn domain(&self, id: u32) -> Option<&Domain> {
        self.manifest.topology.domains.iter().find(|domain| domain.id == id)
    }

    /// A tunnel for which `wanted` holds.
    pub fn tunnel(&self, wanted: impl Fn(&Tunnel) -> bool) -> Option<&Tunnel> {
        self.manifest.topology.tunnels.iter().find(|tunnel| wanted(tunnel))
    }

    /// Name of an interface of the hypervisor's own namespace, as the kernel has it.
    pub fn interface(&self, index: u32) -> Option<&str> {
        self.links.iter().find(|(_, link)| link.index == index).map(|(name, _)| name.as_str())
    }

    /// What an interface is to us: the full name of a port, or else the kernel's name.
    pub fn port(&self, index: u32) -> String {
        let Some(interface) = self.interface(index) else {
            return format!("interface {index}, which is gone");
        };
        let port = self.manifest.topology.ports.iter().find(|port| port.ifname == interface);
        port.map_or(interface, |port| &port.name).to_owned()
    }

    /// Name of a counter scope.
    pub fn scope(&self, id: u32) -> String {
        self.scopes.get(&id).map_or_else(|| format!("scope {id}"), |(name, _)| name.clone())
    }
}
