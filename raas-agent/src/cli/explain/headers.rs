//! The headers of a frame, down into its tunnels.

use std::{fmt, net::Ipv4Addr};

use etherparse::{Ethernet2HeaderSlice, Ipv4HeaderSlice, TcpHeaderSlice, UdpHeaderSlice};
use raas_common::{Mac, VXLAN_PORT};
use serde::Serialize;

const IPV4: u16 = 0x0800;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const GRE: u8 = 47;
/// "Key present" (RFC 2890, section 2).
const GRE_KEY: u16 = 0x2000;

/// A header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "protocol", rename_all = "lowercase")]
pub enum Header {
    /// Ethernet II.
    Ethernet { source: String, destination: String, ethertype: u16 },
    /// IPv4.
    Ipv4 {
        source: Ipv4Addr,
        destination: Ipv4Addr,
        ttl: u8,
        dscp: u8,
        ecn: u8,
        length: u16,
        dont_fragment: bool,
        next: u8,
    },
    /// GRE.
    Gre { key: Option<u32>, ethertype: u16 },
    /// UDP.
    Udp { source_port: u16, destination_port: u16 },
    /// VXLAN.
    Vxlan { vni: u32 },
    /// TCP.
    Tcp { source_port: u16, destination_port: u16, syn: bool },
    /// ICMP.
    Icmp { kind: u8, code: u8 },
}

/// The headers of a frame, from the outside inwards, as far as they are known.
pub fn parse(frame: &[u8]) -> Vec<Header> {
    let mut headers = Vec::new();
    // What cannot be parsed ends the list.
    let _ = ethernet(frame, &mut headers);
    headers
}

fn ethernet(bytes: &[u8], headers: &mut Vec<Header>) -> Option<()> {
    let header = Ethernet2HeaderSlice::from_slice(bytes).ok()?;
    let mac = |bytes| Mac::new(bytes).to_string();
    headers.push(Header::Ethernet {
        source: mac(header.source()),
        destination: mac(header.destination()),
        ethertype: header.ether_type().0,
    });
    if header.ether_type().0 == IPV4 { ipv4(bytes.get(14..)?, headers) } else { None }
}

fn ipv4(bytes: &[u8], headers: &mut Vec<Header>) -> Option<()> {
    let header = Ipv4HeaderSlice::from_slice(bytes).ok()?;
    headers.push(Header::Ipv4 {
        source: header.source_addr(),
        destination: header.destination_addr(),
        ttl: header.ttl(),
        dscp: header.dcp().value(),
        ecn: header.ecn().value(),
        length: header.total_len(),
        dont_fragment: header.dont_fragment(),
        next: header.protocol().0,
    });
    let rest = bytes.get(header.slice().len()..)?;
    match header.protocol().0 {
        GRE => gre(rest, headers),
        UDP => udp(rest, headers),
        TCP => {
            let tcp = TcpHeaderSlice::from_slice(rest).ok()?;
            headers.push(Header::Tcp {
                source_port: tcp.source_port(),
                destination_port: tcp.destination_port(),
                syn: tcp.syn(),
            });
            Some(())
        }
        ICMP => {
            headers.push(Header::Icmp { kind: *rest.first()?, code: *rest.get(1)? });
            Some(())
        }
        _ => None,
    }
}

fn gre(bytes: &[u8], headers: &mut Vec<Header>) -> Option<()> {
    let &[f0, f1, e0, e1] = bytes.first_chunk()?;
    let (flags, ethertype) = (u16::from_be_bytes([f0, f1]), u16::from_be_bytes([e0, e1]));
    let (key, rest) = if flags & GRE_KEY == 0 {
        (None, &bytes[4..])
    } else {
        let (key, rest) = bytes[4..].split_first_chunk()?;
        (Some(u32::from_be_bytes(*key)), rest)
    };
    headers.push(Header::Gre { key, ethertype });
    if ethertype == IPV4 { ipv4(rest, headers) } else { None }
}

