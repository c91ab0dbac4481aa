//! `COUNTERS`: packets and bytes by scope and exit, summed over the CPUs.

use anyhow::{Context as _, Result};
use aya::{
    maps::{MapData, PerCpuArray, PerCpuValues},
    util::nr_cpus,
};
use raas_common::{Counter, Exit, MAX_SCOPES, counter_index};

use super::{maps, pins::Pins};

/// The counters.
pub struct Counters {
    map: PerCpuArray<MapData, Counter>,
}

impl Counters {
    pub(super) fn open(pins: &Pins) -> Result<Self> {
        Ok(Self { map: maps::open(pins, "COUNTERS")? })
    }

    /// One exit of one scope.
    pub fn get(&self, scope: u32, exit: Exit) -> Result<Counter> {
        anyhow::ensure!(scope < MAX_SCOPES, "no counter scope {scope}");
        let per_cpu = self.map.get(&counter_index(scope, exit), 0).context("reading COUNTERS")?;
        Ok(per_cpu.iter().fold(Counter::default(), |sum, counter| Counter {
            packets: sum.packets.wrapping_add(counter.packets),
            bytes: sum.bytes.wrapping_add(counter.bytes),
        }))
    }

    /// All exits of a scope that a packet took, with their names.
    pub fn scope(&self, scope: u32) -> Result<Vec<(Exit, &'static str, Counter)>> {
        let mut taken = Vec::new();
        for &(exit, name) in Exit::ALL {
            let counter = self.get(scope, exit)?;
            if counter != Counter::default() {
                taken.push((exit, name, counter));
            }
        }
        Ok(taken)
    }

    /// Sets a scope to zero: before it counts for something else.
    pub fn clear(&mut self, scope: u32) -> Result<()> {
        let cpus = nr_cpus().map_err(|(_, error)| error).context("counting the CPUs")?;
        for (exit, _, _) in self.scope(scope)? {
            let zero = PerCpuValues::try_from(vec![Counter::default(); cpus])?;
            self.map.set(counter_index(scope, exit), zero, 0).context("writing COUNTERS")?;
        }
        Ok(())
    }

    /// Sets one exit of a scope, on each CPU.
    #[cfg(test)]
    pub(crate) fn set(&mut self, scope: u32, exit: Exit, packets: u64) -> Result<()> {
        let cpus = nr_cpus().map_err(|(_, error)| error)?;
        let values = PerCpuValues::try_from(vec![Counter { packets, ..Counter::default() }; cpus])?;
        Ok(self.map.set(counter_index(scope, exit), values, 0)?)
    }
}
