//! The validated network: what the configuration means, once every check has passed.
//!
//! Values here are correct by construction of [`crate::config`]: names are legal and unique, references
//! resolve, prefixes do not overlap within a tenant. Nothing here knows of files, namespaces or BPF.

mod fabric;
mod name;
mod tenant;

pub use fabric::{Fabric, Hook, Hypervisor};
pub use name::{InvalidName, Name};
pub use tenant::{
    Attachment, Bgp, Dhcp, Endpoint, EndpointKind, Level, NeighborPolicy, Peer, Spine, Subnet, SubnetKind,
    Tenant, Transit, Vpc,
};

/// Everything that one configuration directory describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// What the tenants share: hypervisors and underlay.
    pub fabric: Fabric,
    /// The customers, in order of name.
    pub tenants: Vec<Tenant>,
}
