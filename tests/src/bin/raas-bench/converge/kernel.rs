//! What a router's kernel says of its routes, and when.

use std::{
    collections::HashSet,
    io,
    net::IpAddr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::sys::{
    socket::{setsockopt, sockopt},
    time::TimeVal,
};
use raas_agent::learn::{
    decode,
    event::{Event, Object},
};

use super::number;
use crate::network::precedence;

/// Room for all the messages that a table of 100,000 routes makes.
const BUFFER: usize = 256 << 20;
/// Largest datagram.
const DATAGRAM: usize = 64 << 10;
/// How long to wait for one before looking at the clock.
const GLANCE: TimeVal = TimeVal::new(0, 100_000);

/// A route came or went.
struct Change {
    number: u32,
    installed: bool,
}

/// A subscription to the routes of the namespace of the thread that made it.
pub struct Routes(Socket);

impl Routes {
    /// Subscribes.
    pub fn subscribe() -> Result<Self> {
        let mut socket = Socket::new(NETLINK_ROUTE).context("a netlink socket")?;
        socket.bind(&SocketAddr::new(0, 0)).context("binding a netlink socket")?;
        setsockopt(&socket, sockopt::RcvBufForce, &BUFFER).context("SO_RCVBUFFORCE")?;
        setsockopt(&socket, sockopt::ReceiveTimeout, &GLANCE).context("SO_RCVTIMEO")?;
        socket.add_membership(libc::RTNLGRP_IPV4_ROUTE).context("subscribing")?;
        Ok(Self(socket))
    }

    /// The numbers of the routes of which the next datagram says that they were removed, if there is one already.
    pub fn removed(&self) -> Result<impl Iterator<Item = u32>> {
        let mut buffer = Vec::with_capacity(DATAGRAM);
        match self.0.recv(&mut buffer, libc::MSG_DONTWAIT) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => drop(read.context("reading what the kernel says")?),
        }
        let removed: Vec<_> = changes(&buffer).filter(|change| !change.installed).collect();
        Ok(removed.into_iter().map(|change| change.number))
    }

    /// Waits until that many of the [numbered](number) routes are installed. Returns when the last was.
    pub fn wait(&self, count: u32, patience: Duration) -> Result<Instant> {
        // The time of a message is when we read it: so nobody comes before us.
        precedence::take()?;
        let start = Instant::now();
        let mut seen = HashSet::new();
        let mut buffer = Vec::with_capacity(DATAGRAM);
        loop {
            buffer.clear();
            match self.0.recv(&mut buffer, 0) {
                Ok(_) => seen
                    .extend(changes(&buffer).filter(|change| change.installed).map(|change| change.number)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error).context("reading what the kernel says"),
            }
            if seen.len() >= count as usize {
                return Ok(Instant::now());
            }
            if start.elapsed() > patience {
                bail!("the kernel has {} of {count} routes after {patience:?}", seen.len());
            }
        }
    }
}

/// What a datagram tells of the [numbered](number) routes.
fn changes(datagram: &[u8]) -> impl Iterator<Item = Change> {
    decode::messages(datagram).filter_map(|message| {
        let (route, installed) = match decode::event(&message, false)? {
            Event::Added(Object::Route(route), _) => (route, true),
            Event::Removed(Object::Route(route)) => (route, false),
            _ => return None,
        };
        match route.prefix.addr() {
            IpAddr::V4(address) => Some(Change { number: number(address)?, installed }),
            IpAddr::V6(_) => None,
        }
    })
}
