//! `raas counters`.

use std::{collections::BTreeMap, process::ExitCode};

use anyhow::Result;
use raas_common::{Exit, ExitClass};
use serde::Serialize;

use super::{output::print, table::table};
use crate::{
    plan::{PortRole, Topology, TunnelSpec},
    platform::{
        Paths,
        bpf::{PinnedMaps, Pins},
        state,
    },
};

/// One line: one exit of one scope.
#[derive(Serialize)]
struct Row {
    scope: String,
    kind: &'static str,
    exit: &'static str,
    class: &'static str,
    packets: u64,
    bytes: u64,
}

/// Prints the counters.
pub fn run(paths: &Paths, json: bool, all: bool) -> Result<ExitCode> {
    let manifest = state::manifest(paths)?;
    let counters = PinnedMaps::open(&Pins::new(&paths.pin))?.counters;
    let mut rows = Vec::new();
    for (id, (scope, kind)) in scopes(&manifest.topology) {
        for (exit, name) in Exit::ALL {
            let counter = counters.get(id, *exit)?;
            if all || counter.packets > 0 {
                rows.push(Row {
                    scope: scope.clone(),
                    kind,
                    exit: name,
                    class: class(*exit),
                    packets: counter.packets,
                    bytes: counter.bytes,
                });
            }
        }
    }
    if json {
        print(serde_json::to_string_pretty(&rows)?)?;
    } else {
        let rows = rows.into_iter().map(|row| {
            vec![
                row.scope,
                row.kind.to_owned(),
                row.exit.to_owned(),
                row.class.to_owned(),
                row.packets.to_string(),
                row.bytes.to_string(),
            ]
        });
        print(table(&["scope", "kind", "exit", "class", "packets", "bytes"], &[4, 5], rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Name and kind of each counter scope.
fn scopes(topology: &Topology) -> BTreeMap<u32, (String, &'static str)> {
    let ports = topology.ports.iter().map(|port| {
        let kind = match port.role {
            PortRole::Endpoint { .. } => "endpoint",
            PortRole::Uplink => "uplink",
            PortRole::Tunnel { .. } => "router-tunnel",
        };
        (port.scope, (port.name.clone(), kind))
    });
    let tunnels = topology.tunnels.iter().map(|tunnel| {
        let kind = match tunnel.spec {
            TunnelSpec::Gre { .. } => "gre",
            TunnelSpec::Vxlan { .. } => "vxlan",
        };
        (tunnel.scope, (tunnel.name.clone(), kind))
    });
    std::iter::once((0, ("-".to_owned(), "none"))).chain(ports).chain(tunnels).collect()
}

/// The name of an exit's class.
fn class(exit: Exit) -> &'static str {
    match exit.class() {
        ExitClass::Forwarded => "forwarded",
        ExitClass::Tunnel => "tunnel",
        ExitClass::Punted => "punted",
        ExitClass::Dropped => "dropped",
    }
}
