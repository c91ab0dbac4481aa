//! The task that watches one namespace.
//!
//! Subscribed first, dumped afterwards, on one socket: whatever changes during the dump is notified, and the
//! mirror knows which of the two is newer. Dumps and notifications are lost together when the receive buffer
//! runs over (`ENOBUFS`). Then the kernel drops *every* notification until the queue is empty
//! (`NETLINK_S_CONGESTED`), and says so only once: a new dump begins only after the queue was seen empty.
#![expect(unsafe_code, reason = "registering a descriptor with the runtime")]

use std::{io, mem, time::Duration};

use anyhow::{Context, Result};
use netlink_sys::{Socket, SocketAddr};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::request::Dump;
use crate::{
    learn::{
        Batch, Event,
        decode::{self, Message},
    },
    plan::Place,
};

/// Most events in a batch: what the state's owner does between two looks at other work.
const BATCH: usize = 4096;
/// Largest datagram: the kernel fills dumps up to 32 KiB.
const DATAGRAM: usize = 64 << 10;
/// Tries of one table's dump that others' changes interrupt (`NLM_F_DUMP_INTR`), until the whole is put off.
const TRIES: u32 = 8;
/// For how long it is put off then, or when the kernel refuses it.
const PAUSE: Duration = Duration::from_secs(1);

/// A lost notification makes the socket's error queue ready, not always the socket itself.
const INTEREST: Interest = Interest::READABLE.add(Interest::ERROR);

/// The task that watches one namespace.
pub struct Watch {
    socket: AsyncFd<Socket>,
    tracker: Tracker,
}

/// What it knows and has to say.
struct Tracker {
    place: Place,
    generation: u64,
    batches: mpsc::Sender<Batch>,
    events: Vec<Event>,
    sequence: u32,
    phase: Phase,
}

/// Where the watch is between losing track and knowing everything.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A dump is due, once the queue is empty and the time has come.
    Due(Instant),
    /// A dump is under way.
    Dumping(Progress),
    /// All is known.
    Following,
}

/// How far a dump is.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    /// Index into [`Dump::ALL`] of the table being dumped.
    table: usize,
    /// Tries of this table so far.
    tries: u32,
    /// The table changed under this try.
    interrupted: bool,
    /// A table changed under all its tries. Its walk may have missed entries.
    unsettled: bool,
    /// Notifications were lost meanwhile: this dump proves nothing.
    lost: bool,
}

impl Watch {
    /// A watch of the namespace that `socket` is in and subscribed.
    pub fn new(place: Place, generation: u64, socket: Socket, batches: mpsc::Sender<Batch>) -> Result<Self> {
        // SAFETY: the socket owns its descriptor, which stays open and the same until the `AsyncFd` drops the
        // socket; only shared references to the socket are handed out.
        let socket = unsafe { AsyncFd::register_with_interest(socket, INTEREST) }
            .map_err(io::Error::from)
            .context("registering a netlink socket")?;
        let phase = Phase::Due(Instant::now());
        let tracker = Tracker { place, generation, batches, events: Vec::new(), sequence: 0, phase };
        Ok(Self { socket, tracker })
    }

    /// Watches until nobody wants to know any more.
    pub async fn run(self) {
        let Self { socket, mut tracker } = self;
        let mut buffer = Vec::with_capacity(DATAGRAM);
        while !tracker.batches.is_closed() {
            tracker.begin_if_due(socket.get_ref());
            tracker.flush().await;
            let due = tracker.due();
            let ready = tokio::select! {
                ready = socket.ready(INTEREST) => Some(ready),
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => None,
                () = tracker.batches.closed() => None,
            };
            if let Err(error) = tracker.drain(socket.get_ref(), &mut buffer).await {
                tracing::error!(place = ?tracker.place, %error, "netlink socket failed; dumping anew");
                tracker.lose_track(Instant::now() + PAUSE);
            }
            match ready {
                // Unless something came since: then the readiness stays.
                Some(Ok(mut ready)) => ready.clear_ready(),
                // The runtime shuts down.
                Some(Err(_)) => return,
                None => {}
            }
        }
    }
}

impl Tracker {
    /// When the next dump is due.
    fn due(&self) -> Option<Instant> {
        match self.phase {
            Phase::Due(time) => Some(time),
            Phase::Dumping(_) | Phase::Following => None,
        }
    }

