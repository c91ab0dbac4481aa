//! Faulty configurations, and every word that is said about them.

mod base;
mod clashes;
mod fabric;
mod hostile;
mod keys;
mod peers;
mod reading;
mod references;
mod round_trip;
mod subnets;

use raas_agent::config::{self, Diagnostic, Diagnostics, File};

/// One change (or more) of the base configuration, and what is said about it.
pub struct Case {
    /// What is wrong.
    what: &'static str,
    /// File, a text that it has once, and the text to put there.
    edits: &'static [(&'static str, &'static str, &'static str)],
    /// File, line and column, message; and help.
    faults: &'static [(&'static str, &'static str)],
}

/// The base configuration after some edits.
pub fn edited(edits: &[(&str, &str, &str)]) -> Vec<File> {
    let base = [("fabric.toml", base::FABRIC), ("acme.toml", base::ACME), ("globex.toml", base::GLOBEX)];
    let files = base.into_iter().map(|(path, text)| {
        let edits = edits.iter().filter(|(file, ..)| *file == path);
        let text = edits.fold(text.to_owned(), |text, (_, find, replace)| {
            assert_eq!(text.matches(find).count(), 1, "{path} has `{find}` once");
            text.replace(find, replace)
        });
        File { path: path.into(), text }
    });
    files.collect()
}

/// Checks every case, and says of all at once what differs.
pub fn run(cases: &[Case]) {
    let mut differences = String::new();
    for case in cases {
        let found = config::parse(edited(case.edits)).err();
        let found: Vec<_> = found.iter().flat_map(Diagnostics::iter).map(one_line).collect();
        let expected: Vec<_> = case.faults.iter().map(|(fault, help)| format!("{fault} | {help}")).collect();
        if found != expected {
            differences += &format!("\n# {}\n", case.what);
            differences.extend(found.iter().map(|line| format!("{line}\n")));
            differences += "instead of\n";
            differences.extend(expected.iter().map(|line| format!("{line}\n")));
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn one_line(fault: &Diagnostic) -> String {
    let place = fault.position.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
    format!("{}{place}: {} | {}", fault.file.display(), fault.message, fault.help)
}

#[test]
fn the_base_has_no_fault() {
    if let Err(faults) = config::parse(edited(&[])) {
        panic!("{faults}");
    }
}

#[test]
fn a_fault_reads_like_a_compilers() {
    let faults = config::parse(edited(&[("acme.toml", "asn = 2000", "asnn = 2000")])).unwrap_err();
    let expected = "acme.toml:17:1: error: unknown key `asnn`\n  help: did you mean `asn`?";
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn all_faults_of_all_files_are_found_at_once_in_order() {
    let faults = config::parse(edited(&[
        ("globex.toml", "vni = 200", "vni = 100"),
        ("acme.toml", "interface = \"eth1\"", "interface = \"uplink1\""),
        ("acme.toml", "stretch = \"web\"", "stretch = \"wep\""),
        ("fabric.toml", "hook = \"xdp\"", "hook = \"xpd\""),
        ("fabric.toml", "name = \"h2\"", "name = \"H2\""),
    ]))
    .unwrap_err();
    let places: Vec<_> = faults
        .iter()
        .map(|fault| (fault.file.to_str().expect("UTF-8"), fault.position.expect("a position").line))
        .collect();
    let expected =
        [("acme.toml", 32), ("acme.toml", 49), ("fabric.toml", 10), ("fabric.toml", 14), ("globex.toml", 11)];
    assert_eq!(places, expected, "{faults}");
    assert_eq!(faults.count(), 5);
}
