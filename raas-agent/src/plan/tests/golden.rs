//! Whole outputs for the demo, to be read as examples. `UPDATE_GOLDEN=1` writes them anew.

use std::{env, fs, path::Path};

use super::{
    network::{demo, with_peers},
    planned,
};

fn assert_golden(file: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/plan/tests/golden").join(file);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{} differs; see what changed with UPDATE_GOLDEN=1 and git diff", path.display());
}

#[test]
fn frr_of_both_hypervisors() {
    for hypervisor in ["h1", "h2"] {
        assert_golden(&format!("{hypervisor}.frr.conf"), &planned(&demo(), hypervisor).unwrap().frr);
    }
}

#[test]
fn frr_with_foreign_routers() {
    assert_golden("peers.frr.conf", &planned(&with_peers(), "h2").unwrap().frr);
}

#[test]
fn everything_of_the_second_hypervisor() {
    let desired = planned(&demo(), "h2").unwrap();
    assert_golden("h2.json", &(serde_json::to_string_pretty(&desired).unwrap() + "\n"));
}

#[test]
fn dhcp_server() {
    let desired = planned(&demo(), "h1").unwrap();
    assert_golden("dnsmasq.conf", &desired.dhcp_servers[1].config);
}
