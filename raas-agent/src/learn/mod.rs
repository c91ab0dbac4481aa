//! Learning: from what the kernels of all namespaces say to what the fast path must contain. Pure: no I/O.
//!
//! ```text
//! bytes ─decode─▶ Event ─state─▶ Namespace (a mirror of one kernel namespace) ─compile─▶ Changes
//! ```
//!
//! [`Learner`] is the whole of it: batches of events go in, [`Changes`] and keep-alive [`Request`]s come out.

mod compile;
pub mod decode;
mod disturbance;
pub mod event;
pub mod keepalive;
mod learner;
mod prefix_map;
pub mod state;
#[cfg(test)]
pub(crate) mod tests;

pub use compile::{Changes, RouterChange, Tables, Underlay};
pub use event::{Batch, Event};
pub use keepalive::Request;
pub use learner::Learner;
