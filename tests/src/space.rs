//! A simulated machine: a network namespace and a mount namespace, kept alive by files, without a process of
//! their own.

use std::{
    collections::HashSet,
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    panic,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use anyhow::{Context as _, Result, anyhow};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, CpuSet, sched_getaffinity, sched_setaffinity, setns, unshare},
    unistd::{Pid, User, gettid},
};

use crate::files::LABS;

const NONE: Option<&str> = None;
/// Where an agent keeps its state.
const STATE: &str = "/var/lib/raas";

/// A network namespace and a mount namespace.
#[derive(Clone, Debug)]
pub struct Space {
    net: PathBuf,
    mnt: PathBuf,
}

impl Space {
    /// Makes the namespaces, and keeps them on the files `net` and `mnt` of a new directory. The directory
    /// has to lie on a private mount.
    pub fn create(directory: &Path) -> Result<Self> {
        fs::create_dir(directory).with_context(|| format!("creating {}", directory.display()))?;
        let space = Self { net: directory.join("net"), mnt: directory.join("mnt") };
        for file in [&space.net, &space.mnt] {
            File::create_new(file).with_context(|| format!("creating {}", file.display()))?;
        }
        // The kernel binds a mount namespace only from within one with a lower number (fs/namespace.c,
        // `mnt_ns_loop`). Numbers are handed to each CPU in batches (Linux 6.18): made on another CPU, a newer namespace can
        // have the lower one. On the CPU where the outer one was made it has not.
        let own = sched_getaffinity(Pid::from_raw(0)).context("CPUs of this process")?;
        let cpus = (0..CpuSet::count()).filter(|cpu| own.is_set(*cpu).unwrap_or(false));
        let mut made = space.make(None);
        for cpu in cpus {
            match &made {
                Err(error) if error.downcast_ref() == Some(&Errno::EINVAL) => made = space.make(Some(cpu)),
                _ => break,
            }
        }
        made?;
        Ok(space)
    }

    /// Makes the namespaces, on one CPU if one is given, and keeps them.
    fn make(&self, cpu: Option<usize>) -> Result<()> {
        // A mount namespace cannot be kept from within itself, so one thread enters the new namespaces, and
        // this one binds them to the files before it ends.
        let (entered, on_entered) = mpsc::channel();
        let (bound, on_bound) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                let result = cpu
                    .map_or(Ok(()), run_on)
                    .and_then(|()| {
                        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)
                            .context("unshare: are we root?")
                    })
                    .and_then(|()| furnish());
                // The receiver is gone only if the other thread has failed already.
                let _ = entered.send(result.map(|()| gettid()));
                let _ = on_bound.recv();
            });
            let bind = || -> Result<()> {
                let thread = on_entered.recv().context("the thread in the new namespaces died")??;
                // The one that may be refused first: then nothing is kept.
                for (file, kind) in [(&self.mnt, "mnt"), (&self.net, "net")] {
                    let source = format!("/proc/self/task/{thread}/ns/{kind}");
                    mount(Some(source.as_str()), file, NONE, MsFlags::MS_BIND, NONE)
                        .with_context(|| format!("binding {source} to {}", file.display()))?;
                }
                Ok(())
            };
            let result = bind();
            drop(bound);
            inside.join().map_err(|_| anyhow!("the thread in the new namespaces panicked"))?;
            result
        })
    }

    /// The namespaces that a directory keeps, if it does.
    pub fn open(directory: &Path) -> Option<Self> {
        let space = Self { net: directory.join("net"), mnt: directory.join("mnt") };
        (space.net.is_file() && space.mnt.is_file()).then_some(space)
    }

    /// Lets go of the namespaces: they end with the last process in them.
    pub fn remove(&self) -> Result<()> {
        for file in [&self.mnt, &self.net] {
            umount2(file, MntFlags::MNT_DETACH).with_context(|| format!("unmounting {}", file.display()))?;
        }
        let directory = self.net.parent().context("a space has a directory")?;
        fs::remove_dir_all(directory).with_context(|| format!("removing {}", directory.display()))
    }

    /// The file of the network namespace, as `ip link … netns FILE` takes it.
    pub fn net(&self) -> &Path {
        &self.net
    }

    /// Runs `f` inside, in the network namespace of that name under `/run/netns` if one is given.
    ///
    /// It runs on a thread of its own, since namespaces belong to a thread. Processes that `f` starts are
    /// inside too. The working directory is `/`.
    pub fn within<T: Send>(&self, netns: Option<&str>, f: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let enter = || -> Result<()> {
            let open = |path: &Path| File::open(path).with_context(|| format!("opening {}", path.display()));
            let (net, mnt) = (open(&self.net)?, open(&self.mnt)?);
            // A thread that shares its root directory with others may not change its mount namespace.
            unshare(CloneFlags::CLONE_FS).context("unshare CLONE_FS")?;
            setns(&mnt, CloneFlags::CLONE_NEWNS).context("entering the mount namespace")?;
            let net = match netns {
                Some(name) => open(&Path::new("/run/netns").join(name))?,
                None => net,
            };
            setns(&net, CloneFlags::CLONE_NEWNET).context("entering the network namespace")
        };
        let inside = || {
            enter()?;
            f()
        };
        thread::scope(|scope| scope.spawn(inside).join().unwrap_or_else(|panic| panic::resume_unwind(panic)))
    }

    /// Inode numbers of all namespaces that belong to it: its own two, and the named ones that were made
    /// inside. A process is ours if it is in one of them.
    pub fn inodes(&self) -> Result<HashSet<u64>> {
        let inode =
            |path: &Path| anyhow::Ok(fs::metadata(path).with_context(|| path.display().to_string())?.ino());
        let mut inodes = HashSet::from([inode(&self.net)?, inode(&self.mnt)?]);
        inodes.extend(self.within(None, || {
            let entries = fs::read_dir("/run/netns").context("/run/netns")?;
            entries.map(|entry| Ok(entry?.metadata()?.ino())).collect::<Result<Vec<_>>>()
        })?);
        Ok(inodes)
    }
}

