//! The owner of the state: what is desired, what was learned, what is in the fast path.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use tracing::{info, warn};

use super::{
    Event, Intent, Options, Writer,
    applier::{Applier, tell_repairs},
    patience::Patience,
    watched::Watched,
};
use crate::{
    fib::{Grace as _, RouterId, Shortage},
    learn::{self, Batch, Learner, Request},
    plan::{Desired, Place},
    platform::{bpf::Membarrier, netns},
    report::{AgentReport, Failing, Repairs, RouterReport, Time},
};

/// What can wait is done this often.
const TICK: Duration = Duration::from_secs(1);

/// FDB entries of active ports are refreshed every so many ticks: well within the kernel's 300 s of ageing.
const REFRESH: u32 = 60;

/// Pins and programs are looked at every so many ticks.
const VERIFY: u32 = 2;

/// The fast path's maps are compared with what was written there every so many ticks.
const AUDIT: u32 = 60;

/// A configuration that was refused is read again every so many ticks: what was in the way may be no file of it.
const REREAD: u32 = 5;

/// Most batches that are taken together before the fast path is brought up to date.
const BATCHES: usize = 64;

/// The owner of the state.
pub struct Owner {
    options: Options,
    desired: Arc<Desired>,
    applier: Applier,
    learner: Learner,
    watched: Watched,
    writer: Writer,
    /// Everything was learned once, or would not be for long, and what an earlier agent left behind is
    /// replaced.
    synchronised: bool,
    patience: Patience,
    /// Nodes that the FIB's pool was made with.
    fib_nodes: u32,
    resynchronisations: u64,
    /// Something was lost between the kernel and us since the last audit.
    audit_due: bool,
    repairs: Repairs,
    failing: Option<Failing>,
    faults: Faults,
    reported: AgentReport,
}

/// What is wrong now, by where it comes from.
#[derive(Default)]
struct Faults {
    config: Vec<String>,
    restart: Option<String>,
    apply: Vec<String>,
    watch: Vec<String>,
    attach: Vec<String>,
    verify: Vec<String>,
    report: Option<String>,
}

impl Owner {
    /// The owner of a state in which nothing is learned yet.
    pub fn new(options: Options, intent: Intent, writer: Writer, watched: Watched, applier: Applier) -> Self {
        let mut learner = Learner::default();
        learner.set_topology(intent.desired.topology.clone());
        writer.seed(&intent.desired.hypervisor, &intent.desired.topology);
        Self {
            options,
            desired: intent.desired,
            applier,
            learner,
            watched,
            writer,
            synchronised: false,
            patience: Patience::default(),
            fib_nodes: intent.fib_nodes,
            resynchronisations: 0,
            audit_due: false,
            repairs: Repairs::default(),
            failing: None,
            faults: Faults::default(),
            reported: AgentReport::default(),
        }
    }

    /// Reacts to events. Each kind gets its turn, however much of another there is: tenants decide how much
    /// the kernel has to say.
    ///
    /// # Errors
    /// If those who are listened to have ended.
    pub async fn run(
        mut self,
        mut events: mpsc::Receiver<Event>,
        mut batches: mpsc::Receiver<Batch>,
    ) -> Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut tick = 0;
        let mut together = Vec::with_capacity(BATCHES);
        // At most one.
        let mut graces = JoinSet::new();
        loop {
            tokio::select! {
                count = batches.recv_many(&mut together, BATCHES) => {
                    if count == 0 {
                        bail!("nobody watches the kernel any more");
                    }
                    tokio::task::block_in_place(|| self.learn(together.drain(..)));
                }
                event = events.recv() => match event {
                    None => bail!("nobody applies the configuration any more"),
                    Some(Event::ConfigChanged) => self.reconfigure(),
                    Some(Event::Applied { desired, repairs, faults }) => {
                        self.repairs.add(repairs);
                        self.applied(&desired, faults).await;
                    }
                },
                _ = ticks.tick() => {
                    if let Some(place) = self.watched.ended() {
                        bail!("nobody watches {place:?} any more");
                    }
                    tick += 1;
                    tokio::task::block_in_place(|| self.maintain(tick));
                    self.keep_alive(tick % REFRESH == 0);
                    self.report();
                    if graces.is_empty() && self.writer.retire() {
                        graces.spawn_blocking(|| Membarrier.wait());
                    }
                }
                Some(waited) = graces.join_next() => {
                    let waited = waited.unwrap_or_else(|error| Err(io::Error::other(error)));
                    tokio::task::block_in_place(|| self.writer.reclaim(waited));
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
                self.audit_due = true;
            }
            if self.learner.apply(batch) {
                self.applier.disturbed.notify_one();
            }
        }
        self.update();
    }

