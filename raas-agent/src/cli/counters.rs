//! `raas counters`.

use std::process::ExitCode;

use anyhow::Result;
use raas_common::Exit;
use serde::Serialize;

use super::{output::print, scopes::scopes, table::table};
use crate::{
    exits,
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
                    class: exits::class(*exit),
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
