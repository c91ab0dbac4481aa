//! A hypervisor of its own for each test: network namespace, mount namespace with an empty `/run`,
//! directories.

use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};
use raas_agent::{
    apply::{Action, Kernel, Report},
    plan::Desired,
    platform::Paths,
};
use tempfile::TempDir;

/// Name of the simulated hypervisor.
pub const HYPERVISOR: &str = "h1";

/// Shows what there is, for a failure.
const DUMP: &str = "
for d in /run/.tmp*/h1/run/frr; do
    vtysh --vty_socket $d --config_dir $d -c 'show running-config' -c 'show bgp vrf all summary'
    cat $d/*.log
done
ip address
for n in /run/netns/*; do echo $n; ip -n ${n##*/} address; ip -n ${n##*/} route; done";

/// A simulated hypervisor.
pub struct Lab {
    pub kernel: Kernel,
    pub paths: Paths,
}

/// Runs a test on a thread that has its own network and mount namespaces. What it made is removed also if it
/// panics.
pub fn hypervisor<F>(test: impl FnOnce(Lab) -> F + Send + 'static)
where
    F: Future<Output = Lab>,
{
    let thread = thread::spawn(|| {
        unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).expect("these tests need root");
        let none = None::<&str>;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
        mount(Some("raas-test"), "/run", Some("tmpfs"), MsFlags::empty(), Some("mode=755")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // In /run: ours alone, and gone with the mount namespace.
        let directory = tempfile::tempdir_in("/run").unwrap();
        let paths = paths(&directory, HYPERVISOR);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            runtime.block_on(async {
                let kernel = Kernel::new(paths.clone(), HYPERVISOR).await.unwrap();
                test(Lab { kernel, paths: paths.clone() }).await
            })
        }));
        // Daemons would outlive the names of their namespaces. They are found by their files, which are still there.
        let report = runtime.block_on(async { Kernel::new(paths, HYPERVISOR).await.unwrap().down().await });
        if let Err(panic) = outcome {
            resume_unwind(panic);
        }
        let report = report.unwrap();
        assert!(report.is_success(), "{:?}", report.failures);
    });
    if let Err(panic) = thread.join() {
        resume_unwind(panic);
    }
}

/// Directories of an instance.
pub fn paths(directory: &TempDir, instance: &str) -> Paths {
    let root = directory.path().join(instance);
    Paths { state: root.join("state"), run: root.join("run"), pin: root.join("pin") }
}

impl Lab {
    /// Reconciles and expects success.
    pub async fn reconcile(&mut self, desired: &Desired) -> Report {
        let report = self.kernel.reconcile(desired).await.unwrap();
        let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
        assert!(report.is_success(), "{failures:#?} {:?}", report.conflicts);
        report
    }

    /// Expects that there is nothing (more) to do.
    pub async fn expect_nothing_to_do(&mut self, desired: &Desired) {
        let report = self.reconcile(desired).await;
        assert!(report.done.is_empty(), "not as desired after one run: {:#?}", text(&report.done));
    }

    /// Waits until a condition holds.
    pub async fn eventually(what: &str, limit: Duration, mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + limit;
        while !holds() {
            assert!(Instant::now() < deadline, "not within {limit:?}: {what}\n{}", try_shell(DUMP).1);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Actions as text.
pub fn text(actions: &[Action]) -> Vec<String> {
    actions.iter().map(ToString::to_string).collect()
}

/// Runs a shell command and returns what it printed; it may fail.
pub fn try_shell(command: &str) -> (bool, String) {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// Runs a shell command that must succeed, and returns what it printed.
pub fn shell(command: &str) -> String {
    let (success, said) = try_shell(command);
    assert!(success, "{command}: {said}");
    said
}
