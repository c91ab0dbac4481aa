//! What `raas` says and how it exits, where nothing is applied, or something is broken.

use std::{
    fs,
    io::pipe,
    path::Path,
    process::{Command, Output, Stdio},
};

use raas_agent::plan::{Desired, Namespace, NamespaceKind};
use tempfile::TempDir;

const DEMO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");

/// `raas` with directories of its own.
fn raas(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_raas"));
    for (option, name) in [("--state-dir", "state"), ("--run-dir", "run"), ("--pin-dir", "pin")] {
        command.arg(option).arg(directory.join(name));
    }
    command.args(words).env_remove("RAAS_LOG");
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn with_manifest(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("state")).unwrap();
    fs::write(directory.path().join("state/manifest.json"), text).unwrap();
    directory
}

#[test]
fn a_reader_that_goes_is_no_fault() {
    let directory = tempfile::tempdir().unwrap();
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = raas(directory.path(), &["check", DEMO]).stdout(Stdio::from(writer)).output().unwrap();
    assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()));
}

#[test]
fn an_unreadable_manifest_is_a_fault_of_every_verb() {
    let directory = with_manifest("{");
    let explain = ["explain", "--from", "acme/pc1", "--to", "198.51.100.7"];
    for verb in [&["status"][..], &["counters"], &["down"], &explain] {
        let output = raas(directory.path(), verb).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{verb:?}: {said}");
        assert!(said.contains("not understood") && said.contains("down --hypervisor"), "{verb:?}: {said}");
    }
}

#[test]
fn status_shows_an_instance_that_is_half_there() {
    let manifest = Desired { hypervisor: "h1".into(), ..Desired::default() };
    let directory = with_manifest(&serde_json::to_string(&manifest).unwrap());
    let output = raas(directory.path(), &["status"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(text.contains("fault: the fast path is not loaded"), "{text}");
    assert!(text.contains("fault: the agent does not run"), "{text}");
}

#[test]
fn explain_says_what_is_missing() {
    let directory = tempfile::tempdir().unwrap();
    let explain = ["explain", "--from", "acme/pc1", "--to", "198.51.100.7"];
    let output = raas(directory.path(), &explain).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is an agent running?"), "{}", said(&output));
    let output = raas(directory.path(), &explain[..3]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output =
        raas(directory.path(), &["explain", "--from", "pc1", "--to", "2001:db8::1"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("punt-not-ipv4"), "{}", said(&output));
}

#[test]
fn explain_knows_every_exit_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let explain =
        |words: &[&str]| raas(directory.path(), &[&["explain", "--exit"], words].concat()).output().unwrap();
    let all = explain(&[]);
    let all = String::from_utf8_lossy(&all.stdout);
    for (_, name) in raas_common::Exit::ALL {
        let one = explain(&[name]);
        assert!(all.contains(&*String::from_utf8_lossy(&one.stdout)), "{name}");
    }
    let unknown = explain(&["punt-tll"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(said(&unknown).contains("did you mean `punt-ttl`?"), "{}", said(&unknown));
}

#[test]
fn exec_says_that_a_namespace_is_missing() {
    let namespace = Namespace {
        netns: format!("raas-test-{}", std::process::id()),
        name: "acme/l1a".into(),
        kind: NamespaceKind::L1,
        loopback: None,
    };
    let manifest = Desired { hypervisor: "h1".into(), namespaces: vec![namespace], ..Desired::default() };
    let directory = with_manifest(&serde_json::to_string(&manifest).unwrap());
    let output = raas(directory.path(), &["exec", "l1a", "--", "true"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is missing; the agent"), "{}", said(&output));
}

#[test]
fn a_wrong_log_filter_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let agent = ["agent", "--config", DEMO, "--hypervisor", "h9"];
    let output = raas(directory.path(), &agent).env("RAAS_LOG", "raas_agent=loud").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("RAAS_LOG"), "{}", said(&output));
}

#[test]
fn json_logs_are_nothing_else_and_name_the_hypervisors_there_are() {
    let directory = tempfile::tempdir().unwrap();
    let agent = ["agent", "--config", DEMO, "--hypervisor", "h9", "--log", "json"];
    let output = raas(directory.path(), &agent).output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for line in said.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert!(said.contains("there are: h1, h2"), "{said}");
}

#[test]
fn text_logs_to_no_terminal_have_no_colours() {
    let directory = tempfile::tempdir().unwrap();
    let agent = ["agent", "--config", DEMO, "--hypervisor", "h9"];
    let output = raas(directory.path(), &agent).output().unwrap();
    assert!(!said(&output).is_empty() && !said(&output).contains('\x1b'), "{}", said(&output));
}
