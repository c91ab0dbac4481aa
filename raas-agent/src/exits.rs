//! What each exit of the fast path means, and what to do about it: the one table that `raas explain` and
//! `docs/operations.md` take it from.

use raas_common::{Exit, ExitClass};

/// What is to be known of an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The exit.
    pub exit: Exit,
    /// What becomes of the packet.
    pub meaning: &'static str,
    /// What to do, and when there is anything to do at all.
    pub remedy: &'static str,
}

/// The name of an exit, as counters show it.
pub fn name(exit: Exit) -> &'static str {
    Exit::ALL.iter().find(|(other, _)| *other == exit).map_or("unknown", |(_, name)| name)
}

/// The name of an exit's class.
pub fn class(exit: Exit) -> &'static str {
    match exit.class() {
        ExitClass::Forwarded => "forwarded",
        ExitClass::Tunnel => "tunnel",
        ExitClass::Punted => "punted",
        ExitClass::Dropped => "dropped",
    }
}

/// What an exit means.
pub fn explanation(exit: Exit) -> Option<&'static Explanation> {
    EXPLANATIONS.iter().find(|explanation| explanation.exit == exit)
}

/// The table as Markdown, for the documentation.
pub fn markdown() -> String {
    let rows = EXPLANATIONS.iter().map(|Explanation { exit, meaning, remedy }| {
        format!("| `{}` | {} | {meaning} | {remedy} |\n", name(*exit), class(*exit))
    });
    format!(
        "| exit | class | what becomes of the packet | what to do |\n| --- | --- | --- | --- |\n{}",
        rows.collect::<String>()
    )
}

const FINE: &str = "Nothing: this is what the fast path is for.";
const ORDINARY: &str = "Nothing: such packets are the kernel's.";

macro_rules! explain {
    ($($exit:ident: $meaning:expr, $remedy:expr;)+) => {
        &[$(Explanation { exit: Exit::$exit, meaning: $meaning, remedy: $remedy }),+]
    };
}

