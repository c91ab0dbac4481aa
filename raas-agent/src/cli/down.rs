//! `raas down`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::{
    apply::Kernel,
    plan::Desired,
    platform::{
        Paths,
        bpf::{Pins, detach_all},
        lock::Lock,
        state,
    },
    report::AgentReport,
};

/// Removes everything of ours: programs first, so that nothing is forwarded into what is about to go.
pub fn run(paths: &Paths) -> Result<ExitCode> {
    let _lock = Lock::take(&paths.state).context("stop the agent first")?;
    let pins = Pins::new(&paths.pin);
    detach_all(&pins)?;
    pins.remove_all()?;
    let Some(manifest) = state::read::<Desired>(&paths.state, state::MANIFEST)? else {
        println!("nothing was applied here");
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let report = runtime.block_on(async {
        let mut kernel = Kernel::new(paths.clone(), &manifest.hypervisor).await?;
        kernel.down().await
    })?;
    for failure in &report.failures {
        eprintln!("{failure}");
    }
    if !report.is_success() {
        return Ok(ExitCode::FAILURE);
    }
    AgentReport::remove(paths)?;
    state::remove(&paths.state, state::MANIFEST)?;
    println!("{}: removed", manifest.hypervisor);
    Ok(ExitCode::SUCCESS)
}
