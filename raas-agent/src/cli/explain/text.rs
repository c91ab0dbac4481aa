//! The answer for people.

use std::fmt;

use super::{
    headers::Header,
    report::{ExitReport, Report},
    way::{Hop, Step},
};
use crate::{
    cli::table::table,
    exits::{self, Explanation},
};

/// The packet, its way, its end.
pub struct Text<'r>(pub &'r Report);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { hypervisor, port, interface, hook, packet, steps, exit, also, sent, next, warnings } =
            self.0;
        writeln!(f, "{hypervisor}: enters by {}, hook {hook}", full(port, interface))?;
        headers(f, &packet.headers)?;
        let lines: Vec<String> = steps.iter().filter_map(line).collect();
        if !lines.is_empty() {
            writeln!(f, "\n{}", lines.join("\n"))?;
        }
        let hops: Vec<&Hop> = steps.iter().filter_map(hop).collect();
        if !hops.is_empty() {
            let header = ["router", "ttl", "kernel's route", "by", "fast path's nexthop", "mtu"];
            writeln!(f, "\n{}", table(&header, &[1, 5], hops.into_iter().map(row)))?;
        }
        match sent {
            Some(sent) => {
                writeln!(f, "\nleaves by {}", full(&sent.port, &sent.interface))?;
                headers(f, &sent.frame.headers)?;
            }
            None if exit.class == "dropped" => writeln!(f, "\nis discarded")?,
            None => writeln!(f, "\ngoes on to the kernel, untouched")?,
        }
        writeln!(f)?;
        exit_lines(f, exit)?;
        also.iter().try_for_each(|exit| exit_lines(f, exit))?;
        write!(f, "what to do: {}", exit.remedy)?;
        if let Some(next) = next {
            write!(f, "\n\non the hypervisor at {}, go on with\n  {}", next.address, next.command)?;
        }
        warnings.iter().try_for_each(|warning| write!(f, "\nwarning: {warning}"))
    }
}

/// A port's name, and the interface's if that is another.
fn full(port: &str, interface: &str) -> String {
    if port == interface { port.to_owned() } else { format!("{port} ({interface})") }
}

fn headers(f: &mut fmt::Formatter<'_>, headers: &[Header]) -> fmt::Result {
    headers.iter().try_for_each(|header| writeln!(f, "  {header}"))
}

fn exit_lines(f: &mut fmt::Formatter<'_>, exit: &ExitReport) -> fmt::Result {
    writeln!(f, "exit {} ({}): {}", exit.name, exit.scope, exit.meaning)
}

/// Steps that are no router's.
fn line(step: &Step) -> Option<String> {
    match step {
        Step::Domain { name, by } => Some(format!("in bridge domain {name}, from {by}")),
        Step::Decapsulated { tunnel } => Some(format!("out of GRE tunnel {tunnel}")),
        Step::Station { behind, mtu } => Some(format!("the destination is behind {behind}, MTU {mtu}")),
        Step::Gateway { router } => Some(format!("the destination is the gateway, {router}")),
        Step::Router(_) | Step::Sent { .. } | Step::Exit { .. } => None,
    }
}

fn hop(step: &Step) -> Option<&Hop> {
    match step {
        Step::Router(hop) => Some(hop),
        _ => None,
    }
}

fn row(hop: &Hop) -> Vec<String> {
    let (prefix, protocol) = match &hop.route {
        Some(route) => (route.prefix.clone(), route.protocol.clone()),
        None => ("none".to_owned(), String::new()),
    };
    let (nexthop, mtu) = hop.nexthop.as_ref().map_or(("no route".to_owned(), None), |nexthop| {
        let target = nexthop.target.as_ref().map(|target| format!(" {target}")).unwrap_or_default();
        let group = nexthop.group.map(|(group, bucket)| format!(" (group {group}, bucket {bucket})"));
        (format!("{}{target}{}", nexthop.kind, group.unwrap_or_default()), nexthop.mtu)
    });
    let mtu = mtu.map(|mtu| mtu.to_string()).unwrap_or_default();
    vec![hop.router.clone(), hop.ttl.to_string(), prefix, protocol, nexthop, mtu]
}

/// An exit of the table, apart from any packet.
pub struct Entry(pub &'static Explanation);

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { exit, meaning, remedy } = self.0;
        write!(f, "{} ({})\n  {meaning}\n  {remedy}", exits::name(*exit), exits::class(*exit))
    }
}
