//! The benchmarks work: a few small cases, for what they say and not for how long they take. Needs root.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn bench(words: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raas-bench"));
    command.args(words).arg("--json").arg(directory.join("figures.json"));
    command.arg("--plots").arg(directory).output().expect("raas-bench runs")
}

#[test]
fn figures_and_a_plot_come_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let cases = ["empty/xdp", "fib-lookup/1k", "program/xdp/vxlan-encap", "program/tc/gre-decap-route"];
    let output = bench(&cases, directory.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");

    let figures = fs::read_to_string(directory.path().join("figures.json")).expect("figures");
    let figures: Vec<Value> = serde_json::from_str(&figures).expect("JSON");
    let named = |figure: &Value| (figure["name"].as_str().map(str::to_owned), figure["peer_name"].clone());
    let expected = [
        ("fib-lookup/1k", Value::from("lpm-trie-map")),
        ("fib-lookup/1k", Value::from("bpf_fib_lookup")),
        ("empty/xdp", Value::Null),
        ("program/xdp/vxlan-encap", Value::from("bpf_fib_lookup")),
        ("program/tc/gre-decap-route", Value::from("bpf_fib_lookup")),
    ]
    .map(|(name, peer)| (Some(name.to_owned()), peer));
    assert_eq!(figures.iter().map(named).collect::<Vec<_>>(), expected);
    for figure in &figures {
        assert_eq!(figure["unit"], "ns");
        assert!(figure["ours"].is_f64() && figure["ratio"].is_f64() == figure["peer"].is_f64(), "{figure}");
    }
    assert!(directory.path().join("fib-lookup.svg").is_file());
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(table.contains("machine: ") && table.contains("program/tc/gre-decap-route"), "{table}");
}

#[test]
fn an_unknown_name_is_an_error_that_lists_the_names() {
    let directory = tempfile::tempdir().expect("a directory");
    let output = bench(&["fib-lookup", "fib-lockup"], directory.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("`fib-lockup`"), "{errors}");
    assert!(errors.contains("fib-lookup/1M") && errors.contains("program/tc/gre-transit"), "{errors}");
}
