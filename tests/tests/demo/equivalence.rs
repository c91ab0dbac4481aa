//! The fast path is what the kernel would have done, only faster.

use anyhow::{Result, ensure};
use raas_lab::{Lab, equivalence::Options};

/// Frames that are sent if `RAAS_EQUIVALENCE_CASES` does not say otherwise.
const CASES: usize = 8000;

/// Random packets arrive as they do without the fast path.
pub fn random(lab: &Lab) -> Result<()> {
    let options = Options::from_environment(CASES)?;
    let hook = lab.hook().map(|hook| hook.to_string()).unwrap_or_default();
    println!("equivalence on {hook}: RAAS_EQUIVALENCE_SEED={}", options.seed);
    let summary = lab.compare_paths(&options)?;
    println!("equivalence on {hook}: {summary}");
    for exit in ["routed-port", "routed-gre", "routed-vxlan", "bridged-port", "bridged-vxlan"] {
        let packets = summary.forwarded.get(exit).copied().unwrap_or(0);
        ensure!(packets > 0, "no packet left the fast path by {exit}: what was compared?");
    }
    Ok(())
}
