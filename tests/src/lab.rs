//! A lab: the hypervisors of a configuration directory, simulated.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::File,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, Child, Command, Output, Stdio},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use raas_agent::model::{Hook, Network};

use crate::{
    Station, Status,
    agent::{self, Counter},
    files::Files,
    owner::Owner,
    processes,
    space::Space,
    station::foreign_sessions,
    stations, teardown, underlay, visitor, wait_for,
};

/// How a lab is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Its name under `/run/raas-lab`; a unique one if none is given.
    pub name: Option<String>,
    /// Where the program sits on every port and uplink, instead of what the configuration says.
    pub hook: Option<Hook>,
    /// Whether [foreign machines](crate::Foreign) may be plugged into the underlay.
    pub foreign: bool,
}

/// Simulated hypervisors on an underlay. Dropping it removes everything.
#[derive(Debug)]
pub struct Lab {
    network: Network,
    config: PathBuf,
    hook: Option<Hook>,
    files: Files,
    spaces: BTreeMap<String, Space>,
    agents: Mutex<BTreeMap<String, Child>>,
    /// DHCP clients of endpoints that are existing interfaces.
    visitors: Vec<Child>,
    stays: bool,
}

/// A hypervisor of any lab, also of another process.
#[derive(Clone, Debug)]
pub struct Hypervisor {
    /// Its name.
    pub name: String,
    space: Space,
}

