//! The task that makes the kernel look as desired. Apart from the one that owns the state: it may take
//! seconds, when FRR reloads, and a withdrawn route must not wait for that.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, mpsc, watch},
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

/// How soon a failed apply is tried again, twice as long after each further failure, up to [`REPAIR`]. And how soon
/// after an apply something else can call for the next.
const RETRY: Duration = Duration::from_secs(1);

/// Repairs that are logged by name: `raas status --json` has more.
const TOLD: usize = 5;

/// The owner's end of the task.
pub struct Applier {
    /// What is desired.
    pub desired: watch::Sender<Arc<Desired>>,
    /// Something may have been taken away or changed: to be looked at soon.
    pub disturbed: Arc<Notify>,
}

/// Applies the latest value of `desired`, now, on every change, soon after `disturbed`, and from time to time; says
/// of each run what is wrong. Ends with the other end of either channel.
pub fn spawn(
    mut kernel: Kernel,
    mut desired: watch::Receiver<Arc<Desired>>,
    disturbed: Arc<Notify>,
    events: mpsc::Sender<Event>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut stuck = Stuck::new();
        let mut history = History::default();
        loop {
            let latest = desired.borrow_and_update().clone();
            let outcome = apply(&mut kernel, &latest).await;
            let well = outcome.faults.is_empty();
            let repairs = history.note(&latest, &outcome);
            if well && restart_stuck(&kernel, &mut stuck, &latest).await {
                continue;
            }
            let event = Event::Applied { desired: latest.clone(), repairs, faults: outcome.faults };
            if events.send(event).await.is_err() {
                return;
            }
            tokio::select! {
                changed = desired.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(history.pause()) => {}
                () = called(&kernel, &latest, &disturbed, well) => {}
            }
        }
    })
}

/// Waits until something calls for an apply before it is time. Not at once after the last: what cannot live would be
/// made again without a pause. `well`: all that should run was running.
async fn called(kernel: &Kernel, desired: &Desired, disturbed: &Notify, well: bool) {
    tokio::time::sleep(RETRY).await;
    let ended = async {
        if well {
            match kernel.process_ended(desired).await {
                Ok(()) => return,
                Err(error) => warn!("ends of processes go unnoticed for {REPAIR:?}: {error:#}"),
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = ended => {}
        () = disturbed.notified() => {}
    }
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

/// What came of an apply.
#[derive(Default)]
struct Outcome {
    done: Vec<String>,
    faults: Vec<String>,
}

impl From<Report> for Outcome {
    fn from(report: Report) -> Self {
        let faults = report.failures.iter().map(ToString::to_string);
        let conflicts = report.conflicts.iter().map(ToString::to_string);
        Self {
            done: report.done.iter().map(ToString::to_string).collect(),
            faults: faults.chain(conflicts).collect(),
        }
    }
}

async fn apply(kernel: &mut Kernel, desired: &Desired) -> Outcome {
    match kernel.reconcile(desired).await {
        Ok(report) => report.into(),
        Err(error) => Outcome { faults: vec![format!("{error:#}")], ..Outcome::default() },
    }
}

/// Logs repairs: the first few by name.
pub fn tell_repairs(steps: &[String]) {
    let more = steps.len().saturating_sub(TOLD);
    let more = if more > 0 { format!("; {more} steps more") } else { String::new() };
    warn!("repaired what was taken away or changed: {}{more}", steps[..steps.len().min(TOLD)].join("; "));
}

/// What came of the applies so far.
#[derive(Default)]
struct History {
    /// What was applied in full last.
    settled: Option<Arc<Desired>>,
    /// What the last apply left undone.
    faults: Vec<String>,
    /// Applies in a row that left something undone.
    failures: u32,
}

impl History {
    /// Takes note of an apply, and logs what is new. Returns the steps that put right what somebody else had changed.
    fn note(&mut self, desired: &Arc<Desired>, outcome: &Outcome) -> Vec<String> {
        for fault in outcome.faults.iter().filter(|fault| !self.faults.contains(fault)) {
            warn!("{fault}");
        }
        if outcome.faults.is_empty() && self.failures > 0 {
            info!(attempts = self.failures + 1, "all is as desired again");
        }
        self.failures = if outcome.faults.is_empty() { 0 } else { self.failures + 1 };
        self.faults.clone_from(&outcome.faults);

        let is_repair = self.settled.as_ref().is_some_and(|settled| Arc::ptr_eq(settled, desired));
        if outcome.faults.is_empty() {
            self.settled = Some(desired.clone());
        }
        let repairs = if is_repair { outcome.done.clone() } else { Vec::new() };
        if !repairs.is_empty() {
            tell_repairs(&repairs);
        } else if !outcome.done.is_empty() {
            info!(steps = outcome.done.len(), faults = outcome.faults.len(), "applied");
        }
        repairs
    }

    /// When to apply again, if nothing calls for it before.
    fn pause(&self) -> Duration {
        match self.failures {
            0 => REPAIR,
            failures => REPAIR.min(RETRY * 2_u32.saturating_pow(failures - 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repairs_are_told_from_first_applies_and_failures_are_tried_ever_more_rarely() {
        let outcome = |done: &[&str], faults: &[&str]| Outcome {
            done: done.iter().map(ToString::to_string).collect(),
            faults: faults.iter().map(ToString::to_string).collect(),
        };
        let none = Vec::<String>::new();
        let (first, second) = (Arc::new(Desired::default()), Arc::new(Desired::default()));
        let mut history = History::default();
        assert_eq!(history.note(&first, &outcome(&["make it"], &["a fault"])), none);
        assert_eq!(history.pause(), RETRY);
        assert_eq!(history.note(&first, &outcome(&["make the rest"], &[])), none, "it was half done");
        assert_eq!(history.pause(), REPAIR);
        assert_eq!(history.note(&first, &outcome(&["make it anew"], &["a fault"])), ["make it anew"]);
        for _ in 0..40 {
            history.note(&first, &outcome(&[], &["a fault"]));
        }
        assert_eq!(history.pause(), REPAIR);
        assert_eq!(history.note(&first, &outcome(&["make the rest"], &[])), ["make the rest"]);
        assert_eq!(history.note(&second, &outcome(&["change it"], &[])), none, "that was asked for");
        assert_eq!(history.note(&second, &outcome(&["change it back"], &[])), ["change it back"]);
    }
}
