//! What may differ between the two paths, each with its reason. Whatever is not named here must be the same, bit
//! for bit.

use std::net::Ipv4Addr;

use etherparse::checksum::Sum16BitWords;
use raas_agent::model::Name;

use super::{
    case::{Case, number_in},
    headers::{Icmpv4, L3, ipv4, rewrite},
    tunnel::Tunnel,
    world::World,
};

/// What is known about a frame when it is compared.
pub struct Context<'a> {
    pub world: &'a World,
    /// The place that received it.
    pub at: usize,
    /// What was sent.
    pub cases: &'a [Case],
}

/// Something that may differ.
enum Difference {
    /// Makes tenants' frames that differ in this alone the same.
    Frame(fn(&Context, Vec<u8>) -> Vec<u8>),
    /// The same of what is around them on the underlay.
    Tunnel(fn(&mut Tunnel)),
    /// Says of which cases something may arrive with the fast path on only.
    Arrival(fn(&World, &Case) -> bool),
}

/// All that may differ.
const DIFFERENCES: &[Difference] = &[
    // A kernel counts the identification of what it sends itself: errors, answers (RFC 6864).
    Difference::Frame(identification),
    // An answer to an ICMP timestamp request says what time it is.
    Difference::Frame(timestamps),
    // Kernel and fast path hash flows with different functions: of several equal routers (ECMP), another one may
    // see the TTL end, or find the packet too big.
    Difference::Frame(equal_router),
    // A kernel that routes cuts off what stands behind the IPv4 packet. The fast path leaves a NIC's padding
    // there, which every receiver ignores (RFC 894).
    Difference::Frame(padding),
    // The kernel counts the identification of the tunnel packets that it makes. The fast path sends 0, since they
    // are never fragmented (RFC 6864).
    Difference::Tunnel(Tunnel::erase_identification),
    // Around a packet that has met congestion the kernel says ECT(0) (RFC 3168, section 9.1.1), the fast path that
    // it has (RFC 6040, section 4.1). What is taken out is the same.
    Difference::Tunnel(Tunnel::erase_congestion),
    // VXLAN's source port is any function of the flow (RFC 7348, section 5), and each path has its own.
    Difference::Tunnel(Tunnel::erase_source_port),
    // The key names one of several GRE tunnels, between which ECMP chooses.
    Difference::Tunnel(Tunnel::erase_key),
    // Each kernel on the way discards what claims to come from itself (`fib_validate_source`). The fast path asks
    // that of the first router only: it would cost a lookup at each.
    Difference::Arrival(is_from_a_router),
    // Reserved bits of a VXLAN header are to be ignored (RFC 7348, section 5). The kernel discards such packets.
    Difference::Arrival(has_reserved_vxlan_bits),
];

/// Whether something of this case may arrive with the fast path on, and nothing without.
pub fn may_arrive_on_fast_path_only(world: &World, case: &Case) -> bool {
    DIFFERENCES.iter().any(|difference| matches!(difference, Difference::Arrival(may) if may(world, case)))
}

/// The frame without what may differ.
pub fn erase(context: &Context, frame: &[u8]) -> Vec<u8> {
    let tunnel = Tunnel::of(frame).filter(|_| context.world.is_underlay(context.at));
    let Some(mut tunnel) = tunnel else { return erase_in(context, frame.to_vec()) };
    for difference in DIFFERENCES {
        if let Difference::Tunnel(erase) = difference {
            erase(&mut tunnel);
        }
    }
    tunnel.inner = erase_in(context, tunnel.inner);
    tunnel.whole()
}

fn erase_in(context: &Context, mut frame: Vec<u8>) -> Vec<u8> {
    for difference in DIFFERENCES {
        if let Difference::Frame(erase) = difference {
            frame = erase(context, frame);
        }
    }
    frame
}

impl Context<'_> {
    /// Whose a frame is: the receiver's, or, on the underlay, the one's that sent the case.
    fn tenant(&self, frame: &[u8]) -> Option<&Name> {
        let case = || self.cases.iter().find(|case| Some(case.number) == number_in(frame));
        let endpoint = self.world.endpoints.get(self.at).or_else(|| self.world.endpoints.get(case()?.sender));
        endpoint.map(|endpoint| &endpoint.station.tenant)
    }
}

fn identification(context: &Context, mut frame: Vec<u8>) -> Vec<u8> {
    let Some(mut header) = ipv4(&frame).map(|packet| packet.header) else { return frame };
    if !context.cases.iter().any(|case| case.is_carried_by(&frame)) {
        header.identification = 0;
        rewrite(&mut frame, header);
    }
    frame
}

fn timestamps(_: &Context, mut frame: Vec<u8>) -> Vec<u8> {
    let Some(packet) = ipv4(&frame) else { return frame };
    let is_reply = Icmpv4::of(&packet).is_some_and(|icmp| icmp.kind() == 14);
    let right = Sum16BitWords::new().add_slice(packet.payload).ones_complement() == 0;
    if is_reply && right && packet.payload.len() >= 20 {
        // Checksum; receive and transmit timestamp (RFC 792).
        let icmp = L3 + packet.header.header_len();
        frame[icmp + 2..icmp + 4].fill(0);
        frame[icmp + 12..icmp + 20].fill(0);
    }
    frame
}

fn equal_router(context: &Context, mut frame: Vec<u8>) -> Vec<u8> {
    let Some(packet) = ipv4(&frame) else { return frame };
    if Icmpv4::of(&packet).is_some_and(|icmp| icmp.quoted().is_some()) {
        let mut header = packet.header;
        let Some(tenant) = context.tenant(&frame) else { return frame };
        header.source = context.world.representative(tenant, Ipv4Addr::from(header.source)).octets();
        rewrite(&mut frame, header);
    }
    frame
}

fn is_from_a_router(world: &World, case: &Case) -> bool {
    let frame = case.content();
    let Some(packet) = ipv4(&frame) else { return false };
    let source = Ipv4Addr::from(packet.header.source);
    let mut gateways =
        world.endpoints.iter().flat_map(|endpoint| [endpoint.gateway, endpoint.network.broadcast()]);
    gateways.any(|gateway| gateway == source) || world.routers.iter().any(|router| router.address == source)
}

fn has_reserved_vxlan_bits(_: &World, case: &Case) -> bool {
    case.from != case.sender && Tunnel::of(&case.frame).is_some_and(|tunnel| tunnel.has_reserved_vxlan_bits())
}

fn padding(_: &Context, mut frame: Vec<u8>) -> Vec<u8> {
    if let Some(packet) = ipv4(&frame) {
        frame.truncate(L3 + usize::from(packet.header.total_len));
    }
    frame
}