    /// Reads until the queue is empty.
    async fn drain(&mut self, socket: &Socket, buffer: &mut Vec<u8>) -> io::Result<()> {
        loop {
            buffer.clear();
            match socket.recv_from(buffer, libc::MSG_TRUNC) {
                Ok((length, _)) if length > buffer.len() => self.lose_track(Instant::now()),
                // Whoever may send to the socket beside the kernel is not believed.
                Ok((_, sender)) if sender.port_number() != 0 => {}
                Ok(_) => self.take(socket, buffer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => self.lose_track(Instant::now()),
                Err(error) => return Err(error),
            }
            if self.events.len() >= BATCH {
                self.flush().await;
            }
        }
    }

    /// Takes the messages of a datagram.
    fn take(&mut self, socket: &Socket, datagram: &[u8]) {
        for message in decode::messages(datagram) {
            let answer = matches!(self.phase, Phase::Dumping(_)) && message.sequence == self.sequence;
            let of_dump = answer && has(&message, libc::NLM_F_MULTI);
            if of_dump
                && has(&message, libc::NLM_F_DUMP_INTR)
                && let Phase::Dumping(progress) = &mut self.phase
            {
                progress.interrupted = true;
            }
            match i32::from(message.kind) {
                libc::NLMSG_DONE if answer => self.end_table(socket, &message),
                libc::NLMSG_ERROR if answer => self.fail_table(&message),
                _ => self.events.extend(decode::event(&message, of_dump)),
            }
        }
    }

    fn begin_if_due(&mut self, socket: &Socket) {
        if let Phase::Due(time) = self.phase
            && time <= Instant::now()
        {
            self.events.push(Event::ResyncBegin);
            self.dump(socket, Progress::default());
        }
    }

    /// Requests the dump of one table.
    fn dump(&mut self, socket: &Socket, progress: Progress) {
        self.sequence = self.sequence.wrapping_add(1);
        self.phase = Phase::Dumping(Progress { tries: progress.tries + 1, interrupted: false, ..progress });
        let request = Dump::ALL[progress.table].request(self.sequence);
        if let Err(error) = socket.send_to(&request, &SocketAddr::new(0, 0), 0) {
            tracing::error!(place = ?self.place, %error, "requesting a dump failed");
            self.phase = Phase::Due(Instant::now() + PAUSE);
        }
    }

    /// A table's dump is complete, or broken off with an error in the message.
    fn end_table(&mut self, socket: &Socket, message: &Message<'_>) {
        let Phase::Dumping(mut progress) = self.phase else { return };
        if error_of(message) != 0 {
            return self.fail_table(message);
        }
        if progress.interrupted && progress.tries < TRIES {
            return self.dump(socket, progress);
        }
        progress.unsettled |= progress.interrupted;
        progress.table += 1;
        progress.tries = 0;
        if progress.table < Dump::ALL.len() {
            return self.dump(socket, progress);
        }
        if progress.lost {
            self.phase = Phase::Due(Instant::now());
            return;
        }
        self.events.push(Event::ResyncEnd);
        self.phase = if progress.unsettled { Phase::Due(Instant::now() + PAUSE) } else { Phase::Following };
    }

    fn fail_table(&mut self, message: &Message<'_>) {
        let Phase::Dumping(progress) = self.phase else { return };
        let error = io::Error::from_raw_os_error(-error_of(message));
        let table = Dump::ALL[progress.table];
        tracing::error!(place = ?self.place, ?table, %error, "dump refused; trying again");
        self.phase = Phase::Due(Instant::now() + PAUSE);
    }

    /// Notifications were lost. A dump under way goes on, as the kernel runs one at a time.
    fn lose_track(&mut self, time: Instant) {
        match &mut self.phase {
            Phase::Dumping(progress) => progress.lost = true,
            Phase::Due(due) => *due = time.max(*due),
            Phase::Following => {
                tracing::warn!(place = ?self.place, "netlink notifications were lost; dumping anew");
                self.phase = Phase::Due(time);
            }
        }
    }

    async fn flush(&mut self) {
        if self.events.is_empty() {
            return;
        }
        let events = mem::take(&mut self.events);
        let batch = Batch { place: self.place.clone(), generation: self.generation, events };
        // Fails when the receiver is gone, which `run` notices.
        drop(self.batches.send(batch).await);
    }
}

fn has(message: &Message<'_>, flag: libc::c_int) -> bool {
    i32::from(message.flags) & flag != 0
}

/// The (negative) error number at the start of `NLMSG_ERROR` and `NLMSG_DONE`.
fn error_of(message: &Message<'_>) -> i32 {
    message.payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes))
}
