//! `ENCAPS`: outer headers, in two copies, of which the programs use one while the agent writes the other.

use std::{collections::BTreeSet, sync::atomic::Ordering};

use anyhow::{Context as _, Result};
use raas_common::{ENCAP_HEADER_LEN, Encap, EncapSlot, TunnelKind};

use super::{mmap::Mapped, pins::Pins};
use crate::fib::Grace;

/// 32-bit words of an [`Encap`]: five fields and the header.
const WORDS: usize = size_of::<Encap>() / 4;
const FIELDS: usize = WORDS - ENCAP_HEADER_LEN / 4;
/// Words of an [`EncapSlot`] before its copies.
const COPIES: usize = 2;
const _: () = assert!(COPIES + 2 * WORDS == size_of::<EncapSlot>() / 4 && FIELDS == 5);

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
        let slots = Mapped::open::<EncapSlot>(&pins.map("ENCAPS"))?;
        // Whoever wrote before us may have flipped any slot a moment ago.
        let flipped = (0..slots.elements()).collect();
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
        for (word, value) in encode(encap).into_iter().enumerate() {
            self.slots.word(tunnel, copy(idle) + word).store(value, Ordering::Relaxed);
        }
        self.slots.word(tunnel, 0).store(idle as u32, Ordering::Release);
        self.flipped.insert(tunnel);
        Ok(true)
    }

    fn check(&self, tunnel: u32) -> Result<()> {
        let tunnels = self.slots.elements();
        anyhow::ensure!(
            (1..tunnels).contains(&tunnel),
            "tunnel {tunnel} is not between 1 and {}",
            tunnels - 1
        );
        Ok(())
    }

    fn active(&self, tunnel: u32) -> usize {
        // As the programs do it: whatever else stands there, it is one of the two.
        (self.slots.word(tunnel, 0).load(Ordering::Relaxed) & 1) as usize
    }

    fn read(&self, tunnel: u32, version: usize) -> Encap {
        decode(std::array::from_fn(|word| {
            self.slots.word(tunnel, copy(version) + word).load(Ordering::Relaxed)
        }))
    }
}

/// Word at which a copy starts.
const fn copy(version: usize) -> usize {
    COPIES + version * WORDS
}

fn encode(encap: &Encap) -> [u32; WORDS] {
    let mut words = [0; WORDS];
    words[..FIELDS].copy_from_slice(&[
        encap.egress,
        encap.kind.value,
        encap.len,
        encap.checksum,
        encap.scope,
    ]);
    for (word, bytes) in words[FIELDS..].iter_mut().zip(encap.header.as_chunks().0) {
        *word = u32::from_ne_bytes(*bytes);
    }
    words
}

fn decode(words: [u32; WORDS]) -> Encap {
    let [egress, kind, len, checksum, scope, rest @ ..] = words;
    let mut header = [0; ENCAP_HEADER_LEN];
    for (bytes, word) in header.as_chunks_mut().0.iter_mut().zip(rest) {
        *bytes = word.to_ne_bytes();
    }
    Encap { egress, kind: TunnelKind { value: kind }, len, checksum, scope, header }
}
