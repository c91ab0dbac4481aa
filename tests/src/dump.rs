//! The state of a lab as text, for whoever has to find out why a scenario failed.

use std::fmt::Write as _;

use crate::Lab;

/// What is shown of a hypervisor.
const HYPERVISOR: &[&str] = &[
    "ip -brief address",
    "ip neighbour",
    "bridge fdb show",
    "raas status",
    "raas counters",
    "vtysh --vty_socket /run/raas/frr -c 'show bgp vrf all summary'",
    "vtysh --vty_socket /run/raas/frr -c 'show bgp l2vpn evpn'",
];

/// What is shown of each namespace.
const NAMESPACE: &[&str] = &["ip -brief address", "ip route", "ip neighbour"];

/// Lines of the agent's log.
const LOG_LINES: usize = 80;

impl Lab {
    /// Links, addresses, routes, sessions, counters and logs of all hypervisors. What cannot be read says
    /// why.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for hypervisor in self.hypervisors() {
            for command in HYPERVISOR {
                self.show(&mut text, &hypervisor, None, command);
            }
            let netns = self.exec(&hypervisor, None, &["ls", "/run/netns"]);
            let names =
                netns.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
            for name in names.lines() {
                for command in NAMESPACE {
                    self.show(&mut text, &hypervisor, Some(name), command);
                }
            }
            let log = self.agent_log(&hypervisor);
            let skip = log.lines().count().saturating_sub(LOG_LINES);
            push(
                &mut text,
                &format!("{hypervisor}: agent.log"),
                &log.lines().skip(skip).collect::<Vec<_>>().join("\n"),
            );
        }
        text
    }

    fn show(&self, text: &mut String, hypervisor: &str, netns: Option<&str>, command: &str) {
        let directory =
            crate::agent::binary().ok().and_then(|raas| Some(raas.parent()?.display().to_string()));
        let script = format!("PATH={}:$PATH; {command} 2>&1", directory.unwrap_or_default());
        let shown = match self.exec(hypervisor, netns, &["sh", "-c", &script]) {
            Ok(output) => String::from_utf8_lossy(&output.stdout).into_owned(),
            Err(error) => format!("{error:#}"),
        };
        let place = netns.map_or_else(|| hypervisor.to_owned(), |netns| format!("{hypervisor}/{netns}"));
        push(text, &format!("{place}: {command}"), shown.trim_end());
    }
}

fn push(text: &mut String, title: &str, shown: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "=== {title}\n{shown}");
}
