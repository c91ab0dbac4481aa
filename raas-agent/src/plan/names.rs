//! Names and addresses that follow from what a thing is called, and so are the same after every restart.

use std::{fmt, net::Ipv6Addr};

use crate::model::Name;

/// Digits of short names: without `i`, `l`, `o` and `u`, as in Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// What an interface in the hypervisor's own namespace is, told by the first two letters of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Bridge port that leads to an endpoint.
    Port,
    /// Bridge.
    Bridge,
    /// VXLAN device.
    Vxlan,
    /// Outer end of a GRE tunnel's veth.
    Tunnel,
    /// Bridge port that leads to the leaf.
    Leaf,
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Port => "rp",
            Self::Bridge => "rb",
            Self::Vxlan => "rv",
            Self::Tunnel => "rt",
            Self::Leaf => "rl",
        })
    }
}

/// Names on one hypervisor.
#[derive(Clone, Debug)]
pub(super) struct Names {
    hypervisor: Name,
}

impl Names {
    pub(super) fn new(hypervisor: Name) -> Self {
        Self { hypervisor }
    }

    /// Kernel name of an interface in the hypervisor's own namespace: prefix and 50 bits of hash, 12
    /// characters.
    pub(super) fn interface(&self, prefix: Prefix, full_name: &str) -> String {
        let hash = self.hash(full_name);
        let digits = (0..10).rev().map(|digit| char::from(DIGITS[(hash >> (5 * digit)) as usize % 32]));
        digits.fold(prefix.to_string(), |mut name, digit| {
            name.push(digit);
            name
        })
    }

    /// Alias of an interface: our mark and the full name.
    pub(super) fn alias(&self, full_name: &str) -> String {
        format!("raas:{}:{full_name}", self.hypervisor)
    }

    /// MAC address of an interface: locally administered, unicast, 46 bits of hash.
    pub(super) fn mac(&self, full_name: &str) -> [u8; 6] {
        let [_, _, mut bytes @ ..] = self.hash(full_name).to_be_bytes();
        bytes[0] = bytes[0] & !0b11 | 0b10;
        bytes
    }

    /// IPv6 link-local address that the kernel derives from an interface's MAC.
    pub(super) fn link_local(&self, full_name: &str) -> Ipv6Addr {
        link_local(self.mac(full_name))
    }

    /// 64 bits from hypervisor and full name: FNV-1a, then the finaliser of MurmurHash3, since FNV alone
    /// leaves names with a common beginning alike in most bits, and only some bits are used. Names on disk
    /// and on the wire depend on it: it must never change, which is why it is not the standard library's
    /// hasher.
    fn hash(&self, full_name: &str) -> u64 {
        let bytes = self.hypervisor.as_str().bytes().chain([b':']).chain(full_name.bytes());
        let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        hash = (hash ^ hash >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ hash >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^ hash >> 33
    }
}

/// Name within its hypervisor of what belongs to a tenant: `tenant/name`.
pub(super) fn full_name(tenant: &Name, name: &Name) -> String {
    format!("{tenant}/{name}")
}

/// Name of a namespace of ours under `/run/netns`. At most 32 bytes: FRR, for which it is a VRF, takes 35.
pub(super) fn netns(tenant: &Name, name: &Name) -> String {
    format!("raas-{tenant}-{name}")
}

/// Link-local address from a MAC by modified EUI-64 (RFC 4291, appendix A).
fn link_local(mac: [u8; 6]) -> Ipv6Addr {
    let [a, b, c, d, e, f] = mac;
    let identifier = u64::from_be_bytes([a ^ 0b10, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from(0xfe80_u128 << 112 | u128::from(identifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(hypervisor: &str) -> Names {
        Names::new(hypervisor.parse().unwrap())
    }

    #[test]
    fn are_the_same_for_ever() {
        // A change here renames every interface of a running hypervisor.
        let names = names("h1");
        assert_eq!(names.interface(Prefix::Bridge, "acme/web"), "rbj5xz8hx4r1");
        assert_eq!(names.alias("acme/web"), "raas:h1:acme/web");
    }

    #[test]
    fn differ_between_hypervisors_and_ends() {
        let macs = [names("h1").mac("acme/a/b"), names("h1").mac("acme/b/a"), names("h2").mac("acme/a/b")];
        assert!(macs[0] != macs[1] && macs[0] != macs[2]);
        for mac in macs {
            assert_eq!(mac[0] & 0b11, 0b10, "locally administered, unicast");
        }
    }

    #[test]
    fn link_local_is_what_the_kernel_makes_of_a_mac() {
        let mac = [0x52, 0x54, 0x00, 0x12, 0x34, 0x56];
        assert_eq!(link_local(mac).to_string(), "fe80::5054:ff:fe12:3456");
    }
}
