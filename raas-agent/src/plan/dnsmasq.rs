//! A leaf's DHCP server: dnsmasq as nothing but a DHCP server.

use std::{fmt::Write, net::Ipv4Addr};

use ipnet::Ipv4Net;

use crate::model::Dhcp;

/// dnsmasq's configuration file, but for the paths of lease and pid file, which the executor adds.
///
/// - `port=0`: no DNS.
/// - `dhcp-authoritative`: there is no other server on the segment, so a client that asks for an address from
///   elsewhere gets a NAK at once instead of a time-out (RFC 2131, section 4.3.2).
/// - `no-ping`: dnsmasq waits three seconds for an echo from an address before it offers it; its leases are
///   proof enough.
/// - option 26 (interface MTU, RFC 2132, section 5.1): an endpoint that we did not make must know of VXLAN's
///   overhead too.
/// - option 6 without a value: dnsmasq would else name itself as a DNS server.
pub(super) fn render(interface: &str, cidr: Ipv4Net, gateway: Ipv4Addr, dhcp: &Dhcp, mtu: u16) -> String {
    let Dhcp { start, end, lease } = dhcp;
    let netmask = cidr.netmask();
    let mut config = String::new();
    for line in [
        "port=0",
        "no-resolv",
        "no-hosts",
        "bind-interfaces",
        "except-interface=lo",
        &format!("interface={interface}"),
        "dhcp-authoritative",
        "no-ping",
        &format!("dhcp-range={start},{end},{netmask},{lease}"),
        &format!("dhcp-option=option:router,{gateway}"),
        "dhcp-option=option:dns-server",
        &format!("dhcp-option=option:mtu,{mtu}"),
    ] {
        // Writing to a string cannot fail.
        let _ = writeln!(config, "{line}");
    }
    config
}
