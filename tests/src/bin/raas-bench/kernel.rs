//! The kernel's routing, as a peer: in the network namespace of the calling thread.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::Ipv4Addr,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use raas_common::Mac;

/// The interface that routes lead to.
pub const INTERFACE: &str = "hop";

/// A veth with neighbours in 203.0.113.0/24 behind it, which the kernel never has to ask for their MACs; and
/// forwarding, also of what comes in through the loopback device, as test runs do.
pub fn lay_out(neighbours: &[(Ipv4Addr, Mac)]) -> Result<()> {
    let mut commands = format!(
        "link set lo up\nlink add {INTERFACE} type veth peer name beyond\nlink set beyond up\n\
         link set {INTERFACE} up\naddress add 203.0.113.1/24 dev {INTERFACE}\n"
    );
    for (address, mac) in neighbours {
        writeln!(commands, "neighbour add {address} lladdr {mac} dev {INTERFACE}")?;
    }
    ip(&commands)?;
    // /proc/sys/net is the namespace's of the thread that opens it.
    let forwarding = "/proc/sys/net/ipv4/conf/all/forwarding";
    fs::write(forwarding, "1").with_context(|| format!("writing {forwarding}"))
}

/// Runs `ip` in the calling thread's namespace, with these commands.
pub fn ip(commands: &str) -> Result<()> {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("running ip (of iproute2)")?;
    let mut input = child.stdin.take().context("ip's input")?;
    // When `ip` stops at a command, the rest has no reader: what matters is its exit status.
    let written = input.write_all(commands.as_bytes());
    drop(input);
    let status = child.wait().context("waiting for ip")?;
    ensure!(status.success(), "ip -batch failed ({status})");
    written.context("writing to ip")
}
