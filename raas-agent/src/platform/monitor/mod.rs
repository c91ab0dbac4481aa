//! Watches kernel namespaces through netlink, and asks them for keep-alives.
//!
//! Each watched namespace has one socket for events and one for requests, made inside it by a thread of its
//! own: a netlink socket stays in the namespace where it was made. A task turns the events into [`Batch`]es
//! for the one task that owns the [`Learner`](crate::learn::Learner).

mod keepalive;
pub(super) mod request;
mod socket;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

use std::{collections::BTreeMap, os::fd::OwnedFd};

use anyhow::Result;
use tokio::{sync::mpsc, task::JoinHandle};

use self::{keepalive::Requester, watch::Watch};
use crate::{
    learn::{Batch, Request},
    plan::Place,
};

/// Watches a set of namespaces that changes with the topology.
#[derive(Debug)]
pub struct Monitor {
    batches: mpsc::Sender<Batch>,
    receive_buffer: usize,
    generation: u64,
    watched: BTreeMap<Place, Watched>,
}

#[derive(Debug)]
struct Watched {
    task: JoinHandle<()>,
    requester: Requester,
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Monitor {
    /// Receive buffer of each namespace, bytes: a burst of some 60,000 route changes. Only what lies in it
    /// uses memory.
    pub const RECEIVE_BUFFER: usize = 32 << 20;

    /// A monitor that sends what it sees to `batches`. When that is full, events wait in the sockets' receive
    /// buffers of `receive_buffer` bytes (a namespace whose buffer runs over is dumped anew).
    pub fn new(batches: mpsc::Sender<Batch>, receive_buffer: usize) -> Self {
        Self { batches, receive_buffer, generation: 0, watched: BTreeMap::new() }
    }

    /// Starts to watch a namespace: a dump, then changes. One that is watched already under this name is
    /// watched anew, from nothing, as a namespace made anew is another one. Until [`forget`](Self::forget),
    /// the namespace lives, even if it has no name any more.
    ///
    /// # Errors
    /// If the namespace cannot be entered, or the sockets not be made there.
    pub async fn watch(&mut self, place: Place, netns: &OwnedFd) -> Result<()> {
        self.forget(&place);
        let sockets = socket::open(netns, self.receive_buffer).await?;
        self.generation += 1;
        let watch = Watch::new(place.clone(), self.generation, sockets.events, self.batches.clone())?;
        let watched =
            Watched { task: tokio::spawn(watch.run()), requester: Requester::new(sockets.requests) };
        self.watched.insert(place, watched);
        Ok(())
    }

    /// Stops to watch a namespace, and lets go of it.
    pub fn forget(&mut self, place: &Place) {
        self.watched.remove(place);
    }

    /// Namespaces that are watched.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.watched.keys()
    }

    /// A namespace whose watch has ended, which it does only by a panic.
    pub fn ended(&self) -> Option<&Place> {
        self.watched.iter().find(|(_, watched)| watched.task.is_finished()).map(|(place, _)| place)
    }

    /// Asks the kernel for keep-alives. Each is tried; one that is refused is logged, as the next call asks
    /// again if it is still wanted.
    pub fn request(&mut self, requests: &[Request]) {
        for request in requests {
            let Some(watched) = self.watched.get_mut(keepalive::place(request)) else { continue };
            if let Err(error) = watched.requester.perform(request) {
                tracing::warn!(?request, %error, "keep-alive refused");
            }
        }
    }
}
