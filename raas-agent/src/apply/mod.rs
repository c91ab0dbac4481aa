//! Makes the hypervisor look like [`Desired`](crate::plan::Desired): observe, compare, act.
//!
//! [`diff`] is pure and knows no history: the same comparison serves the first start, a change and a repair,
//! and a step that failed is simply found again by the next comparison. [`Kernel`] does the I/O.

mod action;
mod diff;
mod execute;
mod kernel;
pub mod mark;
mod observed;
mod poison;
pub mod sysctls;
pub mod unnumbered;

pub use self::{
    action::{Action, LinkChange, LinkRef, NamespaceRef, Object},
    diff::{Conflict, Plan, diff},
    execute::{Failure, Report},
    kernel::Kernel,
    observed::{BridgePort, DhcpClientState, DhcpServerState, Link, LinkKind, Observed, Offloads, Processes},
};
