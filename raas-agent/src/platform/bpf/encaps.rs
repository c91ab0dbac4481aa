//! `ENCAPS`: outer headers, in two copies, of which the programs use one while the agent writes the other.

use std::{collections::BTreeSet, mem::offset_of};

use anyhow::{Context as _, Result};
use raas_common::{Encap, EncapSlot};

use super::{mmap::Mapped, pins::Pins};
use crate::{
    exact::{Words, length},
    fib::Grace,
};

/// Outer headers by tunnel.
pub struct Encaps<G> {
    slots: Mapped,
    /// Tunnels whose inactive copy may still be in use: flipped since the last grace period.
    flipped: BTreeSet<u32>,
    grace: G,
}

impl<G: Grace> Encaps<G> {
    /// Opens the pinned map.
    pub fn open(pins: &Pins, grace: G) -> Result<Self> {
        let slots = Mapped::open(&pins.map("ENCAPS"))?;
        // Whoever wrote before us may have flipped any slot a moment ago.
        let flipped = (0..slots.capacity::<EncapSlot>()).collect();
        Ok(Self { slots, flipped, grace })
    }

    /// What the programs use for `tunnel`.
    pub fn get(&self, tunnel: u32) -> Result<Encap> {
        self.check(tunnel)?;
        Ok(self.read(tunnel, self.active(tunnel)))
    }

    /// Has the programs use `encap` for `tunnel` from one packet to the next; says whether that was a change.
    /// Waits for a grace period if the tunnel was changed since the last one.
    pub fn set(&mut self, tunnel: u32, encap: &Encap) -> Result<bool> {
        self.check(tunnel)?;
        let active = self.active(tunnel);
        if self.read(tunnel, active) == *encap {
            return Ok(false);
        }
        if self.flipped.contains(&tunnel) {
            self.grace.wait().context("waiting for the programs to let go of outer headers")?;
            self.flipped.clear();
        }
        let idle = 1 - active;
        self.slots.write(copy_of(tunnel, idle), encap);
        self.slots.publish(active_of(tunnel), idle);
        self.flipped.insert(tunnel);
        Ok(true)
    }

    fn check(&self, tunnel: u32) -> Result<()> {
        let tunnels = self.slots.capacity::<EncapSlot>();
        anyhow::ensure!(
            (1..tunnels).contains(&tunnel),
            "tunnel {tunnel} is not between 1 and {}",
            tunnels - 1
        );
        Ok(())
    }

    fn active(&self, tunnel: u32) -> u32 {
        // As the programs do it: whatever else stands there, it is one of the two.
        self.slots.get(active_of(tunnel)) & 1
    }

    fn read(&self, tunnel: u32, copy: u32) -> Encap {
        self.slots.read(copy_of(tunnel, copy))
    }
}

/// Where the number of a tunnel's active copy stands.
const fn active_of(tunnel: u32) -> usize {
    tunnel as usize * length::<EncapSlot>() + offset_of!(EncapSlot, active) / 4
}

/// Where a copy of a tunnel's headers stands.
const fn copy_of(tunnel: u32, copy: u32) -> usize {
    tunnel as usize * length::<EncapSlot>()
        + offset_of!(EncapSlot, copies) / 4
        + copy as usize * length::<Encap>()
}
