//! What a flow is, and that it keeps to one way: one hop of a router where several share the load, one UDP
//! source port of VXLAN.

use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, bytes::Bytes};

/// What the packets of a flow have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow(Vec<u8>);

impl Flow {
    /// Addresses, protocol, and ports, if the protocol has any and each packet of the flow shows them: a
    /// fragment may not. `plain`: the ports would stand where they do without IP options.
    pub fn ipv4(packet: Bytes<'_>, plain: bool) -> Self {
        let Some(ip) = packet.ipv4() else { return Self(Vec::new()) };
        let has_ports = matches!(ip.protocol, 6 | 17 | 33 | 132 | 136) && !ip.is_fragment() && plain;
        let ports = packet.array::<4>(20).filter(|_| has_ports).unwrap_or_default();
        Self([&ip.source.octets()[..], &ip.destination.octets(), &[ip.protocol], &ports].concat())
    }

    /// Addresses and flow label (RFC 6438).
    pub fn ipv6(header: &[u8; 40]) -> Self {
        Self([&header[8..], &[header[1] & 0xf], &header[2..4]].concat())
    }
}

/// More flows than this are forgotten, and start anew.
const MOST: usize = 50_000;

/// What flows did so far.
#[derive(Default)]
pub struct Flows {
    /// By router and flow: the hops that the flow may be keeping to.
    hops: BTreeMap<(u32, Flow), BTreeSet<usize>>,
    /// By flow: its VXLAN source port.
    entropy: BTreeMap<Flow, u16>,
}

impl Flows {
    /// A packet took one of these ways, which look alike.
    pub fn took(&mut self, outcomes: &[&Outcome]) -> Result<(), String> {
        if self.hops.len() > MOST {
            self.hops.clear();
        }
        let mut taken: BTreeMap<(u32, &Flow), BTreeSet<usize>> = BTreeMap::new();
        for path in outcomes.iter().map(|outcome| &outcome.path) {
            for &(router, hop) in &path.choices {
                taken.entry((router, &path.flow)).or_default().insert(hop);
            }
        }
        for ((router, flow), taken) in taken {
            let kept = self.hops.entry((router, flow.clone())).or_insert_with(|| taken.clone());
            let still: BTreeSet<usize> = kept.intersection(&taken).copied().collect();
            if still.is_empty() {
                return Err(format!("router {router} sent this flow by hop {kept:?}, and now by {taken:?}"));
            }
            *kept = still;
        }
        Ok(())
    }

    /// A packet of `flow` left with this source port.
    pub fn left_with(&mut self, flow: &Flow, port: u16) -> Result<(), String> {
        if self.entropy.len() > MOST {
            self.entropy.clear();
        }
        // RFC 7348, section 5: from the dynamic range.
        if port < 49152 {
            return Err(format!("VXLAN source port {port} is not in the dynamic range"));
        }
        let kept = *self.entropy.entry(flow.clone()).or_insert(port);
        if kept != port {
            return Err(format!("VXLAN source port {port}, and {kept} for a packet of the same flow"));
        }
        Ok(())
    }
}
