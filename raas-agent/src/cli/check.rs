//! `raas check DIR`: all faults of a configuration at once.

use std::{fmt, path::Path, process::ExitCode};

use anyhow::Result;

use super::output::print;
use crate::{
    config,
    model::{Network, SubnetKind},
};

/// Exit code for a configuration with faults.
pub const FAULTY: u8 = 2;

/// Checks the configuration in `dir`. Fine: one line of what it describes on standard output, exit code 0.
/// Otherwise every fault on standard error, exit code [`FAULTY`].
pub fn run(dir: &Path) -> Result<ExitCode> {
    Ok(match config::load(dir) {
        Ok(network) => {
            print(format_args!("ok: {}", Summary(&network)))?;
            ExitCode::SUCCESS
        }
        Err(faults) => {
            eprintln!("{faults}\n{}", counted(faults.count(), "error"));
            ExitCode::from(FAULTY)
        }
    })
}

/// What a network consists of, in numbers.
struct Summary<'n>(&'n Network);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Network { fabric, tenants } = self.0;
        let vpcs = || tenants.iter().flat_map(|tenant| &tenant.vpcs);
        let subnets = || vpcs().flat_map(|vpc| &vpc.subnets);
        let transits = || tenants.iter().flat_map(|tenant| &tenant.transits);
        let stretches = subnets().filter(|subnet| matches!(subnet.kind, SubnetKind::Stretch { .. }));
        let counts = [
            (fabric.hypervisors.len(), "hypervisor"),
            (tenants.len(), "tenant"),
            (vpcs().count(), "VPC"),
            (vpcs().map(|vpc| vpc.spines.len()).sum(), "spine"),
            (subnets().count(), "subnet"),
            (stretches.count(), "of them stretched"),
            (subnets().map(|subnet| subnet.endpoints.len()).sum(), "endpoint"),
            (transits().count(), "transit"),
            (tenants.iter().map(|tenant| tenant.attachments.len()).sum(), "attachment"),
            (transits().map(|transit| transit.peers.len()).sum(), "foreign peer"),
        ];
        write!(f, "fabric `{}`", fabric.name)?;
        counts.iter().try_for_each(|(count, noun)| write!(f, ", {}", counted(*count, noun)))
    }
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 || noun.contains(' ') { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
