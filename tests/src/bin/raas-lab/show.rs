//! The report as text.

use comfy_table::{Cell, CellAlignment, Table, presets::UTF8_HORIZONTAL_ONLY};
use raas_lab::{Pair, Report, Station, Throughput};

/// The matrix of all endpoints: who pings in the rows, whom in the columns.
pub fn matrix(report: &Report) -> String {
    let mut stations: Vec<&Station> = report.pairs.iter().flat_map(|pair| [&pair.from, &pair.to]).collect();
    stations.sort();
    stations.dedup();
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY);
    let title = |station: &&Station| format!("{station}\n{}", station.hypervisor);
    table.set_header(std::iter::once("from \\ to".to_owned()).chain(stations.iter().map(title)));
    for from in &stations {
        let cells = stations.iter().map(|to| {
            let pair = report.pairs.iter().find(|pair| pair.from == **from && pair.to == **to);
            Cell::new(pair.map_or_else(String::new, cell)).set_alignment(CellAlignment::Right)
        });
        table.add_row(std::iter::once(Cell::new(title(from))).chain(cells));
    }
    format!(
        "{table}\nIn each cell: round-trip time and the share of packets on the fast path; `isolated` where nothing\n\
         may arrive, and nothing did. ✗ marks what is not as expected."
    )
}

fn cell(pair: &Pair) -> String {
    if !pair.expected {
        return if pair.is_as_expected() {
            "isolated".to_owned()
        } else {
            format!("✗ {} arrived", pair.arrived)
        };
    }
    if !pair.is_as_expected() {
        return format!("✗ {} of {}", pair.ping.received, pair.ping.sent);
    }
    let rtt = pair.ping.rtt.unwrap_or_default().as_secs_f64() * 1000.0;
    let share = pair.share.unwrap_or_default() * 100.0;
    let mark = if pair.is_fast() { "" } else { "✗ " };
    format!("{rtt:.3} ms\n{mark}{share:.1} %")
}

/// TCP throughput, one line.
pub fn throughput(tcp: &Throughput) -> String {
    let gigabits = |rate: f64| rate / 1e9;
    format!(
        "TCP {} → {}: {:.2} Gbit/s with the fast path, {:.2} Gbit/s without",
        tcp.from,
        tcp.to,
        gigabits(tcp.on),
        gigabits(tcp.off)
    )
}
