//! What sits behind an existing interface that the configuration makes an endpoint (a virtual machine's tap,
//! in real life): here a namespace at the other end of a veth, with a DHCP client.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, Result};

use crate::underlay::{finish, ip};

const SCRIPT: &str = "/run/lab-udhcpc";

/// What udhcpc(8) runs on each event.
const SCRIPT_TEXT: &str = r#"#!/bin/sh
set -eu
case "$1" in
deconfig) ip address flush dev "$interface" ;;
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    [ -z "${router:-}" ] || ip route replace default via "${router%% *}"
    ;;
esac
"#;

/// Makes `interface` and the namespace behind it, in the namespaces of this thread, and starts the DHCP
/// client, which asks until it gets an answer.
pub fn build(interface: &str, netns: &str, xdp: bool) -> Result<Child> {
    fs::write(SCRIPT, SCRIPT_TEXT).context(SCRIPT)?;
    fs::set_permissions(SCRIPT, fs::Permissions::from_mode(0o755)).context(SCRIPT)?;
    ip(&format!("netns add {netns}"))?;
    ip(&format!("link add {interface} type veth peer name eth0 netns {netns}"))?;
    finish(interface, xdp)?;
    let net = Path::new("/run/netns").join(netns);
    let net = fs::File::open(&net).with_context(|| net.display().to_string())?;
    // This thread is the hypervisor's, and ends after this.
    nix::sched::setns(&net, nix::sched::CloneFlags::CLONE_NEWNET)
        .context("entering the endpoint's namespace")?;
    ip("link set lo up")?;
    finish("eth0", xdp)?;
    let mut client = Command::new("udhcpc");
    // In the foreground; a discover each second, without a pause after the third.
    client.args(["-f", "-i", "eth0", "-s", SCRIPT, "-t", "3", "-T", "1", "-A", "1"]);
    client.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    client.spawn().with_context(|| format!("running {client:?}"))
}
