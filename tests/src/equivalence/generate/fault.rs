//! What is wrong with a packet that somebody sends nevertheless.

use etherparse::checksum::Sum16BitWords;

use super::Context;

impl Context<'_> {
    /// Does something to an IPv4 packet, not often; says what.
    pub fn spoil(&mut self, packet: &mut Vec<u8>) -> Option<String> {
        let length = u16::try_from(packet.len()).expect("fits");
        match self.rng.u8(..200) {
            0 => {
                packet[10] ^= self.rng.u8(1..);
                Some("wrong checksum".to_owned())
            }
            1 => {
                let version = self.one_of(&[0, 5, 6, 15]);
                packet[0] = packet[0] & 0xf | version << 4;
                checksum(packet);
                Some(format!("version {version}"))
            }
            2 => {
                let words = self.one_of(&[0, 1, 4, 15]);
                packet[0] = packet[0] & 0xf0 | words;
                checksum(packet);
                Some(format!("header of {words} words"))
            }
            3 | 4 => {
                let wrong = self.one_of(&[0, 10, 19, length + 1, length + 100, 0xffff]);
                packet[2..4].copy_from_slice(&wrong.to_be_bytes());
                checksum(packet);
                Some(format!("total length {wrong}"))
            }
            5 => {
                packet.truncate(self.rng.usize(..20));
                Some("cut off".to_owned())
            }
            // The bit that must be zero (RFC 791).
            6..9 => {
                packet[6] |= 0x80;
                checksum(packet);
                Some("reserved flag".to_owned())
            }
            9..24 => Some(self.choose_checksum(packet)),
            24..60 => {
                // As a NIC does with a short frame (IEEE 802.3), and as nobody should.
                let room = self.mtu - packet.len();
                let most = if self.percent(80) { 46_usize.saturating_sub(packet.len()) } else { room };
                let padding = self.rng.usize(..=most.min(room));
                packet.resize(packet.len() + padding, 0);
                Some(format!("{padding} bytes of padding"))
            }
            _ => None,
        }
    }

    /// Gives the header's checksum a value at which counting down the TTL carries over, or which one's complement
    /// can write in two ways (RFC 1624). The word with flags and fragment offset makes up for it: a router does
    /// not look at more of it than "don't fragment".
    fn choose_checksum(&mut self, packet: &mut [u8]) -> String {
        let hops = self.rng.u16(..9);
        let wanted = 0xffff_u16.wrapping_sub(hops << 8).wrapping_add(self.rng.u16(..3)).wrapping_sub(1);
        packet[6..8].fill(0);
        checksum(packet);
        let current = u16::from_be_bytes([packet[10], packet[11]]);
        // Checksum and that word add up to the same, in one's complement.
        let sum = u32::from(current) + u32::from(!wanted);
        let field = (sum & 0xffff) + (sum >> 16);
        packet[6..8].copy_from_slice(&(field as u16).to_be_bytes());
        packet[10..12].copy_from_slice(&wanted.to_be_bytes());
        format!("checksum {wanted:#06x}")
    }
}

/// Puts a right checksum into an IPv4 header of 20 bytes, or of whatever it says.
fn checksum(packet: &mut [u8]) {
    let length = (usize::from(packet[0] & 0xf) * 4).clamp(20, packet.len());
    packet[10..12].fill(0);
    let sum = Sum16BitWords::new().add_slice(&packet[..length]).ones_complement();
    // etherparse gives it as it lies in memory.
    packet[10..12].copy_from_slice(&sum.to_ne_bytes());
}
