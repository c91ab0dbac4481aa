//! The executor against a real kernel. Needs root; each test has a network and a mount namespace of its own.

mod dhcp;
mod frr;
mod lab;
mod links;
mod order;
mod sample;
