//! Which settings of a link to change. A link that is about to be made is compared like any other, with what
//! it has then.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{
    apply::{Action, BridgePort, Link, LinkChange, LinkKind, LinkRef, Offloads},
    plan::{Bridge, Namespace, Place, VethEnd, Vxlan},
};

/// How a link must be. `None`: not our business.
pub(super) struct Wanted<'a> {
    pub(super) place: Place,
    pub(super) ifname: &'a str,
    pub(super) alias: Option<&'a str>,
    pub(super) master: Option<Option<&'a str>>,
    mac: Option<[u8; 6]>,
    mtu: Option<u32>,
    /// It does not keep the MTU with which it is made.
    loses_mtu: bool,
    noarp: Option<bool>,
    port: Option<BridgePort>,
    offloads: Option<Offloads>,
    addresses: Option<BTreeSet<(Ipv4Addr, u8)>>,
    link_local: Option<Ipv6Addr>,
}

impl<'a> Wanted<'a> {
    fn new(place: Place, ifname: &'a str, alias: Option<&'a str>) -> Self {
        Self {
            place,
            ifname,
            alias,
            master: None,
            mac: None,
            mtu: None,
            loses_mtu: false,
            noarp: None,
            port: None,
            offloads: None,
            addresses: None,
            link_local: None,
        }
    }

    /// What must be done to a link, given what it is now; `None`: it is about to be made, as a creation
    /// leaves it. `orphaned`: it is no port any more by the time it is changed.
    pub(super) fn compare(&self, name: &str, link: Option<&Link>, orphaned: bool) -> Vec<Action> {
        let link_ref =
            || LinkRef { place: self.place.clone(), ifname: self.ifname.into(), name: name.into() };
        let mut actions = Vec::new();

        let is_master = link.filter(|_| !orphaned).and_then(|link| link.master.as_deref());
        let master = self.master.filter(|master| *master != is_master);
        let change = LinkChange {
            alias: self
                .alias
                .filter(|alias| link.and_then(|link| link.alias.as_deref()) != Some(alias))
                .map(str::to_owned),
            mac: self.mac.filter(|mac| link.is_some_and(|link| link.mac != Some(*mac))),
            mtu: self.mtu.filter(|mtu| link.map_or(self.loses_mtu, |link| link.mtu != *mtu)),
            noarp: self.noarp.filter(|noarp| link.map_or(*noarp, |link| link.noarp != *noarp)),
            master: master.map(|master| master.map(str::to_owned)),
        };
        let joins = change.master.is_some();
        if change != LinkChange::default() {
            actions.push(Action::SetLink { link: link_ref(), change });
        }
        if let Some(port) = self.port
            && (joins || link.and_then(|link| link.port) != Some(port))
        {
            actions.push(Action::SetPort { link: link_ref(), port });
        }
        if let Some(LinkKind::Bridge { stp, multicast_snooping }) = link.map(|link| &link.kind)
            && (*stp || *multicast_snooping)
        {
            actions.push(Action::SetBridge(link_ref()));
        }
        if let Some(offloads) = self.offloads
            && link.and_then(|link| link.offloads) != Some(offloads)
        {
            actions.push(Action::SetOffloads { link: link_ref(), offloads });
        }
        if let Some(wanted) = &self.addresses {
            let none = BTreeSet::new();
            let has = link.map_or(&none, |link| &link.addresses);
            for &(address, prefix) in has.difference(wanted) {
                actions.push(Action::RemoveAddress { link: link_ref(), address, prefix });
            }
            for &(address, prefix) in wanted.difference(has) {
                actions.push(Action::AddAddress { link: link_ref(), address: IpAddr::V4(address), prefix });
            }
        }
        if !link.is_some_and(|link| link.up) {
            actions.push(Action::RaiseLink(link_ref()));
        }
        // The kernel makes this address when the link comes up; here it has lost it afterwards.
        if let Some(wanted) = self.link_local
            && let Some(link) = link
            && link.running
            && !link.link_local.contains(&wanted)
        {
            actions.push(Action::AddAddress { link: link_ref(), address: IpAddr::V6(wanted), prefix: 64 });
        }
        actions
    }

    pub(super) fn veth_end(end: &'a VethEnd, mtu: u16, leased: bool) -> Self {
        Self {
            master: Some(end.bridge.as_deref()),
            mac: Some(end.mac),
            // What a DHCP server gives is the client's business.
            mtu: (!leased).then_some(mtu.into()),
            addresses: (!leased).then(|| end.address.iter().map(|a| (a.address, a.prefix)).collect()),
            noarp: Some(end.noarp),
            offloads: Some(Offloads { gro: true, tx_checksum: !end.tx_checksum_off }),
            link_local: end.link_local.then(|| link_local(end.mac)),
            ..Self::new(end.place.clone(), &end.ifname, Some(&end.alias))
        }
    }

    pub(super) fn vxlan(vxlan: &'a Vxlan) -> Self {
        Self {
            master: Some(Some(&vxlan.bridge)),
            mac: Some(vxlan.mac),
            mtu: Some(vxlan.mtu.into()),
            // EVPN says where stations are; and every ARP request must reach them, or their answer could not
            // be learned.
            port: Some(BridgePort { learning: false, neighbour_suppression: false }),
            ..Self::new(Place::Host, &vxlan.ifname, Some(&vxlan.alias))
        }
    }

    pub(super) fn bridge(bridge: &'a Bridge) -> Self {
        Self {
            mac: Some(bridge.mac),
            mtu: Some(bridge.mtu.into()),
            // It takes the smallest of its ports' until it is given one while it differs.
            loses_mtu: true,
            ..Self::new(Place::Host, &bridge.ifname, Some(&bridge.alias))
        }
    }

    /// Without its alias: that is the mark by which the namespace was found to be ours.
    pub(super) fn loopback(namespace: &'a Namespace) -> Self {
        Self {
            addresses: Some(namespace.loopback.iter().map(|address| (*address, 32)).collect()),
            ..Self::new(Place::Namespace(namespace.netns.clone()), "lo", None)
        }
    }
}

/// The link-local address that the kernel makes of a MAC address (RFC 4291 appendix A: modified EUI-64).
fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    let word = |high, low| u16::from_be_bytes([high, low]);
    Ipv6Addr::new(0xfe80, 0, 0, 0, word(a ^ 0x02, b), word(c, 0xff), word(0xfe, d), word(e, f))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_addresses_are_modified_eui_64() {
        let expected: Ipv6Addr = "fe80::a8c1:abff:fe10:2030".parse().unwrap();
        assert_eq!(link_local([0xaa, 0xc1, 0xab, 0x10, 0x20, 0x30]), expected);
    }
}
