//! Network namespaces: made, named and deleted as `ip netns` does, so that every tool that knows `/run/netns`
//! sees them.
//!
//! A thread that enters a namespace never comes back into circulation: [`run_in`] takes a thread of its own,
//! so no tokio worker is ever in a namespace that its next task does not expect.

mod open;

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::{
        fd::{AsFd, AsRawFd, OwnedFd},
        unix::fs::{DirBuilderExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context, Result, anyhow};
use nix::{
    errno::Errno,
    mount::{MntFlags, MsFlags, mount, umount2},
    sched::{CloneFlags, setns, unshare},
    sys::statfs::{NSFS_MAGIC, statfs},
};

pub use self::open::{Identity, OpenNetns, Places};

/// Where named namespaces are (compiled into FRR and iproute2).
pub const DIRECTORY: &str = "/run/netns";

/// The file of a named namespace.
pub fn path(netns: &str) -> PathBuf {
    Path::new(DIRECTORY).join(netns)
}

/// Runs a closure in a namespace, on a thread of its own, and waits for it without blocking the runtime.
///
/// # Errors
/// If the thread cannot be made, cannot enter the namespace, or panics; and whatever the closure returns.
pub async fn run_in<T, F>(netns: &OwnedFd, work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let netns = netns.try_clone().context("duplicating a namespace's descriptor")?;
    on_thread(move || {
        setns(&netns, CloneFlags::CLONE_NEWNET).context("entering the namespace")?;
        work()
    })
    .await
}

/// Runs a closure on a thread of its own that ends with it.
async fn on_thread<T, F>(work: F) -> Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T> + Send + 'static,
{
    let (done, result) = tokio::sync::oneshot::channel();
    thread::Builder::new()
        .name("raas-netns".into())
        .spawn(move || done.send(work()))
        .context("starting a thread")?;
    result.await.map_err(|_| anyhow!("the namespace's thread panicked"))?
}

/// Makes a namespace that has no name yet. It lives as long as the descriptor, a thread or a name ([`bind`])
/// holds it.
///
/// # Errors
/// If the kernel refuses (privileges, limits).
pub async fn create() -> Result<OwnedFd> {
    on_thread(|| {
        unshare(CloneFlags::CLONE_NEWNET).context("unshare(CLONE_NEWNET)")?;
        current().context("opening the new namespace")
    })
    .await
}

/// The namespace of the calling thread.
///
/// # Errors
/// If `/proc` is not mounted.
pub fn current() -> io::Result<OwnedFd> {
    // Not /proc/self: that is the main thread's, and the caller may be elsewhere.
    Ok(File::open("/proc/thread-self/ns/net")?.into())
}

/// Gives a namespace its name under [`DIRECTORY`].
///
/// # Errors
/// If the name is taken, or mounting is refused.
pub fn bind(netns: &impl AsFd, name: &str) -> Result<()> {
    share_directory().with_context(|| format!("preparing {DIRECTORY}"))?;
    let target = path(name);
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o444).open(&target) {
        Ok(_) => {}
        // A file that is not a namespace is what a crash leaves between making the mount point and mounting
        // on it.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && !is_namespace(&target) => {}
        Err(e) => return Err(e).with_context(|| format!("creating {}", target.display())),
    }
    let source = format!("/proc/thread-self/fd/{}", netns.as_fd().as_raw_fd());
    mount(Some(source.as_str()), &target, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .inspect_err(|_| drop(fs::remove_file(&target)))
        .with_context(|| format!("mounting the namespace on {}", target.display()))
}

/// Takes a namespace's name away. It dies when nothing else holds it. One that is gone already is no error.
///
/// # Errors
/// If unmounting or removing the mount point is refused.
pub fn unbind(name: &str) -> Result<()> {
    let target = path(name);
    match umount2(&target, MntFlags::MNT_DETACH) {
        // EINVAL: exists, but nothing is mounted there.
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => {}
        Err(e) => return Err(e).with_context(|| format!("unmounting {}", target.display())),
    }
    match fs::remove_file(&target) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("removing {}", target.display()))
        }
        _ => Ok(()),
    }
}

/// Whether there is a namespace of this name.
pub fn exists(name: &str) -> bool {
    is_namespace(&path(name))
}

/// Opens a named namespace; `None` if there is none of this name.
///
/// # Errors
/// If it exists but cannot be opened.
pub fn open(name: &str) -> Result<Option<OwnedFd>> {
    let path = path(name);
    if !is_namespace(&path) {
        return Ok(None);
    }
    let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
    Ok(Some(file.into()))
}

/// Names of all named namespaces, ours or not.
///
/// # Errors
/// If the directory cannot be read; that it does not exist is no error.
pub fn list() -> Result<Vec<String>> {
    let entries = match fs::read_dir(DIRECTORY) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.with_context(|| format!("reading {DIRECTORY}"))?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {DIRECTORY}"))?;
        if let Ok(name) = entry.file_name().into_string()
            && is_namespace(&entry.path())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn is_namespace(path: &Path) -> bool {
    statfs(path).is_ok_and(|fs| fs.filesystem_type() == NSFS_MAGIC)
}

/// Makes [`DIRECTORY`] a shared mount, as iproute2 does: a namespace deleted in one mount namespace then goes
/// away in all.
fn share_directory() -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(DIRECTORY)?;
    let share =
        || mount(None::<&str>, DIRECTORY, None::<&str>, MsFlags::MS_SHARED | MsFlags::MS_REC, None::<&str>);
    match share() {
        // Not a mount point yet.
        Err(Errno::EINVAL) => {
            mount(
                Some(DIRECTORY),
                DIRECTORY,
                None::<&str>,
                MsFlags::MS_BIND | MsFlags::MS_REC,
                None::<&str>,
            )?;
            share()?;
        }
        shared => shared?,
    }
    Ok(())
}
