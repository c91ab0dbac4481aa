//! All input and output: namespaces, netlink, processes, files.

pub mod monitor;