    fn update(&mut self) {
        let changes = self.learner.compile();
        let tables_changed = changes.tables.is_some();
        if !changes.is_empty() {
            self.writer.write(changes, &self.desired.topology);
        }
        if self.synchronised && tables_changed {
            self.attach();
        }
        self.commit(Instant::now());
    }

    /// Puts what was learned in the place of what an earlier agent left, once that is everything. One router
    /// that cannot be made must not keep all others waiting: after a while the kernel forwards for those that
    /// are not known.
    fn commit(&mut self, now: Instant) {
        if self.synchronised {
            return;
        }
        let host = self.learner.namespace(&Place::Host).is_some_and(|host| host.synchronised());
        let late = self.patience.is_over(host, now);
        if self.learner.synchronised() {
            info!("the fast path follows the kernel");
        } else if late {
            let unknown: Vec<_> = self.learner.unknown().collect();
            warn!(routers = unknown.join(", "), "the fast path follows the kernel, without some routers");
        } else {
            return;
        }
        self.writer.commit();
        self.synchronised = true;
        self.attach();
    }

    /// Programs go onto ports only once the tables are true: before, they would drop what they do not know
    /// yet.
    fn attach(&mut self) {
        let Some(host) = self.learner.namespace(&Place::Host) else { return };
        let interfaces: BTreeMap<_, _> =
            host.links.values().map(|link| (link.name.clone(), link.index)).collect();
        self.faults.attach = self.writer.attach(&self.desired.topology, &interfaces);
    }

    /// Reads the configuration again. One with faults changes nothing.
    fn reconfigure(&mut self) {
        let intent = match Intent::renew(&self.options, &self.desired) {
            Ok(intent) => intent,
            Err(faults) => {
                if faults != self.faults.config {
                    warn!("the new configuration is not taken, the old one stays:\n{}", faults.join("\n"));
                }
                self.faults.config = faults;
                return;
            }
        };
        self.faults.config.clear();
        self.faults.restart = (intent.fib_nodes != self.fib_nodes).then(|| {
            format!(
                "`fib-nodes` is {} now; the fast path has {} until the agent is restarted",
                intent.fib_nodes, self.fib_nodes
            )
        });
        if intent.desired == self.desired {
            info!("the configuration is read again; nothing changes here");
        } else {
            info!("the configuration changed");
        }
        self.desired = intent.desired;
        // Whom the learner forgets has to be dumped again if it comes back.
        self.watched.retain(&self.desired.topology);
        self.learner.set_topology(self.desired.topology.clone());
        self.writer.seed(&self.desired.hypervisor, &self.desired.topology);
        self.update();
        self.applier.desired.send_replace(self.desired.clone());
    }

    /// Watches the namespaces that exist by now.
    async fn applied(&mut self, desired: &Arc<Desired>, faults: Vec<String>) {
        let started = Failing { since: Time::now(), attempts: 0 };
        let Failing { since, attempts } = self.failing.unwrap_or(started);
        self.failing = (!faults.is_empty()).then_some(Failing { since, attempts: attempts + 1 });
        self.faults.apply = faults;
        if !Arc::ptr_eq(desired, &self.desired) {
            return;
        }
        let faults = self.watched.follow(&self.desired.topology).await;
        let faults: Vec<_> = faults.iter().map(|error| format!("{error:#}")).collect();
        for fault in faults.iter().filter(|fault| !self.faults.watch.contains(fault)) {
            warn!("{fault}");
        }
        self.faults.watch = faults;
        // A change of hooks alone changes no table.
        if self.synchronised {
            self.attach();
        }
    }

