//! The lab: a configuration directory as a network of simulated hypervisors on one machine.
//!
//! Each hypervisor is a network namespace (its interfaces) with a mount namespace (its own `/run`, `/sys`,
//! bpffs and state directory), joined to the others by an underlay of veths. One agent runs in each. A
//! [`Lab`] removes all of it when it is dropped, also after a panic, and on SIGINT and SIGTERM; [`sweep`]
//! removes what a killed process left.
#![forbid(unsafe_code)]

mod agent;
mod dump;
pub mod equivalence;
mod files;
mod lab;
mod owner;
pub mod packet;
pub mod peer;
mod probe;
mod processes;
mod ready;
mod report;
mod space;
mod station;
mod tap;
mod teardown;
mod traffic;
mod underlay;
mod visitor;
mod wait;

pub use agent::{Counter, Failing, Port, Repair, Repairs, Router, Session, Status};
pub use files::DEFAULT_NAME;
pub use lab::{Hypervisor, Lab, Options};
pub use peer::Foreign;
pub use probe::{Hop, Ping, Running};
pub use ready::Phase;
pub use report::{Pair, Report, Throughput};
pub use space::run_on;
pub use station::{Station, stations};
pub use tap::Tap;
pub use teardown::sweep;
pub use traffic::Pinging;
pub use wait::wait_for;
