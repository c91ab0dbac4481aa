//! BIRD, the BGP daemon of a foreign router.

use std::net::Ipv4Addr;

use anyhow::Result;
use ipnet::Ipv4Net;

use super::Shell;

/// How BIRD is to speak with us.
#[derive(Clone, Debug)]
pub struct Bird {
    /// The interface that leads into the tunnel.
    pub interface: &'static str,
    /// Its AS number.
    pub asn: u32,
    /// The AS number of the transit that it is attached to.
    pub neighbor_asn: u32,
    /// Our address in the tunnel; none: the session is unnumbered, over link-local addresses.
    pub neighbor: Option<Ipv4Addr>,
    /// The site's networks.
    pub announces: Vec<Ipv4Net>,
    /// The router's own address in one of these.
    pub address: Ipv4Addr,
}

impl Bird {
    /// Starts it: the site's address is on `lo` from then on.
    pub fn start(&self, on: &impl Shell) -> Result<()> {
        let (config, address) = (self.config(), self.address);
        on.shell(&format!(
            "set -e\n\
             ip address add {address}/32 dev lo\n\
             cat > /run/bird.conf <<'END'\n{config}END\n\
             bird -c /run/bird.conf -s /run/bird.ctl >/dev/null 2>&1 </dev/null"
        ))
        .map(drop)
    }

    /// Its routes to a network, as it prints them.
    pub fn routes(on: &impl Shell, network: Ipv4Net) -> Result<String> {
        on.shell(&format!("birdc -s /run/bird.ctl show route all {network}"))
    }

    /// State of its session with us.
    pub fn protocols(on: &impl Shell) -> Result<String> {
        on.shell("birdc -s /run/bird.ctl show protocols all")
    }

    fn config(&self) -> String {
        let Self { interface, asn, neighbor_asn, neighbor, announces, address } = self;
        let session = match neighbor {
            Some(neighbor) => format!("neighbor {neighbor} as {neighbor_asn};"),
            // What RFC 5549 and router advertisements are to us, a range of neighbours is to BIRD.
            None => format!(
                "neighbor range fe80::/10 as {neighbor_asn};\n  interface \"{interface}\";\n  dynamic name \"raas\";"
            ),
        };
        let advertisements = match neighbor {
            Some(_) => String::new(),
            None => format!(
                "protocol radv {{\n  interface \"{interface}\" {{ max ra interval 4; default lifetime 0; }};\n}}\n"
            ),
        };
        let extended = if neighbor.is_some() { "" } else { "extended next hop on; " };
        let routes: String =
            announces.iter().map(|network| format!("  route {network} blackhole;\n")).collect();
        // The largest segment that the site's hosts say they take: those of an Ethernet, which knows nothing of the
        // tunnel.
        format!(
            "router id {address};\n\
             protocol device {{ scan time 1; }}\n\
             protocol kernel {{\n  ipv4 {{\n    import none;\n    export filter {{\n      \
             if source != RTS_BGP then reject;\n      krt_prefsrc = {address};\n      krt_advmss = 1460;\n      \
             accept;\n    }};\n  }};\n}}\n\
             protocol static {{\n  ipv4;\n{routes}}}\n\
             {advertisements}\
             protocol bgp raas {{\n  local as {asn};\n  {session}\n  hold time 9;\n  \
             connect retry time 1;\n  error wait time 1, 2;\n  \
             ipv4 {{ {extended}import all; export where source = RTS_STATIC; }};\n}}\n"
        )
    }
}