impl Lab {
    /// Makes hypervisors and underlay, without agents. `config` is the directory that `network` was read
    /// from.
    pub fn create(network: Network, config: &Path, options: &Options) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        teardown::sweep().context("removing labs of processes that have ended")?;
        let unique = || format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let files = Files::create(&options.name.clone().unwrap_or_else(unique))?;
        // From here on dropping `lab` cleans up.
        let mut lab = Self {
            network,
            config: config.to_path_buf(),
            hook: options.hook,
            files,
            spaces: BTreeMap::new(),
            agents: Mutex::default(),
            visitors: Vec::new(),
            stays: false,
        };
        teardown::register(&lab.files)?;
        for hypervisor in &lab.network.fabric.hypervisors {
            let name = hypervisor.name.as_str();
            lab.spaces.insert(name.to_owned(), Space::create(&lab.files.space_dir(name))?);
        }
        let xdp = options.hook.map_or_else(
            || lab.network.fabric.hypervisors.iter().any(|hypervisor| hypervisor.uplink_hook == Hook::Xdp),
            |hook| hook == Hook::Xdp,
        );
        underlay::build(&lab.files, &lab.network.fabric, &lab.spaces, xdp, options.foreign)?;
        for station in lab.stations() {
            if let Some(interface) = &station.interface {
                let build = || visitor::build(interface, &station.netns, xdp);
                let client = lab.within(station.hypervisor.as_str(), None, build)?;
                lab.visitors.push(client);
            }
        }
        Ok(lab)
    }

    /// Makes the hypervisors of a configuration directory and starts their agents. They are not ready when
    /// this returns: [`Self::wait_ready`].
    pub fn up(config: &Path, options: &Options) -> Result<Self> {
        let config = config.canonicalize().with_context(|| config.display().to_string())?;
        let network = raas_agent::config::load(&config).map_err(|faults| anyhow::anyhow!("{faults}"))?;
        let lab = Self::create(network, &config, options)?;
        for hypervisor in lab.hypervisors() {
            lab.start_agent(&hypervisor)?;
        }
        Ok(lab)
    }

    /// Leaves the lab to [`Lab::remove`]: it outlives this process.
    pub fn stay(mut self) -> Result<()> {
        std::fs::remove_file(self.files.owner()).context("giving up the lab")?;
        teardown::release(&self.files);
        self.stays = true;
        Ok(())
    }

    /// Removes a lab that stayed, by its name.
    pub fn remove(name: &str) -> Result<()> {
        let files = Files::open(name)?;
        if let Some(owner) = Owner::read(&files.owner()).filter(|owner| owner.is_alive()) {
            bail!("the lab `{name}` belongs to process {}: it goes when that ends", owner.pid());
        }
        teardown::remove(&files)
    }

    /// What was configured.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Where it keeps its namespaces and logs.
    pub fn directory(&self) -> &Path {
        self.files.root()
    }

    /// The directory that the agents read.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Names of the hypervisors.
    pub fn hypervisors(&self) -> Vec<String> {
        self.spaces.keys().cloned().collect()
    }

    /// The endpoints.
    pub fn stations(&self) -> Vec<Station> {
        stations(&self.network)
    }

    /// An endpoint by its full name, `acme/pc1`.
    pub fn station(&self, name: &str) -> Result<Station> {
        let found = self.stations().into_iter().find(|station| station.to_string() == name);
        found.with_context(|| format!("no endpoint `{name}`"))
    }

    /// Where namespaces and logs are.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The hook that all agents were started with, if any.
    pub fn hook(&self) -> Option<Hook> {
        self.hook
    }

    /// Starts a hypervisor's agent. Its output is appended to `agent.log`.
    pub fn start_agent(&self, hypervisor: &str) -> Result<()> {
        self.start_agent_on(hypervisor, self.hook)
    }

    /// As [`Self::start_agent`], with another hook than the lab's.
    pub fn start_agent_on(&self, hypervisor: &str, hook: Option<Hook>) -> Result<()> {
        self.start_agent_with(hypervisor, hook, &[])
    }

    /// As [`Self::start_agent_on`], with more arguments.
    pub fn start_agent_with(&self, hypervisor: &str, hook: Option<Hook>, arguments: &[&str]) -> Result<()> {
        let log = self.files.agent_log(hypervisor);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| log.display().to_string())?;
        let mut command = Command::new(agent::binary()?);
        command.args(["agent", "--config"]).arg(&self.config).args(["--hypervisor", hypervisor]);
        if let Some(hook) = hook {
            command.args(["--hook", &hook.to_string()]);
        }
        command.args(arguments);
        // A terminal's Ctrl-C is for us: we end the agents, in order.
        command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = self.spawn(hypervisor, None, &mut command)?;
        Owner::of(child.id())?.write(&self.files.agent(hypervisor))?;
        self.agents.lock().unwrap_or_else(PoisonError::into_inner).insert(hypervisor.to_owned(), child);
        Ok(())
    }

    /// Readies the underlay for XDP where it was made for TC: its senders finish their checksums from now on.
    /// A NIC does so anyway.
    pub fn prepare_for_xdp(&self) -> Result<()> {
        for hypervisor in &self.network.fabric.hypervisors {
            self.within(hypervisor.name.as_str(), None, || {
                hypervisor.uplinks.iter().try_for_each(|uplink| underlay::finish_checksums(uplink))
            })?;
        }
        Ok(())
    }

    /// Sends a signal to a hypervisor's agent, and waits for its end if the signal is one that ends it.
    pub fn signal_agent(&self, hypervisor: &str, signal: Signal) -> Result<()> {
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let child = agents.get_mut(hypervisor).with_context(|| format!("no agent on {hypervisor}"))?;
        if let Some(status) = child.try_wait()? {
            bail!("the agent of {hypervisor} has ended ({status})");
        }
        kill(Pid::from_raw(i32::try_from(child.id())?), signal).context("signalling the agent")?;
        if matches!(signal, Signal::SIGTERM | Signal::SIGKILL | Signal::SIGINT) {
            wait_for(Duration::from_secs(10), "end of the agent", || Ok(child.try_wait()?))?;
        }
        Ok(())
    }

    /// Whether each agent still runs; the error has the end of the log of the one that does not.
    pub fn check_agents(&self) -> Result<()> {
        for (hypervisor, child) in self.agents.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if let Some(status) = child.try_wait()? {
                let log = self.agent_log(hypervisor);
                let tail: Vec<_> = log.lines().rev().take(15).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                bail!("the agent of {hypervisor} has ended ({status}):\n{tail}");
            }
        }
        Ok(())
    }

    /// What a hypervisor's agent has logged; empty if it never ran.
    pub fn agent_log(&self, hypervisor: &str) -> String {
        std::fs::read_to_string(self.files.agent_log(hypervisor)).unwrap_or_default()
    }

    /// Runs `f` on a hypervisor, in one of its namespaces if one is named.
    pub fn within<T: Send>(
        &self,
        hypervisor: &str,
        netns: Option<&str>,
        f: impl FnOnce() -> Result<T> + Send,
    ) -> Result<T> {
        self.spaces.get(hypervisor).with_context(|| format!("no hypervisor `{hypervisor}`"))?.within(netns, f)
    }

    /// Runs a command there to its end.
    pub fn exec(
        &self,
        hypervisor: &str,
        netns: Option<&str>,
        words: &[impl AsRef<OsStr> + Sync],
    ) -> Result<Output> {
        self.within(hypervisor, netns, || output(words))
    }

    /// Starts a command there.
    pub fn spawn(&self, hypervisor: &str, netns: Option<&str>, command: &mut Command) -> Result<Child> {
        self.within(hypervisor, netns, || command.spawn().with_context(|| format!("running {command:?}")))
    }

    /// Processes on a hypervisor, in whatever of its namespaces: pid and command line.
    pub fn processes(&self, hypervisor: &str) -> Result<Vec<(Pid, String)>> {
        let space = self.spaces.get(hypervisor).with_context(|| format!("no hypervisor `{hypervisor}`"))?;
        let command = |pid: Pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            (pid, line.replace('\0', " "))
        };
        Ok(processes::inside(&space.inodes()?)?.into_iter().map(command).collect())
    }

    /// Runs `raas` there and returns what it prints. It must succeed.
    pub fn raas(&self, hypervisor: &str, words: &[&str]) -> Result<String> {
        self.raas_exiting(hypervisor, words, &[0])
    }

    /// As [`Self::raas`], with the exit codes that it may have.
    fn raas_exiting(&self, hypervisor: &str, words: &[&str], codes: &[i32]) -> Result<String> {
        let binary = agent::binary()?;
        let line: Vec<&OsStr> =
            std::iter::once(binary.as_os_str()).chain(words.iter().map(OsStr::new)).collect();
        let output = self.exec(hypervisor, None, &line)?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let expected = output.status.code().is_some_and(|code| codes.contains(&code));
        ensure!(expected, "{hypervisor}: raas {words:?} ({}): {}", output.status, stderr.trim());
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// `raas status` of a hypervisor.
    pub fn status(&self, hypervisor: &str) -> Result<Status> {
        // 3: something is wrong, and the status says what.
        let text = self.raas_exiting(hypervisor, &["status", "--json"], &[0, 3])?;
        serde_json::from_str(&text).context("output of raas status --json")
    }

    /// As [`Self::status`], without the faults of foreign routers: whether these are there is not the lab's business.
    pub fn own_status(&self, hypervisor: &str) -> Result<Status> {
        let mut status = self.status(hypervisor)?;
        let foreign = foreign_sessions(&self.network);
        status.faults.retain(|fault| !foreign.iter().any(|session| fault.starts_with(session)));
        Ok(status)
    }

    /// `raas counters` of all hypervisors.
    pub fn counters(&self) -> Result<Vec<Counter>> {
        let mut all = Vec::new();
        for hypervisor in self.spaces.keys() {
            let text = self.raas(hypervisor, &["counters", "--json"])?;
            let counters: Vec<Counter> =
                serde_json::from_str(&text).context("output of raas counters --json")?;
            all.extend(counters);
        }
        Ok(all)
    }

    /// Packets that the fast path has forwarded from a port.
    pub fn forwarded(&self, scope: &str) -> Result<u64> {
        let counters = self.counters()?;
        let port: Vec<_> = counters.iter().filter(|counter| counter.scope == scope).collect();
        ensure!(!port.is_empty(), "nothing counts for {scope}");
        Ok(port.iter().filter(|counter| counter.class == "forwarded").map(|counter| counter.packets).sum())
    }

    /// Packets of a port that left by an exit.
    pub fn counted(&self, scope: &str, exit: &str) -> Result<u64> {
        let counters = self.counters()?;
        let found = counters.iter().find(|counter| counter.scope == scope && counter.exit == exit);
        Ok(found.map_or(0, |counter| counter.packets))
    }

    /// Switches the fast path of all hypervisors.
    pub fn fast_path(&self, on: bool) -> Result<()> {
        for hypervisor in self.spaces.keys() {
            self.raas(hypervisor, &["fast-path", if on { "on" } else { "off" }])?;
        }
        Ok(())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !self.stays
            && let Err(error) = teardown::remove_live(&self.files)
        {
            eprintln!("removing {}: {error:#}", self.files.root().display());
        }
    }
}

impl Hypervisor {
    /// The hypervisors of a lab, by the lab's name.
    pub fn all(lab: &str) -> Result<Vec<Self>> {
        let spaces = Files::open(lab)?.spaces()?.into_iter();
        Ok(spaces.map(|(name, space)| Self { name, space }).collect())
    }

    /// Runs `f` there, in one of its namespaces if one is named.
    pub fn within<T: Send>(&self, netns: Option<&str>, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        self.space.within(netns, f)
    }
}

/// Runs a command to its end, in the namespaces of this thread.
pub(crate) fn output(words: &[impl AsRef<OsStr>]) -> Result<Output> {
    let (program, arguments) = words.split_first().context("an empty command")?;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    command.output().with_context(|| format!("running {command:?}"))
}