/// Moves this thread to a CPU, for good.
pub fn run_on(cpu: usize) -> Result<()> {
    let mut only = CpuSet::new();
    only.set(cpu)?;
    sched_setaffinity(Pid::from_raw(0), &only).with_context(|| format!("moving to CPU {cpu}"))
}

/// Gives the mount namespace that this thread has just entered what is a machine's own.
fn furnish() -> Result<()> {
    // Nothing of ours reaches the outside; what is unmounted outside is not held here.
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).context("making / a slave mount")?;
    // Labs, ours among them, were copied with everything else: their namespaces would never end.
    let mounts = fs::read_to_string("/proc/thread-self/mountinfo").context("/proc/thread-self/mountinfo")?;
    for target in mounts.lines().rev().filter_map(|line| line.split(' ').nth(4)) {
        if Path::new(target).starts_with(LABS) {
            umount2(target, MntFlags::MNT_DETACH).with_context(|| format!("unmounting {target}"))?;
        }
    }
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    if !Path::new(STATE).is_dir() {
        // A mount needs a directory, and this machine shall not get one: it is made in a layer above.
        let above = Path::new("/run");
        mount(Some("tmpfs"), above, Some("tmpfs"), flags, NONE).context("mounting /run")?;
        for directory in ["upper", "work"] {
            fs::create_dir(above.join(directory)).context(directory)?;
        }
        let layers = "lowerdir=/var/lib,upperdir=/run/upper,workdir=/run/work";
        mount(Some("overlay"), "/var/lib", Some("overlay"), flags, Some(layers))
            .context("mounting an overlay on /var/lib")?;
        fs::create_dir(STATE).context(STATE)?;
    }
    // A new sysfs shows the interfaces of this thread's network namespace.
    for (target, kind, data) in [
        ("/sys", "sysfs", None),
        ("/sys/fs/bpf", "bpf", Some("mode=0700")),
        ("/run", "tmpfs", Some("mode=0755")),
        (STATE, "tmpfs", Some("mode=0755")),
    ] {
        mount(Some(kind), target, Some(kind), flags, data).with_context(|| format!("mounting {target}"))?;
    }
    for directory in ["/run/lock", "/run/netns", "/run/raas", "/run/frr"] {
        fs::create_dir(directory).context(directory)?;
    }
    // FRR's daemons give up root and then make their sockets here. /var/run is a link to /run.
    if let Some(frr) = User::from_name("frr").context("looking up user frr")? {
        nix::unistd::chown("/run/frr", Some(frr.uid), Some(frr.gid)).context("/run/frr")?;
    }
    Ok(())
}
