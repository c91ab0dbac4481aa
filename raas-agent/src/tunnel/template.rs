//! Outer headers: all that does not depend on the packet, ready for the fast path to copy.

use raas_common::{ENCAP_HEADER_LEN, Encap, Mac, VXLAN_PORT};

use super::{Protocol, Tunnel};

const ETHERNET_LEN: usize = 14;
const IPV4_LEN: usize = 20;
const ETHERTYPE_IPV4: u16 = 0x0800;
const PROTOCOL_UDP: u8 = 17;
const PROTOCOL_GRE: u8 = 47;
/// "Key present" (RFC 2890, section 2).
const GRE_KEY: u16 = 0x2000;
/// "Valid VNI" (RFC 7348, section 5).
const VXLAN_VNI: u32 = 0x0800_0000;
/// Tunnel packets must not be fragmented, so the identification stays 0 (RFC 6864, section 4.1).
const DONT_FRAGMENT: u16 = 0x4000;
const TTL: u8 = 64;

/// The underlay's next hop towards a peer, resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Adjacency {
    /// Interface index of the uplink.
    pub egress: u32,
    /// The uplink's MAC.
    pub source: Mac,
    /// The next hop's MAC.
    pub destination: Mac,
}

/// Outer headers of `tunnel`, sent via `adjacency`, counted in `scope`. While there is no adjacency, the fast
/// path leaves packets to the kernel.
pub fn encap(tunnel: &Tunnel, adjacency: Option<&Adjacency>, scope: u32) -> Encap {
    let mut header = Header::default();
    let (egress, source, destination) = adjacency.map_or_else(Default::default, |adjacency| {
        (adjacency.egress, adjacency.source, adjacency.destination)
    });
    header.put(&destination.bytes);
    header.put(&source.bytes);
    header.put(&ETHERTYPE_IPV4.to_be_bytes());
    header.ipv4(tunnel);
    match tunnel.protocol {
        Protocol::Gre { key } => {
            header.put(&key.map_or(0, |_| GRE_KEY).to_be_bytes());
            header.put(&ETHERTYPE_IPV4.to_be_bytes());
            if let Some(key) = key {
                header.put(&key.to_be_bytes());
            }
        }
        Protocol::Vxlan { vni } => {
            // Source port and length are patched, the checksum stays 0 (RFC 7348, section 5).
            header.put(&[0, 0]);
            header.put(&VXLAN_PORT.to_be_bytes());
            header.put(&[0; 4]);
            header.put(&VXLAN_VNI.to_be_bytes());
            header.put(&(vni << 8).to_be_bytes());
        }
    }
    Encap {
        egress,
        kind: tunnel.protocol.kind(),
        len: header.len as u32,
        checksum: sum(&header.bytes[ETHERNET_LEN..ETHERNET_LEN + IPV4_LEN]),
        scope,
        header: header.bytes,
    }
}

/// Headers being written, in wire order.
struct Header {
    bytes: [u8; ENCAP_HEADER_LEN],
    len: usize,
}

impl Default for Header {
    fn default() -> Self {
        Self { bytes: [0; ENCAP_HEADER_LEN], len: 0 }
    }
}

impl Header {
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..][..bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// IPv4 (RFC 791), with total length, TOS and checksum zero.
    fn ipv4(&mut self, tunnel: &Tunnel) {
        let protocol = match tunnel.protocol {
            Protocol::Gre { .. } => PROTOCOL_GRE,
            Protocol::Vxlan { .. } => PROTOCOL_UDP,
        };
        // Version 4, five words of header; TOS, total length, identification.
        self.put(&[0x45, 0, 0, 0, 0, 0]);
        self.put(&DONT_FRAGMENT.to_be_bytes());
        self.put(&[TTL, protocol, 0, 0]);
        self.put(&tunnel.local.octets());
        self.put(&tunnel.remote.octets());
    }
}

/// One's complement sum of 16-bit words as they lie in memory, not folded (RFC 1071, section 2(B): byte order
/// does not matter as long as it is the same throughout).
fn sum(bytes: &[u8]) -> u32 {
    bytes.chunks_exact(2).map(|word| u32::from(u16::from_ne_bytes([word[0], word[1]]))).sum()
}

