//! Packets of tunnels, as the other hypervisor sends them, or as nobody should.

use super::{
    super::underlay::{Link, LinkKind},
    Context, Described,
};
use crate::packet::{IPV4, ethernet};

/// Through any tunnel of the sender's tenant that comes from its hypervisor. Outer headers say what the underlay
/// may have made of them: any congestion mark (RFC 6040), any TOS.
pub fn tunnelled(context: &mut Context, link: &Link) -> Described {
    let underlay = link.underlay(&context.world.uplinks);
    let fellow = context.fellow();
    let (source, destination) = (context.source(), fellow.address);
    let tos = context.rng.u8(..);
    context.mtu = context.world.underlay_mtu - link.kind.overhead();
    let (what, mut frame) = match link.kind {
        LinkKind::Gre(key) => {
            let (what, packet) = context.ipv4(source, destination);
            let key = key.map(|key| if context.percent(5) { key ^ 1 } else { key });
            (format!("GRE key {key:?}, outer TOS {tos:#04x}: {what}"), underlay.gre(tos, key, IPV4, &packet))
        }
        LinkKind::Vxlan(vni) => {
            let (what, packet) = context.ipv4(source, destination);
            let neighbour = context.neighbour().filter(|_| context.rng.bool());
            let mac = neighbour.map_or(context.from.gateway_mac, |neighbour| neighbour.mac);
            let inner = ethernet(mac, context.from.mac, IPV4, &packet);
            let vni = if context.percent(5) { vni ^ 1 } else { vni };
            let what = format!("VXLAN {vni}, outer TOS {tos:#04x}, to {mac}: {what}");
            (what, underlay.vxlan(tos, context.rng.u16(..), vni, &inner))
        }
    };
    let fault = match context.rng.u8(..40) {
        // GRE's flags and version, or VXLAN's flags and reserved bits.
        0 | 1 => {
            let at = if matches!(link.kind, LinkKind::Vxlan(_)) { 42 } else { 34 } + context.rng.usize(..2);
            frame[at] ^= 1 << context.rng.u8(..8);
            format!(", byte {at} is {:#04x}", frame[at])
        }
        2 => {
            frame.truncate(context.rng.usize(34..frame.len()));
            format!(", cut off after {} bytes", frame.len())
        }
        _ => String::new(),
    };
    (format!("{what}{fault}"), frame)
}
