//! The two ends of a GRE tunnel's veth: what a router sends into its tunnel, and what is handed up to a
//! router.

use raas_common::{Exit, Mac};
use raas_lab::packet::ethernet;

use super::{
    Decision, Fate, Leaving, Oracle, Outcome, Path, Sent,
    bridge::set_tos,
    bytes::{Bytes, ETHERNET},
    decapsulated_tos, encapsulate, is_drop, left, stopped,
    underlay::Arrival,
};
use crate::model::{Role, Tunnel};

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;

impl<'a> Oracle<'a> {
    pub(super) fn predict(&self) -> Vec<Outcome> {
        let Some(interface) = self.world.interface(self.input.ingress) else {
            return vec![stopped(0, Exit::PUNT_UNKNOWN_PORT)];
        };
        let scope = interface.scope;
        match interface.role {
            Role::Endpoint(domain) => {
                let end = self.frame.len();
                let arrival = Arrival { scope, tunnel: None, framing: ETHERNET, end, tos: 0, ethertype: 0 };
                let decisions = self.if_on(|| self.bridge(&arrival, self.world.domain(domain)));
                self.conclude(&arrival, decisions)
            }
            Role::Uplink => {
                let arrival = match self.decapsulate() {
                    Ok(arrival) => arrival,
                    Err(exit) => return vec![stopped(scope, exit)],
                };
                let decisions = self.if_on(|| match arrival.tunnel {
                    Some(tunnel) if tunnel.is_vxlan() => {
                        self.bridge(&arrival, self.world.domain(tunnel.owner))
                    }
                    Some(tunnel) if arrival.ethertype == IPV4 => self.route(&arrival, tunnel.owner, None),
                    _ => Err(Exit::PUNT_NOT_IPV4),
                });
                self.conclude(&arrival, decisions)
            }
            Role::TunnelEnd(tunnel) => match self.encapsulated(self.world.tunnel(tunnel)) {
                Ok(leaving) => vec![left(scope, leaving)],
                Err(exit) => vec![stopped(scope, exit)],
            },
            Role::Stranger => unreachable!("not one of ours"),
        }
    }

    /// Switched off, the fast path forwards nothing.
    fn if_on(&self, decide: impl FnOnce() -> Result<Vec<Decision>, Exit>) -> Result<Vec<Decision>, Exit> {
        if self.input.fast_path { decide() } else { Err(Exit::PUNT_FAST_PATH_OFF) }
    }

    /// Sends what is to be sent, if the hook can. What GRE brought and the fast path leaves alone goes up to
    /// the router; everything else is the kernel's as it came.
    fn conclude(&self, arrival: &Arrival<'a>, decisions: Result<Vec<Decision>, Exit>) -> Vec<Outcome> {
        let decisions = decisions.unwrap_or_else(|exit| vec![Decision::only(Err(exit))]);
        let conclude = |decision: Decision| {
            let outcome = match decision.result.and_then(|leaving| self.check_hook(arrival, leaving)) {
                Ok(leaving) => left(arrival.scope, leaving),
                Err(exit) => match arrival.tunnel.filter(|tunnel| !tunnel.is_vxlan()) {
                    Some(tunnel) if !is_drop(exit) => self.hand_up(arrival, tunnel, exit),
                    _ => stopped(arrival.scope, exit),
                },
            };
            Outcome { path: decision.path, ..outcome }
        };
        decisions.into_iter().map(conclude).collect()
    }

    fn check_hook(&self, arrival: &Arrival<'a>, leaving: Leaving) -> Result<Leaving, Exit> {
        if !self.can_send(leaving.sent.egress) {
            Err(Exit::PUNT_DEVICE)
        } else if !self.can_reframe(arrival.framing, &leaving) {
            Err(Exit::PUNT_GSO)
        } else {
            Ok(leaving)
        }
    }

    /// Decapsulated, and put into the router's tunnel interface.
    fn hand_up(&self, arrival: &Arrival<'a>, tunnel: &Tunnel, exit: Exit) -> Outcome {
        match self.handed_up(arrival, tunnel) {
            Ok(sent) => Outcome {
                counts: vec![(arrival.scope, exit), (arrival.scope, Exit::GRE_HANDED_UP)],
                fate: Fate::Sent(sent),
                path: Path::default(),
            },
            Err(exit) => stopped(arrival.scope, exit),
        }
    }

    fn handed_up(&self, arrival: &Arrival<'a>, tunnel: &Tunnel) -> Result<Sent, Exit> {
        let (egress, mac) = tunnel.end.expect("a GRE tunnel has an interface");
        let packet = self.frame.from(arrival.framing);
        let whole = tos_of(packet, arrival.ethertype)?.filter(|&(_, len)| arrival.len() >= len);
        let (tos, _) = whole.ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
        let tos = decapsulated_tos(arrival.tos, tos).ok_or(Exit::DROP_ECN)?;
        if self.is_gso() || !self.can_send(egress) {
            return Err(Exit::DROP_HELPER);
        }
        // The sender's address differs from the receiver's in the U/L bit.
        let mut sender = mac.bytes;
        sender[0] ^= 2;
        let mut frame = ethernet(mac, Mac::new(sender), arrival.ethertype, packet.0);
        set_tos(&mut frame[ETHERNET..], arrival.ethertype, tos);
        Ok(Sent { egress, peer: false, frame, entropy: None })
    }

    /// What the router sends into its tunnel is encapsulated, whatever it is.
    fn encapsulated(&self, tunnel: &Tunnel) -> Result<Leaving, Exit> {
        // A tagged frame is no IP packet, wherever the tag is.
        let untagged = self.input.stripped.is_none();
        let ethertype = self.frame.u16(12).filter(|_| untagged).ok_or(Exit::DROP_NOT_IP)?;
        let packet = self.frame.from(ETHERNET);
        let (tos, _) = tos_of(packet, ethertype)?.ok_or(Exit::DROP_NOT_IP)?;
        let (egress, frame) =
            encapsulate(tunnel, tos, ethertype, packet.0, &[]).ok_or(Exit::DROP_UNDERLAY_NEXTHOP)?;
        if self.is_gso() || !self.can_send(egress) {
            return Err(Exit::DROP_HELPER);
        }
        Ok(Leaving::by_gre(Exit::GRE_ENCAPSULATED, tunnel, egress, frame))
    }
}

/// TOS or traffic class, and the length of the header that it stands in; `None`: the header is cut short.
fn tos_of(packet: Bytes<'_>, ethertype: u16) -> Result<Option<(u8, usize)>, Exit> {
    match ethertype {
        IPV4 => Ok(packet.ipv4().map(|ip| (ip.tos, 20))),
        IPV6 => Ok(packet.array::<40>(0).map(|header| (header[0] << 4 | header[1] >> 4, 40))),
        _ => Err(Exit::DROP_NOT_IP),
    }
}
