//! BGP sessions, as FRR tells them.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context as _, Result, bail};
use serde::Serialize;
use serde_json::Value;

use crate::platform::Paths;

/// A BGP session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Session {
    /// The neighbour: an interface (unnumbered) or an address.
    pub neighbor: String,
    /// State of its finite state machine (RFC 4271, section 8), in lower case.
    pub state: String,
    /// Prefixes received.
    pub prefixes: u64,
}

impl Session {
    /// Whether it exchanges routes.
    pub fn is_established(&self) -> bool {
        self.state == "established"
    }
}

/// Sessions by VRF (that is: by namespace; the fabric's own EVPN sessions are in `default`).
pub type Sessions = BTreeMap<String, Vec<Session>>;

/// Asks FRR, and waits for the answer.
///
/// # Errors
/// If it does not answer.
pub fn sessions(paths: &Paths) -> Result<Sessions> {
    let output = Command::new("vtysh")
        .arg("--vty_socket")
        .arg(paths.frr())
        .args(["-c", "show bgp vrf all summary json"])
        .output()
        .context("running vtysh")?;
    if !output.status.success() {
        bail!("vtysh: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let answer: Value = serde_json::from_slice(&output.stdout).context("reading vtysh's JSON")?;
    let vrfs = answer.as_object().into_iter().flatten();
    Ok(vrfs.map(|(vrf, families)| (vrf.clone(), of_vrf(families))).collect())
}

/// The sessions of one VRF: its address families, each with an object `peers` by neighbour.
fn of_vrf(families: &Value) -> Vec<Session> {
    families
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, family)| family.get("peers")?.as_object())
        .flatten()
        .map(|(neighbor, peer)| Session {
            neighbor: neighbor.clone(),
            state: peer.get("state").and_then(Value::as_str).unwrap_or("unknown").to_lowercase(),
            prefixes: peer.get("pfxRcd").and_then(Value::as_u64).unwrap_or(0),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_frr_8_4_prints() {
        let sessions = of_vrf(&json!({
            "ipv4Unicast": {
                "routerId": "203.0.113.1", "as": 5000,
                "peers": { "vpc1-s1": { "remoteAs": 1000, "state": "Established", "pfxRcd": 3 } }
            }
        }));
        assert_eq!(sessions.len(), 1);
        assert_eq!(
            (sessions[0].neighbor.as_str(), sessions[0].state.as_str(), sessions[0].prefixes),
            ("vpc1-s1", "established", 3)
        );
    }
}
