//! Packets over real interfaces. A test run does not say where a packet leaves, and it cannot strip a VLAN
//! tag: a cable can do both.

use crate::{
    oracle::{Gso, Hook, Input},
    rig::Rig,
};

/// The kernel pulls a tag and what stands behind it before it calls a TC program, and discards a frame that
/// has not that much (net/core/skbuff.c, `skb_vlan_untag`).
const TAGGED: usize = 14 + 4 + 2;

/// What the program will see of the packet; `None`: nothing, or not this one.
pub fn arriving(input: &Input) -> Option<Input> {
    let mut input = Input { gso: Gso::default(), ..input.clone() };
    if input.hook == Hook::Tc && is_tag(input.frame.get(12..14)?) {
        if input.frame.len() < TAGGED {
            return None;
        }
        let control = [input.frame[14], input.frame[15]];
        input.stripped = Some(u16::from_be_bytes(control));
        input.frame.drain(12..16);
    }
    Some(input)
}

fn is_tag(ethertype: &[u8]) -> bool {
    [[0x81, 0x00], [0x88, 0xa8]].iter().any(|tag| tag == ethertype)
}

/// On TC a packet may be put straight into the peer of a veth.
pub fn skips_to_peers(input: &Input) -> bool {
    input.hook == Hook::Tc
}

/// Lets the packet arrive, and gives every frame that left: interface index, bytes. All of it happens before
/// the write returns.
pub fn send(rig: &mut Rig, input: &Input) -> Vec<(u32, Vec<u8>)> {
    let at = rig.taps.iter().position(|tap| tap.index == input.ingress).expect("an interface of ours");
    rig.taps[at].write(&input.frame);
    let mut seen = Vec::new();
    for tap in &mut rig.taps {
        while let Some(frame) = tap.read() {
            seen.push((tap.index, frame));
        }
    }
    seen
}
