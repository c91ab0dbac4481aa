//! `raas down`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::output::print;
use crate::{
    apply::Kernel,
    model::Name,
    platform::{
        Paths,
        bpf::{Pins, detach_all},
        lock::{Claim, Lock},
        state,
    },
    report::AgentReport,
};

/// Removes everything of ours: programs first, so that nothing is forwarded into what is about to go. Whose it
/// is stands in the manifest, unless `hypervisor` says it: the marks on things suffice to find them.
pub fn run(paths: &Paths, hypervisor: Option<Name>) -> Result<ExitCode> {
    let _lock = Lock::take(&paths.state)?;
    let hypervisor = match hypervisor {
        Some(name) => Some(name.to_string()),
        None => state::applied(paths)?.map(|manifest| manifest.hypervisor),
    };
    let _claim = hypervisor.as_deref().map(Claim::take).transpose()?;
    let pins = Pins::new(&paths.pin);
    detach_all(&pins)?;
    pins.remove_all()?;
    let Some(hypervisor) = hypervisor else {
        print("nothing was applied here")?;
        return Ok(ExitCode::SUCCESS);
    };
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    let report = runtime.block_on(async {
        let mut kernel = Kernel::new(paths.clone(), &hypervisor).await?;
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
    print(format_args!("{hypervisor}: removed"))?;
    Ok(ExitCode::SUCCESS)
}
