//! The agent: one task owns the learned state and the fast path's tables, and everything reaches it as an
//! event.

mod applier;
mod event;
mod fast_path;
mod intent;
mod owner;
mod patience;
mod stuck;
mod watch;
mod watched;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context as _, Error, Result, anyhow};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{Notify, mpsc, watch as latest},
    task::JoinHandle,
};
use tracing::{error, info};

use self::{
    applier::Applier,
    event::Event,
    fast_path::Writer,
    intent::{Intent, Refusal},
    owner::Owner,
    watched::Watched,
};
use crate::{
    apply::Kernel,
    model::{Hook, Name},
    plan::Desired,
    platform::{
        Paths,
        bpf::Pins,
        lock::{Claim, Lock},
        monitor::Monitor,
        state::{self, MANIFEST},
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
    /// Receive buffer of each watched namespace, bytes.
    pub netlink_buffer: usize,
}

/// Builds the network and keeps it, until SIGTERM or SIGINT; what is built then stays and forwards.
pub async fn run(options: Options) -> Result<ExitCode> {
    let _lock = Lock::take(&options.paths.state)?;
    // From here on: a change of the configuration or a signal during the start is not lost, and does not kill.
    let (sender, events) = mpsc::channel(16);
    let watch = watch::spawn(&options.config, sender.clone());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let _claim = Claim::take(options.hypervisor.as_str())?;
    state::ensure_of(&options.paths, options.hypervisor.as_str())?;
    let intent = match Intent::read(&options)? {
        Ok(intent) => intent,
        Err(Refusal(faults)) => {
            error!("the configuration is refused:\n{faults}");
            return Ok(ExitCode::from(FAULTY));
        }
    };
    // Only now: of a directory that is not there, the configuration's own faults say more.
    let watch = watch?;
    let kernel = Kernel::new(options.paths.clone(), options.hypervisor.as_str()).await?;
    let previous: Option<Desired> = state::read(&options.paths.state, MANIFEST)?;
    let previous = previous.as_ref().map(|desired| &desired.topology);
    let writer = Writer::open(&Pins::new(&options.paths.pin), intent.fib_nodes, previous)
        .context("loading the fast path")?;
    intent.save(&options)?;

    let (batches, batch_receiver) = mpsc::channel(64);
    let watched = Watched::new(Monitor::new(batches, options.netlink_buffer));
    let (desired, latest_desired) = latest::channel(intent.desired.clone());
    let disturbed = Arc::new(Notify::new());
    let applier = applier::spawn(kernel, latest_desired, disturbed.clone(), sender);

    let owner = Owner::new(options, intent, writer, watched, Applier { desired, disturbed });
    tokio::select! {
        result = owner.run(events, batch_receiver) => result?,
        error = end("the task that applies the configuration", applier) => return Err(error),
        error = end("the task that watches the configuration", watch) => return Err(error),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    info!("the agent ends; the network stays and forwards (`raas down` removes it)");
    Ok(ExitCode::SUCCESS)
}

/// Waits for a task that is not to end, and says how it did: an agent without one of its tasks would look
/// alive.
async fn end(what: &str, task: JoinHandle<()>) -> Error {
    match task.await {
        Ok(()) => anyhow!("{what} has ended"),
        Err(error) => anyhow!("{what} has failed: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_end_of_a_task_is_an_error() {
        let error = end("the task", tokio::spawn(async { panic!("a reason") })).await;
        assert!(error.to_string().contains("the task has failed") && error.to_string().contains("a reason"));
        assert_eq!(end("the task", tokio::spawn(async {})).await.to_string(), "the task has ended");
    }
}
