//! Does the fast path hold what was written to it? Nobody but the agent is to write there; but who has the
//! rights can, and a fault of ours would show here too.

use std::collections::BTreeMap;

use super::Writer;
use crate::plan::Topology;

/// How many entries of each map were not as they are to be.
#[derive(Default)]
pub(super) struct Differences(BTreeMap<&'static str, usize>);

impl Differences {
    pub(super) fn add(&mut self, map: &'static str, entries: usize) {
        if entries > 0 {
            *self.0.entry(map).or_default() += entries;
        }
    }

    fn extend(&mut self, other: Self) {
        other.0.into_iter().for_each(|(map, entries)| self.add(map, entries));
    }

    /// For people, by map.
    fn steps(self) -> Vec<String> {
        let step = |(map, entries)| {
            let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
            format!("the fast path's {map}: {entries} differed")
        };
        self.0.into_iter().map(step).collect()
    }
}

impl Writer {
    /// Compares the maps with what they are to hold (all but the nodes of tries), writes again what is wrong, and
    /// says what that was.
    pub fn audit(&mut self, topology: &Topology) -> Vec<String> {
        // What could not be written is wrong for a known reason, and tried again anyhow.
        let tables = self.tables.clone().filter(|_| self.unwritten.is_none());
        let mut wrong = Differences::default();
        if let Some(tables) = tables {
            self.maps.forget();
            wrong.extend(self.write_tables(&tables, topology));
            if self.unwritten.is_none() {
                wrong.extend(self.finish_tables(&tables));
            }
        }
        self.faults.audit = None;
        match self.routes.audit() {
            Ok(routes) => {
                wrong.add("NEXTHOPS", routes.nexthops);
                wrong.add("GROUPS", routes.groups);
                wrong.add("ROUTERS", routes.routers);
                wrong.add("FIB_NODES", routes.nodes);
            }
            Err(error) => self.faults.audit = Some(format!("reading the forwarding tables: {error}")),
        }
        wrong.steps()
    }
}
