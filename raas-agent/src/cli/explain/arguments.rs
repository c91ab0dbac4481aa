//! The command line of `raas explain`.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use clap::{Args, ValueEnum};

/// Longest IPv4 packet: a test run takes no frame above a page, less headroom and tailroom (`bpf_test_init`).
const LONGEST: i64 = 3400;
/// As ping's.
const SIZE: u16 = 84;
const TTL: u8 = 64;
/// The first of the dynamic ones (RFC 6335, section 6).
const SOURCE_PORT: u16 = 49152;

/// Arguments of `raas explain`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    raas explain --from acme/pc1 --to 198.18.5.101\n  \
    raas explain --from pc1 --to 198.18.5.101:443 --proto tcp --json\n  \
    raas explain --from tunnel:acme/l2a/h2-l1a --source 198.18.5.101 --to 198.18.0.101\n  \
    raas explain --exit punt-ttl")]
pub struct Arguments {
    /// Where the packet enters: an endpoint (`acme/pc1`, or `pc1`), or a tunnel: `tunnel:NAME`, `gre:PEER`,
    /// `gre:PEER/KEY` or `vxlan:PEER/VNI`, PEER being the other end's address.
    #[arg(long, value_name = "ENDPOINT|TUNNEL", required_unless_present = "exit")]
    pub from: Option<Origin>,
    /// Where to; a port is for `--proto tcp` and `udp`.
    #[arg(long, value_name = "IP[:PORT]", required_unless_present = "exit")]
    pub to: Option<Target>,
    /// What the packet is like.
    #[command(flatten)]
    pub packet: PacketOptions,
    /// Machine-readable.
    #[arg(long)]
    pub json: bool,
    /// Instead: what an exit means and what to do about it; without NAME, of all exits.
    #[arg(long, value_name = "NAME", num_args = 0..=1, conflicts_with_all = ["from", "to"])]
    pub exit: Option<Option<String>>,
}

/// What the packet is like.
#[derive(Args, Clone, Debug)]
pub struct PacketOptions {
    /// What it carries: an echo request, a SYN, or a datagram.
    #[arg(long, value_enum, default_value = "icmp")]
    pub proto: Proto,
    /// Its (inner) source address. Needed with a tunnel; of an endpoint, its own is found.
    #[arg(long, value_name = "IP")]
    pub source: Option<Ipv4Addr>,
    /// Source port of TCP and UDP: it decides between equal paths too.
    #[arg(long, value_name = "PORT", default_value_t = SOURCE_PORT)]
    pub source_port: u16,
    /// Source MAC, if it is not to be the sender's own.
    #[arg(long, value_name = "MAC")]
    pub source_mac: Option<MacAddress>,
    /// Destination MAC, if it is not to be what the sender would use.
    #[arg(long, value_name = "MAC")]
    pub destination_mac: Option<MacAddress>,
    /// Bytes of the IPv4 packet.
    #[arg(long, value_name = "BYTES", default_value_t = SIZE, value_parser = clap::value_parser!(u16).range(28..=LONGEST))]
    pub size: u16,
    /// Time to live.
    #[arg(long, value_name = "HOPS", default_value_t = TTL)]
    pub ttl: u8,
    /// Differentiated services code point.
    #[arg(long, value_name = "0..63", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=63))]
    pub dscp: u8,
    /// Congestion bits: 0 not capable, 1 and 2 capable, 3 congestion experienced.
    #[arg(long, value_name = "0..3", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=3))]
    pub ecn: u8,
    /// Routers may fragment it.
    #[arg(long)]
    pub no_df: bool,
}

impl PacketOptions {
    /// DSCP and ECN in one byte (RFC 2474, RFC 3168).
    pub fn tos(&self) -> u8 {
        self.dscp << 2 | self.ecn
    }

    /// The words that make the same packet elsewhere, as far as they are not the default: what it carries, its
    /// size, and what a way changes.
    pub fn words(&self, ttl: u8, dscp: u8, ecn: u8) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(proto) = self.proto.to_possible_value().filter(|_| self.proto != Proto::Icmp) {
            words.push(format!("--proto {}", proto.get_name()));
            words.extend(
                (self.source_port != SOURCE_PORT).then(|| format!("--source-port {}", self.source_port)),
            );
        }
        if self.size != SIZE {
            words.push(format!("--size {}", self.size));
        }
        words.extend((ttl != TTL).then(|| format!("--ttl {ttl}")));
        words.extend((dscp != 0).then(|| format!("--dscp {dscp}")));
        words.extend((ecn != 0).then(|| format!("--ecn {ecn}")));
        words.extend(self.no_df.then(|| "--no-df".to_owned()));
        words
    }
}

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proto {
    /// An ICMP echo request.
    Icmp,
    /// A TCP SYN.
    Tcp,
    /// A UDP datagram.
    Udp,
}