#[cfg(test)]
mod tests {
    use raas_common::TunnelKind;

    use super::*;

    const ADJACENCY: Adjacency = Adjacency {
        egress: 7,
        source: Mac::new([2, 0, 0, 0, 0, 1]),
        destination: Mac::new([2, 0, 0, 0, 0, 2]),
    };

    fn tunnel(protocol: Protocol) -> Tunnel {
        Tunnel { local: [192, 0, 2, 1].into(), remote: [198, 51, 100, 2].into(), protocol }
    }

    /// The header checksum as RFC 791 defines it, byte by byte.
    fn reference_checksum(header: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in header.chunks(2) {
            sum += (u32::from(pair[0]) << 8) + u32::from(pair[1]);
            sum = (sum & 0xffff) + (sum >> 16);
        }
        !(sum as u16)
    }

    #[test]
    fn the_sum_and_what_is_patched_give_the_header_checksum() {
        let encap = encap(&tunnel(Protocol::Vxlan { vni: 0x12_3456 }), Some(&ADJACENCY), 3);
        let mut ip = encap.header[14..34].to_vec();
        let (tos, total_length) = (0xb9_u8, 1450_u16);
        ip[1] = tos;
        ip[2..4].copy_from_slice(&total_length.to_be_bytes());
        // As the fast path does it: add what is patched, fold, complement.
        let mut sum =
            encap.checksum + u32::from(u16::from_ne_bytes([0, tos])) + u32::from(total_length.to_be());
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        let checksum = (!(sum as u16)).to_ne_bytes();
        assert_eq!(u16::from_be_bytes(checksum), reference_checksum(&ip));
        ip[10..12].copy_from_slice(&checksum);
        assert_eq!(reference_checksum(&ip), 0, "a header with its checksum sums to zero");
    }

    #[test]
    fn vxlan() {
        let encap = encap(&tunnel(Protocol::Vxlan { vni: 0x12_3456 }), Some(&ADJACENCY), 3);
        assert_eq!((encap.egress, encap.kind, encap.len, encap.scope), (7, TunnelKind::VXLAN, 50, 3));
        #[rustfmt::skip]
        let expected = [
            2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,
            0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2,
            0, 0, 0x12, 0xb5, 0, 0, 0, 0,
            0x08, 0, 0, 0, 0x12, 0x34, 0x56, 0,
        ];
        assert_eq!(encap.header[..50], expected);
        assert_eq!(encap.header[50..], [0; 14]);
    }

    #[test]
    fn gre_with_and_without_a_key() {
        let plain = encap(&tunnel(Protocol::Gre { key: None }), Some(&ADJACENCY), 0);
        assert_eq!((plain.kind, plain.len), (TunnelKind::GRE, 38));
        assert_eq!(plain.header[34..38], [0, 0, 0x08, 0]);
        assert_eq!(plain.header[23], 47);
        let keyed = encap(&tunnel(Protocol::Gre { key: Some(0xdead_beef) }), Some(&ADJACENCY), 0);
        assert_eq!((keyed.kind, keyed.len), (TunnelKind::GRE_KEYED, 42));
        assert_eq!(keyed.header[34..42], [0x20, 0, 0x08, 0, 0xde, 0xad, 0xbe, 0xef]);
    }

    #[test]
    fn without_an_adjacency_nothing_is_sent() {
        let encap = encap(&tunnel(Protocol::Gre { key: None }), None, 4);
        assert_eq!((encap.egress, encap.len), (0, 38));
    }

    #[test]
    fn overhead_is_what_the_headers_are_long() {
        for protocol in [Protocol::Gre { key: None }, Protocol::Gre { key: Some(1) }] {
            let encap = encap(&tunnel(protocol), None, 0);
            assert_eq!(protocol.overhead(), encap.len - 14);
        }
        let vxlan = Protocol::Vxlan { vni: 1 };
        assert_eq!(vxlan.overhead(), encap(&tunnel(vxlan), None, 0).len - 14 + 14);
    }
}
