//! Does the fast path hold what was written to it? Nobody but the agent is to write there; but who has the
//! rights can, and a fault of ours would show here too.

use tracing::warn;

use super::Writer;
use crate::plan::Topology;

impl Writer {
    /// Compares the maps with what they are to hold (all but the trie's nodes), and writes again what is
    /// wrong.
    pub fn audit(&mut self, topology: &Topology) {
        // What could not be written is wrong for a known reason, and tried again anyhow.
        let tables = self.tables.clone().filter(|_| self.unwritten.is_none());
        let mut wrong = 0;
        if let Some(tables) = tables {
            self.maps.forget();
            wrong += self.write_tables(&tables, topology);
            if self.unwritten.is_none() {
                wrong += self.finish_tables(&tables);
            }
        }
        self.faults.audit = None;
        match self.routes.audit() {
            Ok(routes) => wrong += routes,
            Err(error) => self.faults.audit = Some(format!("reading the forwarding tables: {error}")),
        }
        if wrong > 0 {
            warn!(entries = wrong, "the fast path's maps did not hold what was written there; repaired");
            self.repairs += wrong as u64;
        }
    }

    /// Entries of the maps that were found wrong and written again, since the start.
    pub fn repairs(&self) -> u64 {
        self.repairs
    }
}
