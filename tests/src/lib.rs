//! The lab: simulated hypervisors as a typed topology.

pub mod packet;
