//! Kernel parameters of the lab's namespaces, while packets are compared: answers must depend on nothing but the
//! packet.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};

use crate::Lab;

/// Parameters of endpoints and routers under `/proc/sys/net`, in this order.
const NODES: &[(&str, &str)] = &[
    // No limit on the rate of ICMP messages.
    ("ipv4/icmp_ratemask", "0"),
    // Nothing is reassembled: what is not complete would be reported half a minute later.
    ("ipv4/ipfrag_low_thresh", "0"),
    ("ipv4/ipfrag_high_thresh", "0"),
    // "Fragmentation needed" is believed only by sockets that sent the packet, and there are none: else the size
    // of answers would depend on what was sent before.
    ("ipv4/ip_no_pmtu_disc", "3"),
];

/// The same of hypervisors.
const HYPERVISORS: &[(&str, &str)] = &[
    // Where there is br_netfilter, bridges discard what iptables would call malformed. The fast path takes
    // nothing past netfilter.
    ("bridge/bridge-nf-call-iptables", "0"),
    ("bridge/bridge-nf-call-ip6tables", "0"),
    ("bridge/bridge-nf-call-arptables", "0"),
];

/// What the parameters were. Dropping it sets them again.
pub struct Settings<'a> {
    lab: &'a Lab,
    before: Vec<Before>,
}

/// A parameter of a hypervisor, or of a namespace there.
struct Before {
    hypervisor: String,
    netns: Option<String>,
    parameter: &'static str,
    value: String,
}

impl<'a> Settings<'a> {
    /// Sets them on hypervisors, and in the namespaces of endpoints and routers.
    pub fn apply(lab: &'a Lab) -> Result<Self> {
        let stations = lab.stations().into_iter();
        let mut nodes: Vec<_> =
            stations.map(|station| (station.hypervisor.to_string(), station.netns)).collect();
        for hypervisor in lab.hypervisors() {
            let routers = lab.status(&hypervisor)?.routers.into_iter();
            nodes.extend(routers.map(|router| (hypervisor.clone(), router.netns)));
        }
        // From here on dropping `settings` restores.
        let mut settings = Self { lab, before: Vec::new() };
        for hypervisor in lab.hypervisors() {
            settings.set(&hypervisor, None, HYPERVISORS)?;
        }
        for (hypervisor, netns) in nodes {
            settings.set(&hypervisor, Some(&netns), NODES)?;
        }
        Ok(settings)
    }

    fn set(&mut self, hypervisor: &str, netns: Option<&str>, wanted: &[(&'static str, &str)]) -> Result<()> {
        for (parameter, value) in wanted {
            // None: this kernel has nothing that could be set.
            let Some(before) = swap(self.lab, hypervisor, netns, parameter, value)? else { continue };
            let (hypervisor, netns) = (hypervisor.to_owned(), netns.map(str::to_owned));
            self.before.push(Before { hypervisor, netns, parameter, value: before });
        }
        Ok(())
    }
}

impl Drop for Settings<'_> {
    fn drop(&mut self) {
        for Before { hypervisor, netns, parameter, value } in self.before.iter().rev() {
            if let Err(error) = swap(self.lab, hypervisor, netns.as_deref(), parameter, value) {
                eprintln!("{hypervisor}: {error:#}");
            }
        }
    }
}

/// Sets a parameter; gives what it was, if there is one.
fn swap(
    lab: &Lab,
    hypervisor: &str,
    netns: Option<&str>,
    parameter: &str,
    value: &str,
) -> Result<Option<String>> {
    lab.within(hypervisor, netns, || {
        let path = Path::new("/proc/sys/net").join(parameter);
        if !path.exists() {
            return Ok(None);
        }
        let before = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        fs::write(&path, value).with_context(|| format!("{}: {value}", path.display()))?;
        Ok(Some(before.trim().to_owned()))
    })
}