    fn maintain(&mut self, tick: u32) {
        self.writer.maintain(&self.desired.topology);
        if self.synchronised && (tick.is_multiple_of(AUDIT) || self.audit_due) {
            self.audit_due = false;
            let steps = self.writer.audit(&self.desired.topology);
            self.repaired(steps);
        }
        self.commit(Instant::now());
        if tick.is_multiple_of(VERIFY) {
            self.verify();
        }
        if !self.faults.attach.is_empty() {
            self.attach();
        }
        if !self.faults.config.is_empty() && tick.is_multiple_of(REREAD) {
            self.reconfigure();
        }
        // Nobody tells of a name that goes: the namespace itself lives on while it is watched.
        if self.desired.namespaces.iter().any(|namespace| !netns::exists(&namespace.netns)) {
            self.applier.disturbed.notify_one();
        }
    }

    /// Puts back pins and programs that somebody took away.
    fn verify(&mut self) {
        let found = self.writer.verify();
        self.faults.verify = found.faults;
        let mut steps: Vec<_> = found.restored.into_iter().map(|what| format!("restore {what}")).collect();
        if !found.bare.is_empty() {
            self.attach();
            steps
                .extend(found.bare.into_iter().map(|interface| format!("attach the program to {interface}")));
        }
        self.repaired(steps);
    }

    /// Says and notes what was put right.
    fn repaired(&mut self, steps: Vec<String>) {
        if !steps.is_empty() {
            tell_repairs(&steps);
            self.repairs.add(steps);
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
        let requests = self.learner.requests(&active);
        self.watched.request(&requests);
        let relearned = requests.iter().filter_map(|request| match request {
            Request::Relearn { mac, .. } => Some(format!("have EVPN say anew where {mac} is")),
            _ => None,
        });
        self.repaired(relearned.collect());
    }

    /// Tells `raas status`, if there is news.
    fn report(&mut self) {
        let counts = self.writer.counts();
        let Faults { config, restart, apply, watch, attach, verify, report: _ } = &self.faults;
        let known =
            config.iter().chain(restart).chain(apply).chain(watch).chain(attach).chain(verify).cloned();
        let topology = &self.desired.topology;
        let shortages = self.writer.shortages();
        let tables = topology.routers.iter().filter_map(|router| {
            let short = RouterId::new(router.id).and_then(|id| shortages.get(&id));
            let table = RouterReport {
                routes: *counts.routes.get(&router.id)? as usize,
                waiting: short.map_or(0, Shortage::routes),
                held: short.is_some_and(|shortage| shortage.held),
            };
            Some((router.name.clone(), table))
        });
        let report = AgentReport {
            pid: std::process::id(),
            synchronised: self.synchronised,
            routers: tables.collect(),
            fib_nodes_used: counts.nodes.used,
            fib_nodes: counts.nodes.capacity,
            nexthops_used: counts.nexthops.used,
            nexthops: counts.nexthops.capacity,
            groups_used: counts.groups.used,
            groups: counts.groups.capacity,
            resynchronisations: self.resynchronisations,
            repairs: self.repairs.clone(),
            failing: self.failing,
            faults: known.chain(self.writer.faults(topology)).collect(),
        };
        if report == self.reported {
            return;
        }
        // One that cannot be written is tried again: the last one would be believed for ever.
        let fault = report.write(&self.options.paths).err().map(|error| format!("{error:#}"));
        match &fault {
            None => self.reported = report,
            Some(_) if self.faults.report == fault => {}
            Some(error) => warn!("`raas status` shows what was before: {error}"),
        }
        self.faults.report = fault;
    }
}
