//! The task that makes the kernel look as desired. Apart from the one that owns the state: it may take
//! seconds, when FRR reloads, and a withdrawn route must not wait for that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tracing::{info, warn};

use super::{Event, stuck::Stuck};
use crate::{
    apply::{Kernel, Report},
    plan::Desired,
};

/// How often what exists is compared with what is desired, when nothing else calls for it.
const REPAIR: Duration = Duration::from_secs(10);

/// How soon a failed apply is tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Applies the latest value of `desired`, now, on every change, and from time to time; says of each run what
/// is wrong. Ends with the other end of either channel.
pub fn spawn(
    mut kernel: Kernel,
    mut desired: watch::Receiver<Arc<Desired>>,
    events: mpsc::Sender<Event>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stuck = Stuck::new();
        loop {
            let latest = desired.borrow_and_update().clone();
            let faults = apply(&mut kernel, &latest).await;
            if faults.is_empty() && restart_stuck(&kernel, &mut stuck, &latest).await {
                continue;
            }
            let pause = if faults.is_empty() { REPAIR } else { RETRY };
            if events.send(Event::Applied { desired: latest.clone(), faults }).await.is_err() {
                return;
            }
            tokio::select! {
                changed = desired.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(pause) => {}
                () = daemon_ended(&kernel, &latest) => {}
            }
        }
    })
}

/// Kills FRR if sessions inside this hypervisor do not come up, and says whether it did: the next apply starts it.
async fn restart_stuck(kernel: &Kernel, stuck: &mut Stuck, desired: &Desired) -> bool {
    if desired.frr.is_empty() {
        return false;
    }
    let sessions = match kernel.sessions().await {
        Ok(sessions) => sessions,
        Err(error) => {
            warn!("{error:#}");
            return false;
        }
    };
    let Some(down) = stuck.look(&desired.topology, &sessions, Instant::now()) else { return false };
    warn!(sessions = down.join(", "), "BGP sessions between our own routers stay down: FRR is restarted");
    match kernel.kill_frr().await {
        Ok(()) => true,
        Err(error) => {
            warn!("{error:#}");
            false
        }
    }
}

/// Waits until a daemon has ended that the next apply starts again. Not at once after an apply: one that cannot live would be
/// started without a pause.
async fn daemon_ended(kernel: &Kernel, desired: &Desired) {
    if !desired.frr.is_empty() {
        tokio::time::sleep(RETRY).await;
        match kernel.daemon_ended().await {
            Ok(()) => return,
            Err(error) => warn!("ends of daemons go unnoticed for {REPAIR:?}: {error}"),
        }
    }
    std::future::pending::<()>().await;
}

async fn apply(kernel: &mut Kernel, desired: &Desired) -> Vec<String> {
    match kernel.reconcile(desired).await {
        Ok(report) => {
            tell(&report);
            let conflicts =
                report.conflicts.iter().map(|conflict| format!("{}: {}", conflict.object, conflict.reason));
            report.failures.iter().map(ToString::to_string).chain(conflicts).collect()
        }
        Err(error) => {
            warn!("{error:#}");
            vec![format!("{error:#}")]
        }
    }
}

fn tell(report: &Report) {
    for failure in &report.failures {
        warn!("{failure}");
    }
    if !report.done.is_empty() || !report.is_success() {
        info!(done = report.done.len(), failed = report.failures.len(), skipped = report.skipped, "applied");
    }
}
