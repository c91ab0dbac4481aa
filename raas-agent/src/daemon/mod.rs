//! The agent: one task owns the learned state and the fast path's tables, and everything reaches it as an event.

mod applier;
mod event;
mod fast_path;
mod intent;
mod owner;
mod watch;
mod watched;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch as latest},
};
use tracing::{error, info};

use self::{
    event::Event,
    fast_path::Writer,
    intent::{Intent, Refusal},
    owner::Owner,
    watched::Watched,
};
use crate::{
    apply::Kernel,
    model::{Hook, Name},
    platform::{
        Paths,
        lock::{Claim, Lock},
        monitor::Monitor,
        state,
    },
};

/// Exit code for a configuration with faults.
const FAULTY: u8 = 2;

/// How the agent was called.
pub struct Options {
    /// Its directories.
    pub paths: Paths,
    /// Directory of the configuration.
    pub config: PathBuf,
    /// Which hypervisor this is.
    pub hypervisor: Name,
    /// Hook of every port, whatever the configuration says.
    pub hook: Option<Hook>,
}

/// Builds the network and keeps it, until SIGTERM or SIGINT; what is built then stays and forwards.
pub async fn run(options: Options) -> Result<ExitCode> {
    let _lock = Lock::take(&options.paths.state)?;
    let _claim = Claim::take(options.hypervisor.as_str())?;
    state::ensure_of(&options.paths, options.hypervisor.as_str())?;
    let intent = match Intent::read(&options)? {
        Ok(intent) => intent,
        Err(Refusal(faults)) => {
            error!("the configuration is refused:\n{faults}");
            return Ok(ExitCode::from(FAULTY));
        }
    };
    let kernel = Kernel::new(options.paths.clone(), options.hypervisor.as_str()).await?;
    let writer = Writer::open(&options.paths, intent.fib_nodes).context("loading the fast path")?;
    intent.save(&options)?;

    let (sender, events) = mpsc::channel(16);
    watch::spawn(&options.config, sender.clone())?;
    let (batches, batch_receiver) = mpsc::channel(64);
    let watched = Watched::new(Monitor::new(batches, Monitor::RECEIVE_BUFFER));
    let (desired, latest_desired) = latest::channel(intent.desired.clone());
    applier::spawn(kernel, latest_desired, sender);

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let owner = Owner::new(options, intent, writer, watched, desired);
    tokio::select! {
        result = owner.run(events, batch_receiver) => result?,
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("the agent ends; the network stays and forwards (`raas down` removes it)");
    Ok(ExitCode::SUCCESS)
}
