//! The hypervisor's kernel, made to look as desired.

use anyhow::{Context, Result};
use tokio::task::spawn_blocking;

use super::{Observed, Plan, Report, diff, execute};
use crate::{
    plan::Desired,
    platform::{
        Paths,
        netns::{self, Places},
        observe,
        process::{self, frr::Sessions},
    },
};

/// The hypervisor's kernel: what the agent observes and changes.
#[derive(Debug)]
pub struct Kernel {
    paths: Paths,
    hypervisor: String,
    places: Places,
}

impl Kernel {
    /// Takes the namespace of the calling thread as the hypervisor's own. Needs a tokio runtime with I/O,
    /// time and signals.
    ///
    /// # Errors
    /// If the directories cannot be made, or no netlink socket opened.
    pub async fn new(paths: Paths, hypervisor: &str) -> Result<Self> {
        paths.create()?;
        let host = netns::current().context("opening the hypervisor's own namespace")?;
        Ok(Self { paths, hypervisor: hypervisor.to_owned(), places: Places::new(host).await? })
    }

    /// Our namespaces, as far as the last observation found them, and their netlink handles.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// Looks at everything that concerns `desired`, and at whatever else carries our mark.
    ///
    /// # Errors
    /// If the kernel does not answer.
    pub async fn observe(&mut self, desired: &Desired) -> Result<Observed> {
        observe::observe(&mut self.places, &self.paths, desired).await
    }

    /// Performs a plan. Never fails as a whole: what failed stands in the report, and the next comparison
    /// finds it again.
    pub async fn execute(&mut self, plan: Plan) -> Report {
        execute::execute(&mut self.places, &self.paths, plan).await
    }

    /// Observes, compares, acts.
    ///
    /// # Errors
    /// If observing fails, or `desired` is another hypervisor's; failures of single steps stand in the
    /// report.
    pub async fn reconcile(&mut self, desired: &Desired) -> Result<Report> {
        anyhow::ensure!(
            desired.hypervisor == self.hypervisor,
            "asked to build hypervisor {} on {}",
            desired.hypervisor,
            self.hypervisor
        );
        let observed = self.observe(desired).await.context("looking at what exists")?;
        Ok(self.execute(diff(desired, &observed)).await)
    }

    /// Waits until a process ends that [`Self::reconcile`] would start again.
    ///
    /// # Errors
    /// If the kernel cannot tell.
    pub async fn process_ended(&self, desired: &Desired) -> Result<()> {
        process::ended(&self.paths, !desired.frr.is_empty()).await
    }

    /// BGP sessions, as FRR tells them.
    ///
    /// # Errors
    /// If it does not answer.
    pub async fn sessions(&self) -> Result<Sessions> {
        let paths = self.paths.clone();
        spawn_blocking(move || process::frr::sessions(&paths)).await.context("asking FRR")?
    }

    /// Kills FRR, whose routes stay in the kernel; the next [`Self::reconcile`] starts it.
    ///
    /// # Errors
    /// If a daemon does not end.
    pub async fn kill_frr(&self) -> Result<()> {
        process::frr::kill(&self.paths).await
    }

    /// Removes everything that carries our mark, and our processes and their files; needs no record of what
    /// was made. Adopted interfaces are given back. The pinned BPF objects are not touched.
    ///
    /// # Errors
    /// If observing fails; failures of single steps stand in the report.
    pub async fn down(&mut self) -> Result<Report> {
        let nothing = Desired { hypervisor: self.hypervisor.clone(), ..Desired::default() };
        let report = self.reconcile(&nothing).await?;
        if report.is_success() {
            process::remove_files(&self.paths)?;
        }
        Ok(report)
    }
}
