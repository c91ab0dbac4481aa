//! What the owner of the state reacts to, besides what the monitors bring.

use std::sync::Arc;

use crate::plan::Desired;

/// Something happened.
pub enum Event {
    /// The configuration may have changed.
    ConfigChanged,
    /// The kernel was compared with what is desired, and changed where it differed.
    Applied {
        /// What was applied: not always the latest.
        desired: Arc<Desired>,
        /// Steps that were taken although all of it had been applied before: somebody else had changed something.
        repairs: Vec<String>,
        /// What went wrong.
        faults: Vec<String>,
    },
}
