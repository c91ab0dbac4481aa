//! With the real kernel, in namespaces of their own. Need root.

mod changes;
mod keepalive;
mod mirror;
mod overrun;

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use super::Monitor;
use crate::{
    learn::{Batch, Learner},
    plan::{Place, Topology},
};

/// How long anything may take to arrive.
const DEADLINE: Duration = Duration::from_secs(20);

/// A named namespace that goes with the value.
pub(crate) struct Netns {
    pub(crate) name: String,
}

impl Netns {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("raas-test-monitor-{}-{count}", std::process::id());
        run(&["netns", "add", &name], "");
        let netns = Self { name };
        netns.ip("link set lo up");
        netns
    }

    fn open(&self) -> OwnedFd {
        File::open(format!("/run/netns/{}", self.name)).unwrap().into()
    }

    /// `ip` with these arguments, in here.
    fn ip(&self, arguments: &str) {
        let mut all = vec!["-n", &self.name];
        all.extend(arguments.split_whitespace());
        run(&all, "");
    }

    /// Lines of arguments of `ip`, in one process.
    fn ip_batch(&self, lines: &str) {
        run(&["-n", &self.name, "-batch", "-"], lines);
    }

    /// Like [`ip_batch`](Self::ip_batch), but what the kernel refuses is passed over.
    fn ip_batch_forced(&self, lines: &str) {
        drop(spawn(&["-n", &self.name, "-force", "-batch", "-"], lines));
    }

    /// `bridge` with these arguments, in here; what it prints.
    fn bridge(&self, arguments: &str) -> String {
        let output = Command::new("bridge")
            .args(["-n", &self.name])
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        assert!(output.status.success(), "bridge {arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn index(&self, interface: &str) -> u32 {
        let output =
            Command::new("ip").args(["-n", &self.name, "-o", "link", "show", interface]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        drop(Command::new("ip").args(["netns", "del", &self.name]).status());
    }
}

fn run(arguments: &[&str], input: &str) {
    let output = spawn(arguments, input);
    assert!(
        output.status.success(),
        "ip {arguments:?} (these tests need root): {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn spawn(arguments: &[&str], input: &str) -> std::process::Output {
    let mut child = Command::new("ip")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Written beside reading: `ip` may complain more than a pipe holds before it has read all.
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    })
}

/// A learner that follows namespaces through a monitor.
struct Follower {
    monitor: Monitor,
    batches: mpsc::Receiver<Batch>,
    learner: Learner,
    /// Dumps begun so far.
    dumps: usize,
}

impl Follower {
    fn new(topology: Topology, receive_buffer: usize) -> Self {
        let (sender, batches) = mpsc::channel(64);
        let mut learner = Learner::default();
        learner.set_topology(topology);
        Self { monitor: Monitor::new(sender, receive_buffer), batches, learner, dumps: 0 }
    }

    async fn watch(&mut self, place: Place, netns: &Netns) {
        self.monitor.watch(place, &netns.open()).await.unwrap();
    }

    /// Follows until the condition holds.
    async fn until(&mut self, what: &str, mut holds: impl FnMut(&Learner) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        self.learner.compile();
        while !holds(&self.learner) {
            match timeout_at(deadline, self.batches.recv()).await {
                Ok(batch) => self.take(batch.unwrap()),
                Err(_) => panic!("{what}: not within {DEADLINE:?}\n{:#?}", self.learner),
            }
            self.learner.compile();
        }
    }

    fn take(&mut self, batch: Batch) {
        self.dumps += batch.events.iter().filter(|event| **event == crate::learn::Event::ResyncBegin).count();
        self.learner.apply(batch);
    }
}
