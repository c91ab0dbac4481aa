//! Counting: each packet once in the scope that it entered through.

use raas_common::Exit;

use crate::packet::Packet;

/// How much one packet counts, taken before anything changes it.
#[derive(Clone, Copy)]
pub struct Tally<P> {
    packet: P,
    packets: u32,
    bytes: u32,
}

impl<P: Packet> Tally<P> {
    #[inline(always)]
    pub fn of(packet: P) -> Self {
        Self { packet, packets: packet.segments(), bytes: packet.length() }
    }

    #[inline(always)]
    pub fn count(self, scope: u32, exit: Exit) {
        self.packet.count(scope, exit, self.packets, self.bytes);
    }
}
