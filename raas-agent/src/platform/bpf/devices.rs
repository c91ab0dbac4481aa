//! `DEVICES`, brought to its desired content in two halves: what is sent to must be there first and leave
//! last.

use std::{collections::BTreeSet, io};

use anyhow::Result;

use super::Devices;

impl Devices {
    /// Adds what is missing. An interface that went away in the meantime is left out.
    pub fn add(&mut self, desired: &BTreeSet<u32>) -> Result<()> {
        for &index in desired.difference(&self.entries()?) {
            self.insert(index).or_else(|error| if is_gone(&error) { Ok(()) } else { Err(error) })?;
        }
        Ok(())
    }

    /// Removes what is not desired.
    pub fn retain(&mut self, desired: &BTreeSet<u32>) -> Result<()> {
        for &index in self.entries()?.difference(desired) {
            self.remove(index)?;
        }
        Ok(())
    }
}

/// The kernel has no interface of that index (kernel/bpf/devmap.c, `__dev_map_alloc_node`).
fn is_gone(error: &anyhow::Error) -> bool {
    let mut numbers = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
    numbers.any(|number| matches!(number, libc::EINVAL | libc::ENODEV))
}
