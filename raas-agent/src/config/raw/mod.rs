//! The configuration as it is written: every value with its place, no relation between values checked yet.
//!
//! What is missing or wrong is `None` here, and has been reported.

mod fabric;
mod tenant;

pub(super) use fabric::{Fabric, Hypervisor};
pub(super) use tenant::{Attachment, Bgp, Dhcp, Endpoint, Neighbor, Peer, Subnet, Tenant, Transit, Vpc};

use super::{faults::Faults, source::Place};
use toml::de::DeTable;

/// Parses TOML; `None` after a fault of syntax.
pub(super) fn syntax<'t>(file: usize, text: &'t str, faults: &Faults<'_>) -> Option<DeTable<'t>> {
    /// After a few, a parser complains about its own recovery.
    const MOST: usize = 5;
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(MOST) {
        let offset = error.span().map_or(0, |span| span.start);
        let message = format!("TOML: {}", error.message().lines().collect::<Vec<_>>().join(", "));
        faults.report(Place { file, offset }, message, "the syntax is at https://toml.io");
    }
    errors.is_empty().then(|| table.into_inner())
}
