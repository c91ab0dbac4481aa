//! Open namespaces: a descriptor and one rtnetlink socket each, kept from one reconciliation to the next.

use std::{
    collections::BTreeMap,
    fs, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use netlink_sys::{AsyncSocket, TokioSocket, protocols::NETLINK_ROUTE};
use nix::sys::stat::fstat;
use tokio::runtime::Handle;

use super::{open, path, run_in};
use crate::plan::Place;

/// What tells two namespaces apart, also two that had the same name one after the other: device and inode in
/// nsfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// Of the namespace that a path such as `/proc/123/ns/net` or `/run/netns/x` leads to.
    ///
    /// # Errors
    /// If there is nothing there.
    pub fn of(path: impl AsRef<Path>) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Of an open namespace.
    ///
    /// # Errors
    /// If the descriptor cannot be examined.
    pub fn of_fd(fd: &OwnedFd) -> Result<Self> {
        let stat = fstat(fd).context("fstat of a namespace")?;
        Ok(Self { device: stat.st_dev, inode: stat.st_ino })
    }
}

/// A network namespace and a netlink socket in it, usable from any thread: a socket stays in the namespace
/// where it was made.
#[derive(Debug)]
pub struct OpenNetns {
    fd: OwnedFd,
    identity: Identity,
    netlink: rtnetlink::Handle,
    /// The same socket once more, for ioctls: the kernel takes device ioctls on a socket of any family.
    control: OwnedFd,
}

impl OpenNetns {
    /// Opens a netlink socket in a namespace. The socket is served by a task of the current runtime, until
    /// the handle and its clones are dropped.
    ///
    /// # Errors
    /// If the namespace cannot be entered or the socket not made.
    pub async fn new(fd: OwnedFd) -> Result<Self> {
        let identity = Identity::of_fd(&fd)?;
        let runtime = Handle::current();
        let socket = run_in(&fd, move || {
            let _context = runtime.enter();
            let socket = TokioSocket::new(NETLINK_ROUTE).context("netlink socket")?;
            // Strict checking is what makes the kernel honour filters in dump requests (Linux 4.20).
            socket.socket_ref().set_netlink_get_strict_chk(true).context("NETLINK_GET_STRICT_CHK")?;
            Ok(socket)
        })
        .await?;
        let control =
            socket.socket_ref().as_fd().try_clone_to_owned().context("duplicating the netlink socket")?;
        let (connection, netlink, _) = rtnetlink::from_socket(socket);
        tokio::spawn(connection);
        Ok(Self { fd, identity, netlink, control })
    }

    /// The namespace.
    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Which namespace it is.
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Its rtnetlink handle.
    pub fn netlink(&self) -> &rtnetlink::Handle {
        &self.netlink
    }

    /// A socket in it for device ioctls.
    pub fn control(&self) -> BorrowedFd<'_> {
        self.control.as_fd()
    }
}

/// The namespaces that the agent works in.
#[derive(Debug)]
pub struct Places {
    host: OpenNetns,
    named: BTreeMap<String, OpenNetns>,
}

impl Places {
    /// Starts with the hypervisor's own namespace.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn new(host: OwnedFd) -> Result<Self> {
        let host = OpenNetns::new(host).await.context("the hypervisor's own namespace")?;
        Ok(Self { host, named: BTreeMap::new() })
    }

    /// The hypervisor's own namespace.
    pub fn host(&self) -> &OpenNetns {
        &self.host
    }

    /// A namespace that is open.
    ///
    /// # Errors
    /// If it is not (it does not exist, or could not be opened).
    pub fn get(&self, place: &Place) -> Result<&OpenNetns> {
        match place {
            Place::Host => Ok(&self.host),
            Place::Namespace(netns) => {
                self.named.get(netns).ok_or_else(|| anyhow!("namespace {netns} does not exist"))
            }
        }
    }

    /// Opens a named namespace, or opens it again if another one has its name now. `false` if there is none.
    ///
    /// # Errors
    /// If it exists but cannot be opened.
    pub async fn open(&mut self, netns: &str) -> Result<bool> {
        let known = self.named.get(netns).map(OpenNetns::identity);
        if known.is_some() && known == Identity::of(path(netns)).ok() {
            return Ok(true);
        }
        self.named.remove(netns);
        let Some(fd) = open(netns)? else { return Ok(false) };
        let opened = OpenNetns::new(fd).await.with_context(|| format!("namespace {netns}"))?;
        self.named.insert(netns.to_owned(), opened);
        Ok(true)
    }

    /// Keeps a namespace that is open already.
    pub fn insert(&mut self, netns: String, opened: OpenNetns) {
        self.named.insert(netns, opened);
    }

    /// Closes a named namespace: from here on, nothing of ours keeps it alive.
    pub fn close(&mut self, netns: &str) {
        self.named.remove(netns);
    }

    /// Closes all named namespaces except those for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.named.retain(|netns, _| keep(netns));
    }
}
