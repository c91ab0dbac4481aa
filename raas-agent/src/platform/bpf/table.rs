//! Arrays and the device map as tables: read, write one element, or bring the whole to a desired content.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, BTreeSet},
};

use anyhow::{Context as _, Result};
use aya::maps::{DevMapHash, MapData, MapError, xdp::XdpMapError};
use raas_common::Pod;

use super::{maps, mmap::Mapped, pins::Pins};
use crate::exact::{Changes, Words as _, length};

/// An array; an element that nobody wrote, or that was cleared, is the default.
///
/// An element is written in place: a reader may see part of an old and part of a new one. So write only
/// elements that no program reaches, or of which each field is right by itself.
pub struct ArrayTable<V> {
    memory: Mapped,
    name: &'static str,
    /// The content, which nobody but us writes, once [`sync`](Self::sync) has read it.
    known: Option<Vec<V>>,
}

impl<V: Pod + Default + PartialEq> ArrayTable<V> {
    pub(super) fn open(pins: &Pins, name: &'static str) -> Result<Self> {
        Ok(Self { memory: Mapped::open(&pins.map(name))?, name, known: None })
    }

    /// An element.
    pub fn get(&self, index: u32) -> Result<V> {
        self.check(index)?;
        Ok(self.read(index))
    }

    /// Writes an element.
    pub fn set(&mut self, index: u32, value: impl Borrow<V>) -> Result<()> {
        let value = value.borrow();
        self.check(index)?;
        self.memory.write(index as usize * length::<V>(), value);
        if let Some(known) = self.known.as_mut().and_then(|known| known.get_mut(index as usize)) {
            *known = *value;
        }
        Ok(())
    }

    /// Has the next [`sync`](Self::sync) read the content: somebody else may have written.
    pub fn forget(&mut self) {
        self.known = None;
    }

    /// Writes the differences between the content and `desired`, beyond which all are the default. The first
    /// time, the content is read; from then on, only the agent's own writes count.
    pub fn sync(&mut self, desired: &BTreeMap<u32, V>) -> Result<Changes> {
        if let Some((&last, _)) = desired.last_key_value() {
            self.check(last)?;
        }
        let known = match self.known.take() {
            Some(known) => known,
            None => (0..self.len()).map(|index| self.read(index)).collect(),
        };
        let known = self.known.insert(known).clone();
        let mut changes = Changes::default();
        for (index, old) in (0..).zip(known) {
            let new = desired.get(&index);
            let value = new.copied().unwrap_or_default();
            if old == value {
                continue;
            }
            self.set(index, value)?;
            match new {
                None => changes.removed += 1,
                Some(_) if old == V::default() => changes.inserted += 1,
                Some(_) => changes.replaced += 1,
            }
        }
        Ok(changes)
    }

    fn len(&self) -> u32 {
        self.memory.capacity::<V>()
    }

    fn check(&self, index: u32) -> Result<()> {
        anyhow::ensure!(index < self.len(), "{} has no element {index}", self.name);
        Ok(())
    }

    fn read(&self, index: u32) -> V {
        self.memory.read(index as usize * length::<V>())
    }
}

/// `DEVICES`: the interfaces that XDP may redirect to, by index. The kernel resolves an index in the network
/// namespace of the thread that writes it, and removes an interface that goes away.
pub struct Devices {
    map: DevMapHash<MapData>,
}

impl Devices {
    pub(super) fn open(pins: &Pins) -> Result<Self> {
        Ok(Self { map: maps::open(pins, "DEVICES")? })
    }

    /// The interfaces in the map.
    pub fn entries(&self) -> Result<BTreeSet<u32>> {
        self.map.keys().collect::<Result<_, _>>().context("reading DEVICES")
    }

    /// Adds an interface.
    pub fn insert(&mut self, index: u32) -> Result<()> {
        self.map.insert(index, index, None, 0).with_context(|| format!("adding interface {index} to DEVICES"))
    }

    /// Removes an interface, and says whether it was there.
    pub fn remove(&mut self, index: u32) -> Result<bool> {
        removed(self.map.remove(index)).with_context(|| format!("removing interface {index} from DEVICES"))
    }

    /// Adds what is missing, except for interfaces that are gone. To be called before anything refers to a
    /// new interface.
    pub fn add(&mut self, desired: &BTreeSet<u32>) -> Result<Changes> {
        let mut changes = Changes::default();
        for &index in desired.difference(&self.entries()?) {
            match self.insert(index) {
                Err(error) if is_gone(&error) => {}
                inserted => {
                    inserted?;
                    changes.inserted += 1;
                }
            }
        }
        Ok(changes)
    }

    /// Removes what is not desired. To be called once nothing refers to it any more.
    pub fn retain(&mut self, desired: &BTreeSet<u32>) -> Result<Changes> {
        let mut changes = Changes::default();
        for &index in self.entries()?.difference(desired) {
            changes.removed += usize::from(self.remove(index)?);
        }
        Ok(changes)
    }
}

/// The kernel found no such interface (`__dev_map_alloc_node`: EINVAL).
fn is_gone(error: &anyhow::Error) -> bool {
    let Some(XdpMapError::MapError(MapError::SyscallError(error))) = error.downcast_ref() else {
        return false;
    };
    matches!(error.io_error.raw_os_error(), Some(libc::EINVAL | libc::ENODEV))
}

/// Removing what is not there is not an error.
fn removed(result: Result<(), MapError>) -> Result<bool, MapError> {
    match result {
        Ok(()) => Ok(true),
        Err(MapError::KeyNotFound) => Ok(false),
        Err(MapError::SyscallError(error)) if error.io_error.raw_os_error() == Some(libc::ENOENT) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
