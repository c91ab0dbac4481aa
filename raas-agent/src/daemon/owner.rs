//! The owner of the state: what is desired, what was learned, what is in the fast path.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use anyhow::Result;
use tokio::{
    sync::{mpsc, watch},
    time::{MissedTickBehavior, interval},
};
use tracing::{error, info, warn};

use super::{Event, Intent, Options, Refusal, Writer, watched::Watched};
use crate::{
    learn::{self, Batch, Learner},
    plan::{Desired, Place},
    report::AgentReport,
};

/// What can wait is done this often.
const TICK: Duration = Duration::from_secs(1);

/// FDB entries of active ports are refreshed every so many ticks: well within the kernel's 300 s of ageing.
const REFRESH: u32 = 60;

/// Most batches that are taken together before the fast path is brought up to date.
const BATCHES: usize = 64;

/// The owner of the state.
pub struct Owner {
    options: Options,
    desired: Arc<Desired>,
    /// Where the applier takes what is desired from.
    applier: watch::Sender<Arc<Desired>>,
    learner: Learner,
    watched: Watched,
    writer: Writer,
    /// Everything was learned once, and what an earlier agent left behind is replaced.
    synchronised: bool,
    resynchronisations: u64,
    faults: Faults,
    reported: AgentReport,
}

/// What is wrong now, by where it comes from.
#[derive(Default)]
struct Faults {
    config: Vec<String>,
    apply: Vec<String>,
    attach: Vec<String>,
    write: Vec<String>,
}

impl Owner {
    /// The owner of a state in which nothing is learned yet.
    pub fn new(
        options: Options,
        intent: Intent,
        writer: Writer,
        watched: Watched,
        applier: watch::Sender<Arc<Desired>>,
    ) -> Self {
        let mut learner = Learner::default();
        learner.set_topology(intent.desired.topology.clone());
        Self {
            options,
            desired: intent.desired,
            applier,
            learner,
            watched,
            writer,
            synchronised: false,
            resynchronisations: 0,
            faults: Faults::default(),
            reported: AgentReport::default(),
        }
    }

    /// Reacts to events until one of the channels closes.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tick = 0;
        let mut together = Vec::with_capacity(BATCHES);
        loop {
            tokio::select! {
                // What the kernel says goes first: packets depend on it.
                biased;
                count = batches.recv_many(&mut together, BATCHES) => {
                    if count == 0 {
                        return Ok(());
                    }
                    tokio::task::block_in_place(|| self.learn(together.drain(..)));
                }
                event = events.recv() => match event {
                    None => return Ok(()),
                    Some(Event::ConfigChanged) => self.reconfigure(),
                    Some(Event::Applied { desired, faults }) => self.applied(&desired, faults).await,
                },
                _ = ticks.tick() => {
                    tick += 1;
                    tokio::task::block_in_place(|| self.maintain());
                    self.keep_alive(tick % REFRESH == 0);
                    self.report();
                }
            }
        }
    }

    /// Takes batches in, and brings the fast path up to date with them.
    fn learn(&mut self, batches: impl Iterator<Item = Batch>) {
        for batch in batches {
            let known =
                self.learner.namespace(&batch.place).is_some_and(|namespace| namespace.synchronised());
            if known && batch.events.contains(&learn::Event::ResyncBegin) {
                self.resynchronisations += 1;
            }
            self.learner.apply(batch);
        }
        self.update();
    }

    fn update(&mut self) {
        let changes = self.learner.compile();
        let tables_changed = changes.tables.is_some();
        if !changes.is_empty()
            && let Err(error) = self.writer.write(changes, &self.desired.topology)
        {
            error!("writing the fast path: {error:#}");
            self.faults.write = vec![format!("writing the fast path: {error:#}")];
        }
        if !self.synchronised && self.learner.synchronised() {
            self.writer.commit();
            self.synchronised = true;
            info!("the fast path follows the kernel");
            self.attach();
        } else if self.synchronised && tables_changed {
            self.attach();
        }
    }

    /// Programs go onto ports only once the tables are true: before, they would drop what they do not know yet.
    fn attach(&mut self) {
        let Some(host) = self.learner.namespace(&Place::Host) else { return };
        let interfaces: BTreeMap<_, _> =
            host.links.values().map(|link| (link.name.clone(), link.index)).collect();
        self.faults.attach = self.writer.attach(&self.desired.topology, &interfaces);
    }

    /// Reads the configuration again. One with faults changes nothing.
    fn reconfigure(&mut self) {
        let intent = match Intent::read(&self.options) {
            Ok(Ok(intent)) => intent,
            Ok(Err(Refusal(faults))) => {
                warn!("the new configuration is refused, the old one stays:\n{faults}");
                self.faults.config = faults.lines().map(str::to_owned).collect();
                return;
            }
            Err(error) => {
                error!("reading the configuration: {error:#}");
                self.faults.config = vec![format!("reading the configuration: {error:#}")];
                return;
            }
        };
        self.faults.config.clear();
        if intent.desired == self.desired {
            info!("the configuration is read again; nothing changes here");
        } else if let Err(error) = intent.save(&self.options) {
            error!("{error:#}");
            self.faults.config = vec![format!("{error:#}")];
            return;
        } else {
            info!("the configuration changed");
        }
        self.desired = intent.desired;
        self.learner.set_topology(self.desired.topology.clone());
        self.update();
        self.applier.send_replace(self.desired.clone());
    }

    /// Watches the namespaces that exist by now.
    async fn applied(&mut self, desired: &Arc<Desired>, faults: Vec<String>) {
        self.faults.apply = faults;
        if !Arc::ptr_eq(desired, &self.desired) {
            return;
        }
        if let Err(error) = self.watched.follow(&self.desired.topology).await {
            warn!("{error:#}");
            self.faults.apply.push(format!("{error:#}"));
        }
        // A change of hooks alone changes no table.
        if self.synchronised {
            self.attach();
        }
    }

    fn maintain(&mut self) {
        self.faults.write.clear();
        if let Err(error) = self.writer.maintain() {
            self.faults.write.push(format!("{error:#}"));
        }
        let pending = self.writer.pending();
        if pending > 0 {
            self.faults.write.push(format!(
                "{pending} routes do not fit into the fast path: raise `fib-nodes` in fabric.toml and restart the agent"
            ));
        }
        if !self.faults.attach.is_empty() {
            self.attach();
        }
    }

    /// Asks the kernels to keep alive what only the fast path uses.
    fn keep_alive(&mut self, refresh: bool) {
        let active = if refresh {
            self.writer.active(&self.desired.topology).unwrap_or_else(|error| {
                warn!("{error:#}");
                BTreeSet::new()
            })
        } else {
            BTreeSet::new()
        };
        self.watched.request(&self.learner.requests(&active));
    }

    /// Tells `raas status`, if there is news.
    fn report(&mut self) {
        let counts = self.writer.counts();
        let Faults { config, apply, attach, write } = &self.faults;
        let names = self.desired.topology.routers.iter();
        let report = AgentReport {
            pid: std::process::id(),
            synchronised: self.synchronised,
            routes: names
                .filter_map(|router| Some((router.name.clone(), *counts.routes.get(&router.id)? as usize)))
                .collect(),
            fib_nodes_used: counts.nodes.used,
            fib_nodes: counts.nodes.capacity,
            resynchronisations: self.resynchronisations,
            faults: [config, apply, attach, write].into_iter().flatten().cloned().collect(),
        };
        if report != self.reported {
            if let Err(error) = report.write(&self.options.paths) {
                warn!("{error:#}");
            }
            self.reported = report;
        }
    }
}
