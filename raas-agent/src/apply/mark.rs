//! The mark that says "this is ours": an interface's alias `raas:<hypervisor>:<full name>`.
//!
//! A namespace carries its mark on `lo`, so that ownership can be read from the machine alone, without a
//! state file, and two agents (two hypervisor names) can share a machine. Routes carry
//! [`Desired::ROUTE_PROTOCOL`](crate::plan::Desired::ROUTE_PROTOCOL) besides, and are looked at in our
//! namespaces only.

/// What every mark of every hypervisor begins with.
const PREFIX: &str = "raas";

/// The mark of the object with this full name, e.g. `raas:h1:acme/vpc1-s1`.
pub fn mark(hypervisor: &str, name: &str) -> String {
    format!("{PREFIX}:{hypervisor}:{name}")
}

/// Whether an alias is a mark of this hypervisor's.
pub fn is_ours(alias: Option<&str>, hypervisor: &str) -> bool {
    name_of(alias, hypervisor).is_some()
}

/// The full name in an alias that is a mark of this hypervisor's.
pub fn name_of<'a>(alias: Option<&'a str>, hypervisor: &str) -> Option<&'a str> {
    alias?.strip_prefix(PREFIX)?.strip_prefix(':')?.strip_prefix(hypervisor)?.strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_hypervisors_mark_is_not_ours() {
        let ours = mark("h1", "acme/pc1");
        assert_eq!(name_of(Some(&ours), "h1"), Some("acme/pc1"));
        for (alias, hypervisor) in
            [(Some("raas:h10:acme/pc1"), "h1"), (Some("raas:h1"), "h1"), (Some("uplink"), "h1"), (None, "h1")]
        {
            assert!(!is_ours(alias, hypervisor), "{alias:?}");
        }
    }
}
