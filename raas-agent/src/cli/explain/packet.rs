//! The packet that is explained, byte by byte.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use etherparse::{
    EtherType, Ethernet2Header, IpDscp, IpEcn, IpHeaders, IpNumber, Ipv4Header, PacketBuilder, UdpHeader,
};
use raas_common::{Be32, Flow, VXLAN_PORT, entropy_port};

use super::arguments::{PacketOptions, Proto, Target};
use crate::tunnel::Protocol;

/// Identifier and sequence number of an echo request.
const ECHO: (u16, u16) = (0x7261, 1);
const WINDOW: u16 = 65535;
/// "Key present" (RFC 2890, section 2), and "valid VNI" (RFC 7348, section 5).
const GRE_KEY: u16 = 0x2000;
const VXLAN_VNI: u32 = 0x0800_0000;
const TTL: u8 = 64;

/// The layer-3 packet from `source`.
pub fn ip(source: Ipv4Addr, target: Target, options: &PacketOptions) -> Result<Vec<u8>> {
    let mut header = Ipv4Header {
        dscp: IpDscp::try_new(options.dscp)?,
        ecn: IpEcn::try_new(options.ecn)?,
        dont_fragment: !options.no_df,
        time_to_live: options.ttl,
        source: source.octets(),
        destination: target.address.octets(),
        ..Ipv4Header::default()
    };
    header.identification = 0;
    let builder = PacketBuilder::ip(IpHeaders::Ipv4(header, Default::default()));
    let size = usize::from(options.size);
    let padding = |headers: usize| {
        let left = size.checked_sub(headers);
        left.map(|left| vec![0; left])
            .with_context(|| format!("--size {size} is less than the headers' {headers}"))
    };
    let mut packet = Vec::with_capacity(size);
    match options.proto {
        Proto::Icmp => {
            ensure!(target.port.is_none(), "ICMP has no ports: add `--proto tcp` or `--proto udp`");
            let builder = builder.icmpv4_echo_request(ECHO.0, ECHO.1);
            let payload = padding(builder.size(0))?;
            builder.write(&mut packet, &payload)?;
        }
        Proto::Tcp => {
            let port = target.port.context("TCP needs a port: `--to IP:PORT`")?;
            let builder = builder.tcp(options.source_port, port, 0, WINDOW).syn();
            let payload = padding(builder.size(0))?;
            builder.write(&mut packet, &payload)?;
        }
        Proto::Udp => {
            let port = target.port.context("UDP needs a port: `--to IP:PORT`")?;
            let builder = builder.udp(options.source_port, port);
            let payload = padding(builder.size(0))?;
            builder.write(&mut packet, &payload)?;
        }
    }
    Ok(packet)
}

/// The flow that such a packet belongs to.
pub fn flow(source: Ipv4Addr, target: Target, options: &PacketOptions) -> Flow {
    let (protocol, ports) = match options.proto {
        Proto::Icmp => (IpNumber::ICMP, 0),
        Proto::Tcp => (IpNumber::TCP, ports(target, options)),
        Proto::Udp => (IpNumber::UDP, ports(target, options)),
    };
    Flow {
        source: Be32::new(source.to_bits()),
        destination: Be32::new(target.address.to_bits()),
        protocol: protocol.0,
        ports: Be32::new(ports),
    }
}

fn ports(target: Target, options: &PacketOptions) -> u32 {
    u32::from(options.source_port) << 16 | u32::from(target.port.unwrap_or(0))
}

/// A frame around an IPv4 packet.
pub fn ethernet(source: [u8; 6], destination: [u8; 6], packet: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header { source, destination, ether_type: EtherType::IPV4 };
    [&header.to_bytes(), packet].concat()
}

/// The outer packet of a tunnel, around an IPv4 packet (GRE) or a frame (VXLAN), as a hypervisor of ours sends it.
pub fn tunnelled(
    protocol: Protocol,
    from: Ipv4Addr,
    to: Ipv4Addr,
    inner: &[u8],
    tos: u8,
    flow: Flow,
) -> Result<Vec<u8>> {
    let (number, headers) = match protocol {
        Protocol::Gre { key } => {
            let flags = if key.is_some() { GRE_KEY } else { 0 };
            let mut gre = [flags.to_be_bytes(), EtherType::IPV4.0.to_be_bytes()].concat();
            gre.extend(key.into_iter().flat_map(u32::to_be_bytes));
            (IpNumber::GRE, gre)
        }
        Protocol::Vxlan { vni } => {
            let vxlan = [VXLAN_VNI.to_be_bytes(), (vni << 8).to_be_bytes()].concat();
            let length = u16::try_from(UdpHeader::LEN + vxlan.len() + inner.len())?;
            // The checksum stays 0 (RFC 7348, section 5).
            let udp = UdpHeader {
                source_port: entropy_port(flow.hash()),
                destination_port: VXLAN_PORT,
                length,
                checksum: 0,
            };
            (IpNumber::UDP, [&udp.to_bytes()[..], &vxlan].concat())
        }
    };
    let mut outer = Ipv4Header::new(
        u16::try_from(headers.len() + inner.len())?,
        TTL,
        number,
        from.octets(),
        to.octets(),
    )?;
    outer.dont_fragment = true;
    outer.identification = 0;
    outer.dscp = IpDscp::try_new(tos >> 2)?;
    outer.ecn = IpEcn::try_new(tos & 3)?;
    outer.header_checksum = outer.calc_header_checksum();
    Ok([&outer.to_bytes()[..], &headers, inner].concat())
}
