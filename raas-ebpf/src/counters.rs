//! Counting: each packet once in the scope that it entered through.

use raas_common::{Exit, counter_index};

use crate::{maps, packet::Packet};

/// How much one packet counts, taken before anything changes it.
#[derive(Clone, Copy)]
pub struct Tally {
    packets: u32,
    bytes: u32,
}

impl Tally {
    #[inline(always)]
    pub fn of<P: Packet>(packet: P) -> Self {
        Self { packets: packet.segments(), bytes: packet.length() }
    }

    #[inline(always)]
    pub fn count(self, scope: u32, exit: Exit) {
        if let Some(counter) = maps::counter(counter_index(scope, exit)) {
            counter.packets += u64::from(self.packets);
            counter.bytes += u64::from(self.bytes);
        }
    }
}
