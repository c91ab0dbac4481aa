//! Directories and files, and TOML itself.

use std::{fs, os::unix::fs::symlink, path::Path};

use raas_agent::config;
use tempfile::TempDir;

use super::{Case, base, run};

#[test]
fn syntax() {
    run(&[
        Case {
            what: "a value left out",
            edits: &[("acme.toml", "asn = 2000", "asn =")],
            faults: &[(
                "acme.toml:17:6: TOML: string values must be quoted, expected literal string",
                "the syntax is at https://toml.io",
            )],
        },
        Case {
            what: "a string without an end",
            edits: &[("acme.toml", "\"pc2\"", "\"pc2")],
            faults: &[(
                "acme.toml:52:12: TOML: invalid basic string, expected `\"`",
                "the syntax is at https://toml.io",
            )],
        },
        Case {
            what: "a key twice",
            edits: &[("acme.toml", "asn = 2000", "asn = 2000\nasn = 2001")],
            faults: &[("acme.toml:18:1: TOML: duplicate key", "the syntax is at https://toml.io")],
        },
        Case {
            what: "with a fabric that cannot be read, tenants are checked as far as they can be",
            edits: &[("fabric.toml", "asn = 64512", "asn = "), ("globex.toml", "vni = 200", "vni = 100")],
            faults: &[
                (
                    "fabric.toml:2:7: TOML: string values must be quoted, expected literal string",
                    "the syntax is at https://toml.io",
                ),
                (
                    "globex.toml:11:7: VNI 100 twice: the first is at acme.toml:23:7",
                    "VNIs are unique over all tenants: take another",
                ),
            ],
        },
    ]);
}

fn directory() -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in
        [("fabric.toml", base::FABRIC), ("acme.toml", base::ACME), ("globex.toml", base::GLOBEX)]
    {
        fs::write(dir.path().join(name), text).expect("a file");
    }
    dir
}

/// Every fault of the directory, one a line, without the directory's own path.
fn faults(dir: &Path) -> String {
    let faults = config::load(dir).expect_err("faults").to_string();
    faults.replace(&format!("{}/", dir.display()), "")
}

#[test]
fn a_directory_that_is_missing() {
    let dir = directory();
    let missing = dir.path().join("missing");
    let faults = config::load(&missing).expect_err("a fault").to_string();
    let expected =
        format!("{}: error: cannot list the directory: No such file or directory", missing.display());
    assert!(faults.starts_with(&expected), "{faults}");
    assert_eq!(faults.matches("error:").count(), 1, "nothing is said of a fabric.toml in it: {faults}");
}

#[test]
fn a_directory_without_a_fabric() {
    let dir = directory();
    fs::remove_file(dir.path().join("fabric.toml")).expect("removed");
    let expected = "fabric.toml: error: there is no such file\n  help: describe the hypervisors in it";
    assert_eq!(faults(dir.path()), expected);
}

#[test]
fn files_that_cannot_be_read_are_named_and_the_others_checked() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("large.toml"), "#".repeat((1 << 20) + 1)).expect("a file");
    fs::write(path("latin.toml"), b"# \xe4").expect("a file");
    fs::create_dir(path("folder.toml")).expect("a directory");
    symlink("nowhere", path("dangling.toml")).expect("a link");
    symlink("/dev/zero", path("endless.toml")).expect("a link");
    fs::write(path("globex.toml"), "vpcs = 1").expect("a file");
    fs::write(path("Upper.toml"), "").expect("a file");
    let expected = "\
Upper.toml: error: its name must be a tenant's, which `Upper` cannot be: it must begin with a letter a-z
  help: rename it: 1 to 13 characters of a-z, 0-9 and `-`, then `.toml`
dangling.toml: error: cannot read: No such file or directory (os error 2)
  help: make it readable, or remove it
endless.toml: error: not a regular file
  help: remove it, or put a file (or a link to one) here
folder.toml: error: not a regular file
  help: remove it, or put a file (or a link to one) here
globex.toml:1:1: error: unknown key `vpcs`
  help: did you mean `vpc`?
large.toml: error: larger than 1 MiB
  help: split it into several tenants
latin.toml: error: not UTF-8 from byte 2 on
  help: TOML is UTF-8: save the file in that encoding";
    assert_eq!(faults(dir.path()), expected);
}

#[test]
fn other_files_are_left_alone_and_links_followed() {
    let dir = directory();
    let path = |name: &str| dir.path().join(name);
    fs::write(path(".#acme.toml"), "an editor's").expect("a file");
    fs::write(path("README.md"), "not ours").expect("a file");
    fs::create_dir(path("more")).expect("a directory");
    fs::rename(path("globex.toml"), path("more/globex.toml")).expect("moved");
    symlink("more/globex.toml", path("initech.toml")).expect("a link");
    let network = config::load(dir.path()).unwrap_or_else(|faults| panic!("{faults}"));
    let tenants: Vec<_> = network.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    assert_eq!(tenants, ["acme", "initech"], "a tenant is called after the link");
}
