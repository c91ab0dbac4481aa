//! The figures: for people, and for machines.

use anyhow::Result;
use comfy_table::{CellAlignment, Table, TableComponent, presets::UTF8_HORIZONTAL_ONLY};
use serde::Serialize;

use crate::{
    figures::{Samples, ratio},
    session::Measured,
};

/// One element of the JSON array: a case and one of its peers, or a case without any.
#[derive(Serialize)]
struct Figure<'a> {
    name: &'a str,
    ours: f64,
    peer_name: Option<&'a str>,
    peer: Option<f64>,
    unit: &'a str,
    /// How many times better ours is.
    ratio: Option<f64>,
}

/// All figures: an array, with an element for each case and peer.
pub fn json(results: &[Measured]) -> Result<String> {
    let figures: Vec<Figure> = results.iter().flat_map(figures).collect();
    Ok(serde_json::to_string_pretty(&figures)? + "\n")
}

fn figures(measured: &Measured) -> Vec<Figure<'_>> {
    let figure = |peer: Option<(&'static str, f64)>| Figure {
        name: &measured.name,
        ours: measured.ours.median(),
        peer_name: peer.map(|(name, _)| name),
        peer: peer.map(|(_, median)| median),
        unit: measured.unit.symbol,
        ratio: peer.and_then(|(_, median)| ratio(measured.unit, measured.ours.median(), median)),
    };
    if measured.peers.is_empty() {
        return vec![figure(None)];
    }
    measured.peers.iter().map(|(name, samples)| figure(Some((name, samples.median())))).collect()
}

/// All figures as a table, with their spread.
pub fn table(results: &[Measured]) -> Table {
    let mut table = Table::new();
    // A line below the header is enough.
    table.load_preset(UTF8_HORIZONTAL_ONLY).remove_style(TableComponent::HorizontalLines);
    table.set_header(["case", "ours", "least–most", "peer", "median", "least–most", "unit", "ratio"]);
    for measured in results {
        let [ours, spread] = cells(&measured.ours);
        for (index, figure) in figures(measured).into_iter().enumerate() {
            let [peer, peer_spread] =
                measured.peers.get(index).map_or_else(Default::default, |(_, samples)| cells(samples));
            table.add_row([
                figure.name.to_owned(),
                ours.clone(),
                spread.clone(),
                figure.peer_name.unwrap_or("–").to_owned(),
                peer,
                peer_spread,
                figure.unit.to_owned(),
                figure.ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}×")),
            ]);
        }
    }
    for column in [1, 2, 4, 5, 7] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// One case on one line, as soon as it is measured.
pub fn line(measured: &Measured) -> String {
    let contestants = std::iter::once(&("ours", measured.ours.clone()))
        .chain(&measured.peers)
        .map(|(name, samples)| format!("{name} {} ({})", cells(samples)[0], cells(samples)[1]))
        .collect::<Vec<_>>();
    format!("{}, {}: {}", measured.name, measured.unit.symbol, contestants.join(", "))
}

/// Median and spread.
fn cells(samples: &Samples) -> [String; 2] {
    let (least, most) = samples.spread();
    [number(samples.median()), format!("{}–{}", number(least), number(most))]
}

/// Three significant digits or so, thousands apart.
fn number(value: f64) -> String {
    match value.abs() {
        size if size < 10.0 => format!("{value:.2}"),
        size if size < 1000.0 => format!("{value:.1}"),
        _ => {
            let digits = format!("{value:.0}");
            let groups: Vec<&str> = digits
                .as_bytes()
                .rchunks(3)
                .rev()
                .filter_map(|group| std::str::from_utf8(group).ok())
                .collect();
            groups.join(" ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Unit;

    fn measured(name: &str, unit: Unit, ours: f64, peers: &[(&'static str, f64)]) -> Measured {
        let samples = |median: f64| Samples::new(vec![median - 1.0, median, median + 1.0]).unwrap();
        let peers = peers.iter().map(|(name, median)| (*name, samples(*median))).collect();
        Measured { name: name.to_owned(), unit, ours: samples(ours), peers }
    }

    #[test]
    fn json_has_an_element_for_each_case_and_peer() {
        let results = [
            measured("fib/1k", Unit::NANOSECONDS, 10.0, &[("trie", 400.0), ("kernel", 200.0)]),
            measured("up/start", Unit::SECONDS, 3.5, &[]),
        ];
        let expected = serde_json::json!([
            {"name": "fib/1k", "ours": 10.0, "peer_name": "trie", "peer": 400.0, "unit": "ns", "ratio": 40.0},
            {"name": "fib/1k", "ours": 10.0, "peer_name": "kernel", "peer": 200.0, "unit": "ns", "ratio": 20.0},
            {"name": "up/start", "ours": 3.5, "peer_name": null, "peer": null, "unit": "s", "ratio": null},
        ]);
        let got: serde_json::Value = serde_json::from_str(&json(&results).unwrap()).unwrap();
        assert_eq!(got, expected);
    }

    #[test]
    fn the_table_shows_median_spread_and_ratio() {
        let text = table(&[measured("fib/1k", Unit::NANOSECONDS, 10.0, &[("trie", 1400.0)])]).to_string();
        for part in ["fib/1k", "10.0", "9.00–11.0", "trie", "1 400", "1 399–1 401", "140.00×"] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn numbers_are_as_long_as_they_need_to_be() {
        for (value, text) in [(1.234, "1.23"), (12.34, "12.3"), (2_600_000.4, "2 600 000"), (-3.0, "-3.00")] {
            assert_eq!(number(value), text);
        }
    }
}
