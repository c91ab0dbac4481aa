//! Routers that are not ours: how many routes are taken from one, and which are taken and told.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::Lines;

/// What is agreed with a router that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::plan) struct Foreign {
    /// Its address; none: the session is unnumbered.
    pub(in crate::plan) address: Option<Ipv4Addr>,
    pub(in crate::plan) asn: u32,
    pub(in crate::plan) maximum_prefix: u32,
    /// Networks of which routes are taken; all, if there is none.
    pub(in crate::plan) import: Vec<Ipv4Net>,
    /// Networks of which routes are told; all, if there is none.
    pub(in crate::plan) export: Vec<Ipv4Net>,
}

/// Minutes after which a session that was closed for too many prefixes is opened again.
const RESTART: u32 = 1;

impl Foreign {
    /// In the address family of the router: what applies to the neighbour's group.
    pub(super) fn render_limits(&self, out: &mut Lines, vrf: &str, interface: &str) {
        let group = format!("FOREIGN-{interface}");
        for (direction, name, _) in self.lists(vrf, interface) {
            out.line(2, format_args!("neighbor {group} prefix-list {name} {direction}"));
        }
        out.line(
            2,
            format_args!("neighbor {group} maximum-prefix {} restart {RESTART}", self.maximum_prefix),
        );
    }

    /// Beside the router: the prefix lists. What no entry permits, a list denies.
    pub(super) fn render_lists(&self, out: &mut Lines, vrf: &str, interface: &str) {
        for (_, name, networks) in self.lists(vrf, interface) {
            for (network, sequence) in networks.iter().zip((5..).step_by(5)) {
                let more_specific = match network.prefix_len() {
                    0 => "any".to_owned(),
                    32 => network.to_string(),
                    _ => format!("{network} le 32"),
                };
                out.line(0, format_args!("ip prefix-list {name} seq {sequence} permit {more_specific}"));
            }
            out.line(0, "!");
        }
    }

    /// Direction, name and networks of each list that there is.
    fn lists(&self, vrf: &str, interface: &str) -> impl Iterator<Item = (&'static str, String, &[Ipv4Net])> {
        let list = |direction, verb, networks| (direction, format!("{vrf}-{interface}-{verb}"), networks);
        [list("in", "import", &self.import[..]), list("out", "export", &self.export[..])]
            .into_iter()
            .filter(|(_, _, networks)| !networks.is_empty())
    }
}
