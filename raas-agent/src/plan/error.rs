//! What can make a plan impossible.

use std::fmt;

use crate::model::Name;

/// Why there is no plan for a network that is valid in itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The fabric has no hypervisor of this name.
    #[error("the fabric has no hypervisor `{name}`; there are: {}", join(known))]
    UnknownHypervisor {
        /// The name.
        name: Name,
        /// Those that there are.
        known: Vec<Name>,
    },
    /// A reference within a tenant leads nowhere. (The configuration's check finds these first.)
    #[error("tenant `{tenant}`: there is no {what} `{name}`")]
    Dangling {
        /// The tenant.
        tenant: Name,
        /// What is missing.
        what: &'static str,
        /// Its name.
        name: Name,
    },
    /// A pool has nothing left to give.
    #[error("no {pool} is left for `{name}`: all {size} are in use")]
    Exhausted {
        /// The pool.
        pool: Pool,
        /// How many it has.
        size: u32,
        /// Who asked.
        name: String,
    },
    /// Two things would get the same interface name, namespace or MAC address.
    #[error("`{first}` and `{second}` would share the {what} `{value}`: rename one of them")]
    Collision {
        /// What they would share.
        what: &'static str,
        /// Its value.
        value: String,
        /// Full name (alias) of the one.
        first: String,
        /// Full name (alias) of the other.
        second: String,
    },
    /// The underlay's MTU leaves too little for what is carried in tunnels.
    #[error(
        "an underlay MTU of {underlay} leaves {inner} for {what}, and IPv6 (which carries BGP) needs 1280"
    )]
    MtuTooSmall {
        /// MTU of the underlay.
        underlay: u16,
        /// What would be left.
        inner: u16,
        /// For what.
        what: String,
    },
}

fn join(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}

/// A pool that numbers are taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// Indexes into map `ROUTERS`.
    Routers,
    /// Indexes into map `DOMAINS`.
    Domains,
    /// Indexes into map `ENCAPS`.
    Tunnels,
    /// Scopes of map `COUNTERS`.
    Scopes,
    /// A tenant's loopbacks on this hypervisor.
    Loopbacks,
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Routers => "router id",
            Self::Domains => "bridge domain id",
            Self::Tunnels => "tunnel id",
            Self::Scopes => "counter scope",
            Self::Loopbacks => "loopback address",
        })
    }
}