/// Where a packet enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An endpoint, by name.
    Endpoint(String),
    /// A tunnel, by name.
    Tunnel(String),
    /// A GRE tunnel, by its other end.
    Gre {
        /// Address of the other end.
        peer: Ipv4Addr,
        /// Key.
        key: Option<u32>,
    },
    /// A VXLAN tunnel, by its other end.
    Vxlan {
        /// Address of the other end.
        peer: Ipv4Addr,
        /// VXLAN network identifier.
        vni: u32,
    },
}

impl FromStr for Origin {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("`{text}` is no number below 2^32"));
        let address = |text: &str| text.parse().map_err(|_| format!("`{text}` is no IPv4 address"));
        match text.split_once(':') {
            None => Ok(Self::Endpoint(text.to_owned())),
            Some(("tunnel", name)) => Ok(Self::Tunnel(name.to_owned())),
            Some(("gre", rest)) => Ok(match rest.split_once('/') {
                Some((peer, key)) => Self::Gre { peer: address(peer)?, key: Some(number(key)?) },
                None => Self::Gre { peer: address(rest)?, key: None },
            }),
            Some(("vxlan", rest)) => {
                let (peer, vni) = rest.split_once('/').ok_or("VXLAN needs a VNI: vxlan:PEER/VNI")?;
                Ok(Self::Vxlan { peer: address(peer)?, vni: number(vni)? })
            }
            Some((kind, _)) => Err(format!("`{kind}:` is neither tunnel:, gre: nor vxlan:")),
        }
    }
}

/// Where a packet is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Destination address.
    pub address: Ipv4Addr,
    /// Destination port.
    pub port: Option<u16>,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()) {
            return Err("is IPv6, which the fast path only bridges and otherwise leaves to the kernel \
                        (exit punt-not-ipv4): ask that, by `raas exec ENDPOINT -- ip -6 route get ADDRESS`"
                .to_owned());
        }
        let (address, port) =
            text.split_once(':').map_or((text, None), |(address, port)| (address, Some(port)));
        let address = address.parse().map_err(|_| format!("`{address}` is no IPv4 address"))?;
        let port = port.map(|port| port.parse().map_err(|_| format!("`{port}` is no port")));
        Ok(Self { address, port: port.transpose()? })
    }
}

/// A MAC address on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MacAddress(pub [u8; 6]);

impl FromStr for MacAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let byte = |digits: &str| u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2);
        let bytes: Option<Vec<u8>> = text.split(':').map(byte).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| format!("`{text}` is no MAC address such as 02:00:5e:10:00:01"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_endpoints_or_tunnels() {
        let peer = Ipv4Addr::new(192, 0, 2, 1);
        let parse = |text: &str| text.parse::<Origin>();
        assert_eq!(parse("acme/pc1"), Ok(Origin::Endpoint("acme/pc1".to_owned())));
        assert_eq!(parse("tunnel:acme/l2a/h2-l1a"), Ok(Origin::Tunnel("acme/l2a/h2-l1a".to_owned())));
        assert_eq!(parse("gre:192.0.2.1"), Ok(Origin::Gre { peer, key: None }));
        assert_eq!(parse("gre:192.0.2.1/7"), Ok(Origin::Gre { peer, key: Some(7) }));
        assert_eq!(parse("vxlan:192.0.2.1/10001"), Ok(Origin::Vxlan { peer, vni: 10001 }));
        for wrong in ["vxlan:192.0.2.1", "gre:h1", "gre:192.0.2.1/x", "ipip:192.0.2.1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn targets_are_ipv4_with_or_without_a_port() {
        let address = Ipv4Addr::new(198, 51, 100, 7);
        assert_eq!("198.51.100.7".parse(), Ok(Target { address, port: None }));
        assert_eq!("198.51.100.7:443".parse(), Ok(Target { address, port: Some(443) }));
        assert!("2001:db8::1".parse::<Target>().is_err_and(|why| why.contains("IPv6")));
        assert!("198.51.100.7:x".parse::<Target>().is_err());
        assert!("pc3".parse::<Target>().is_err());
    }

    #[test]
    fn mac_addresses_have_six_bytes() {
        assert_eq!("02:00:5e:10:00:01".parse(), Ok(MacAddress([2, 0, 0x5e, 0x10, 0, 1])));
        assert!("02:00:5e:10:00".parse::<MacAddress>().is_err());
        assert!("2:0:5e:10:0:1".parse::<MacAddress>().is_err());
    }
}
