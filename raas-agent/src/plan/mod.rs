//! From the validated network to what must exist on one hypervisor. Pure: no I/O, no clock, no randomness.

mod desired;

pub use desired::{
    Address, Bridge, Desired, DhcpClient, DhcpServer, Domain, Namespace, NamespaceKind, Nexthop4, Place,
    Port, PortRole, Role, Router, StaticRoute, Topology, Tunnel, TunnelSpec, VethEnd, VethPair, Vxlan,
};