fn udp(bytes: &[u8], headers: &mut Vec<Header>) -> Option<()> {
    let header = UdpHeaderSlice::from_slice(bytes).ok()?;
    let (source_port, destination_port) = (header.source_port(), header.destination_port());
    headers.push(Header::Udp { source_port, destination_port });
    if destination_port != VXLAN_PORT {
        return Some(());
    }
    let (vxlan, inner) = bytes.get(8..)?.split_first_chunk::<8>()?;
    let [.., a, b, c, _] = *vxlan;
    headers.push(Header::Vxlan { vni: u32::from_be_bytes([0, a, b, c]) });
    ethernet(inner, headers)
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ethernet { source, destination, .. } => write!(f, "Ethernet  {source} → {destination}"),
            Self::Ipv4 { source, destination, ttl, dscp, ecn, length, dont_fragment, next } => {
                write!(f, "IPv4      {source} → {destination}, TTL {ttl}, {length} bytes, protocol {next}")?;
                if *dscp != 0 || *ecn != 0 {
                    write!(f, ", DSCP {dscp}, ECN {ecn}")?;
                }
                f.write_str(if *dont_fragment { ", DF" } else { "" })
            }
            Self::Gre { key: Some(key), .. } => write!(f, "GRE       key {key}"),
            Self::Gre { key: None, .. } => f.write_str("GRE       without a key"),
            Self::Udp { source_port, destination_port } => {
                write!(f, "UDP       port {source_port} → {destination_port}")
            }
            Self::Vxlan { vni } => write!(f, "VXLAN     VNI {vni}"),
            Self::Tcp { source_port, destination_port, syn } => {
                write!(
                    f,
                    "TCP       port {source_port} → {destination_port}{}",
                    if *syn { ", SYN" } else { "" }
                )
            }
            Self::Icmp { kind: 8, .. } => f.write_str("ICMP      echo request"),
            Self::Icmp { kind, code } => write!(f, "ICMP      type {kind}, code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{
        super::{
            arguments::{PacketOptions, Target},
            packet,
        },
        *,
    };
    use crate::tunnel::Protocol;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        options: PacketOptions,
    }

    const SOURCE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
    const TARGET: Target = Target { address: Ipv4Addr::new(203, 0, 113, 9), port: Some(53) };
    const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

    fn udp(words: &str) -> Vec<u8> {
        let options = Cli::parse_from(format!("x --proto udp {words}").split_whitespace()).options;
        packet::ip(SOURCE, TARGET, &options).unwrap()
    }

    fn tunnelled(protocol: Protocol, inner: &[u8]) -> Vec<u8> {
        let [remote, local] = [1, 2].map(|host| Ipv4Addr::new(192, 0, 2, host));
        let outer = packet::tunnelled(protocol, remote, local, inner, 0, Default::default()).unwrap();
        packet::ethernet(MACS[0], MACS[1], &outer)
    }

    fn names(headers: &[Header]) -> Vec<String> {
        headers.iter().map(|header| header.to_string().split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn what_was_built_is_read_back() {
        let inner = udp("--ttl 7 --dscp 46 --ecn 2 --size 1000");
        assert_eq!(inner.len(), 1000);
        let gre = parse(&tunnelled(Protocol::Gre { key: Some(1001) }, &inner));
        assert_eq!(names(&gre), ["Ethernet", "IPv4", "GRE", "IPv4", "UDP"]);
        assert_eq!(gre[2], Header::Gre { key: Some(1001), ethertype: IPV4 });
        assert_eq!(
            gre[3],
            Header::Ipv4 {
                source: SOURCE,
                destination: TARGET.address,
                ttl: 7,
                dscp: 46,
                ecn: 2,
                length: 1000,
                dont_fragment: true,
                next: UDP
            }
        );
        let frame = packet::ethernet(MACS[1], MACS[0], &inner);
        let vxlan = parse(&tunnelled(Protocol::Vxlan { vni: 10001 }, &frame));
        assert_eq!(names(&vxlan), ["Ethernet", "IPv4", "UDP", "VXLAN", "Ethernet", "IPv4", "UDP"]);
        assert_eq!(vxlan[3], Header::Vxlan { vni: 10001 });
    }

    #[test]
    fn a_frame_cut_short_shows_fewer_headers() {
        let frame = packet::ethernet(MACS[1], MACS[0], &udp(""));
        let frame = tunnelled(Protocol::Vxlan { vni: 1 }, &frame);
        let lengths: Vec<_> = (0..=frame.len()).map(|length| parse(&frame[..length]).len()).collect();
        assert!(lengths.is_sorted());
        assert_eq!((lengths[0], lengths[frame.len()]), (0, 7));
    }

    #[test]
    fn a_packet_has_room_for_its_headers() {
        let options = Cli::parse_from(["x", "--proto", "tcp", "--size", "39"]).options;
        assert!(packet::ip(SOURCE, TARGET, &options).unwrap_err().to_string().contains("headers' 40"));
        let options = Cli::parse_from(["x"]).options;
        assert!(packet::ip(SOURCE, TARGET, &options).unwrap_err().to_string().contains("no ports"));
    }
}
