//! TCP, with and without the fast path.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use raas_lab::Lab;

const LENGTH: usize = 16 << 20;

/// The same bytes arrive either way: within a hypervisor, over GRE, and over the stretch.
pub fn exact(lab: &Lab) -> Result<()> {
    for on in [true, false] {
        lab.fast_path(on)?;
        for (from, to) in [("acme/pc1", "acme/pc2"), ("acme/pc1", "acme/pc3"), ("acme/pc4", "acme/pc2")] {
            let outcome = lab.transfer(&lab.station(from)?, &lab.station(to)?, LENGTH, |_| Ok(()));
            outcome.with_context(|| format!("{from} → {to}, fast path {on}")).inspect_err(|_| {
                // The next scenario expects it on.
                let _ = lab.fast_path(true);
            })?;
        }
    }
    lab.fast_path(true)
}

/// iperf3 gets somewhere either way. How far is the business of benchmarks, on a quiet machine.
pub fn throughput(lab: &Lab) -> Result<()> {
    let tcp = lab.throughput(Duration::from_secs(1))?.context("endpoints on different hypervisors")?;
    ensure!(tcp.on > 1e8 && tcp.off > 1e7, "{tcp:?}");
    Ok(())
}