/// All of them, in order.
pub const EXPLANATIONS: &[Explanation] = explain! {
    ROUTED_PORT: "Routed to an endpoint behind a local port.", FINE;
    ROUTED_GRE: "Routed into a GRE tunnel.", FINE;
    ROUTED_VXLAN: "Routed to an endpoint behind a VXLAN tunnel.", FINE;
    BRIDGED_PORT: "Bridged to a local port.", FINE;
    BRIDGED_VXLAN: "Bridged into a VXLAN tunnel.", FINE;
    GRE_ENCAPSULATED:
        "From a router's own tunnel interface: encapsulated and sent. BGP, and what the kernel forwards.",
        "Nothing. If it grows as fast as traffic does, look which punts of the ports and tunnels do too.";
    GRE_HANDED_UP:
        "From a GRE tunnel: decapsulated and handed to the router's tunnel interface, for the kernel. The \
         exit counted beside it says why.",
        "See the exit beside it. BGP's own packets are for the router itself: `punt-nexthop`, \
         `punt-not-ipv4` and `punt-multicast`.";
    TUNNEL_SENT: "Left by this tunnel; counted besides the packet's own exit.", FINE;
    PUNT_FAST_PATH_OFF:
        "Left to the kernel: the fast path is switched off.",
        "`raas fast-path on`: somebody switched it off. An agent that starts leaves the switch as it finds it.";
    PUNT_UNDERLAY:
        "Left to the kernel: on an uplink, and neither GRE nor VXLAN.",
        "Nothing: it is the hypervisor's own traffic.";
    PUNT_ARP: "Left to the kernel: ARP.", ORDINARY;
    PUNT_NOT_IPV4:
        "Left to the kernel: to be routed, and not IPv4; or to cross a VXLAN tunnel, and neither IPv4 nor \
         IPv6.",
        "Nothing: the fast path routes IPv4 only, and BGP between routers speaks IPv6.";
    PUNT_MULTICAST: "Left to the kernel: broadcast or multicast, by MAC or by IP address.", ORDINARY;
    PUNT_UNKNOWN_MAC:
        "Left to the kernel: the destination's MAC is not in the FDB; the bridge floods the frame.",
        "Passes with the destination's first frame. If it stays: `bridge fdb show` for the MAC; on another \
         hypervisor EVPN has to bring it (`raas status`: is its session up?).";
    PUNT_UNKNOWN_SOURCE:
        "Left to the kernel: the sender's MAC is not known at this port; the bridge learns it.",
        "Passes with the first frame. If it stays: two ports send from one MAC, or one port from more than \
         its domain's share (`bpftool map dump pinned …/maps/FDB`).";
    PUNT_HAIRPIN:
        "Left to the kernel: the destination is behind the port, or the kind of tunnel, that the frame came \
         from.",
        "The sender should have reached it directly. If the station has moved, the bridge learns that from \
         its next frame.";
    PUNT_VLAN:
        "Left to the kernel: the frame has a VLAN tag.",
        "Send untagged: the bridges know no VLANs.";
    PUNT_MALFORMED:
        "Left to the kernel, which discards it: a bad IPv4 header (version, length, checksum), or an address \
         that must not be on the wire.",
        "Look at the sender: `tcpdump -vv` on the port shows what is wrong. A wrong checksum can be an \
         offload that is on where it must not be (`ethtool -k`).";
    PUNT_IP_OPTIONS: "Left to the kernel: the IPv4 header has options.", ORDINARY;
    PUNT_TTL:
        "Left to the kernel: a router on the way counts the TTL down to 0, and answers \"time exceeded\".",
        "Nothing, if it is a traceroute. Otherwise two routers point at each other: run `raas explain` with \
         `--ttl 64`, and compare their routes.";
    PUNT_TOO_BIG:
        "Left to the kernel: larger than the MTU of a hop. It fragments, or answers \"fragmentation \
         needed\".",
        "Nothing, if it is rare: that is path-MTU discovery. If it stays, a firewall eats those answers, or \
         the endpoint ignores them: lower its MTU, or raise the underlay's.";
    PUNT_NO_ROUTE:
        "Left to the kernel: the router has no route. It answers \"unreachable\".",
        "`raas exec ROUTER -- ip route get ADDRESS`. If the kernel has a route, the agent lags or its FIB is \
         full (`raas status`). If not: is the destination's BGP session up?";
    PUNT_NEXTHOP:
        "Left to the kernel: the route says so. It is an address of the router itself, or a neighbour that is \
         not resolved.",
        "Nothing, if it is for the router. A neighbour is resolved by the first packet; one that does not \
         answer ARP is down: `raas exec ROUTER -- ip neigh`.";
    PUNT_WALK:
        "Left to the kernel: more routers on the way than one run of the program walks.",
        "Look for a loop, as with `punt-ttl`; else shorten the chain of transits.";
    PUNT_UNDERLAY_NEXTHOP:
        "Left to the kernel: the tunnel's next hop on the underlay is not resolved.",
        "`ip route get REMOTE` and `ip neigh` on the hypervisor: is the uplink up, does the next hop answer \
         ARP?";
    PUNT_GSO:
        "Left to the kernel, which cuts it up: a GSO packet whose segments the fast path cannot measure, or \
         take from one kind of tunnel to the other.",
        "Nothing, unless it is much of the traffic: the hook `xdp` on the endpoint's port takes GSO from the \
         sender.";
    PUNT_UNKNOWN_PORT:
        "Left to the kernel: an interface without an entry in map `PORTS`.",
        "Passes when the agent has seen the new interface. If it stays: does the agent run, and say nothing \
         of a full map (`raas status`)?";
    PUNT_DEVICE:
        "Left to the kernel: XDP cannot send out of the interface, which is not in map `DEVICES`.",
        "Passes when the agent has seen the new interface. If it stays: `raas status`, then the agent's log.";
    DROP_BLACKHOLE:
        "Discarded: the route is a blackhole.",
        "If that is not wanted: `raas exec ROUTER -- ip route show type blackhole`. Its protocol says who \
         made it.";
    DROP_UNKNOWN_PEER:
        "Discarded: a tunnel packet from a peer, or with a key or VNI, that is not configured.",
        "Compare both ends' configuration: addresses, `gre-key`, `vni`. `tcpdump -ni UPLINK proto gre or udp \
         port 4789` shows who sends it.";
    DROP_BAD_TUNNEL_HEADER:
        "Discarded: a GRE or VXLAN header that the RFCs tell to discard, or outer fragments or options.",
        "Make the peer send GRE without sequence numbers and routing, and the underlay's MTU large \
         enough.";
    DROP_ECN:
        "Discarded: congestion on the underlay, and a sender that cannot be told (RFC 6040, section 4.2).",
        "It is congestion: look at the underlay. A sender with ECN is told instead.";
    DROP_UNDERLAY_NEXTHOP:
        "Discarded: from a router's tunnel interface, and the tunnel's next hop on the underlay is not \
         resolved.",
        "As for `punt-underlay-nexthop`.";
    DROP_HELPER:
        "Discarded: the kernel would not make room for a header or take the packet back.",
        "On TC: an endpoint's own tunnel in GSO packets over GRE, which the kernel cannot cut up; turn GSO off \
         there. On XDP: a driver with too little headroom; use the hook `tc`.";
    DROP_NOT_IP:
        "Discarded: into or out of a GRE tunnel, and neither IPv4 nor IPv6.",
        "Nothing, if the peer sends GRE keep-alives, which nobody here answers: turn them off there.";
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_is_explained_in_order() {
        let explained: Vec<_> = EXPLANATIONS.iter().map(|explanation| explanation.exit).collect();
        let all: Vec<_> = Exit::ALL.iter().map(|(exit, _)| *exit).collect();
        assert_eq!(explained, all);
    }

    #[test]
    fn what_it_says_of_the_kernel_is_the_exits_class() {
        for Explanation { exit, meaning, .. } in EXPLANATIONS {
            let punted = meaning.starts_with("Left to the kernel");
            let dropped = meaning.starts_with("Discarded");
            assert_eq!(
                (punted, dropped),
                (class(*exit) == "punted", class(*exit) == "dropped"),
                "{}",
                name(*exit)
            );
        }
    }

    #[test]
    fn the_manual_has_this_table() {
        let manual = include_str!("../../docs/operations.md");
        assert!(manual.contains(&markdown()), "docs/operations.md is to have this:\n\n{}", markdown());
    }
}
