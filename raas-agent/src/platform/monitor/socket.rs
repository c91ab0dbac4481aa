//! Netlink sockets inside a namespace.

use std::{os::fd::OwnedFd, thread};

use anyhow::{Context, Result, anyhow};
use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};
use nix::{
    sched::{CloneFlags, setns},
    sys::socket::{setsockopt, sockopt::RcvBufForce},
};
use tokio::sync::oneshot;

/// What is subscribed to.
const GROUPS: [u32; 5] = [
    libc::RTNLGRP_LINK,
    libc::RTNLGRP_NEIGH,
    libc::RTNLGRP_IPV4_IFADDR,
    libc::RTNLGRP_IPV4_ROUTE,
    libc::RTNLGRP_NEXTHOP,
];

/// The sockets of a watched namespace.
#[derive(Debug)]
pub struct Sockets {
    /// Subscribed, non-blocking; dumps are requested here too, so that they come in order with notifications.
    pub events: Socket,
    /// For requests that are acknowledged at once.
    pub requests: Socket,
}

/// Opens sockets in a namespace. Entering it happens on a thread of its own, never on one of the runtime's.
pub async fn open(netns: &OwnedFd, receive_buffer: usize) -> Result<Sockets> {
    let netns = netns.try_clone().context("duplicating a namespace's descriptor")?;
    let (done, result) = oneshot::channel();
    thread::Builder::new()
        .name("raas-monitor".into())
        .spawn(move || {
            let sockets = setns(&netns, CloneFlags::CLONE_NEWNET)
                .context("entering the namespace")
                .and_then(|()| make(receive_buffer));
            // The receiver is gone if the monitor was dropped meanwhile: nobody wants the sockets then.
            drop(done.send(sockets));
        })
        .context("starting a thread")?;
    result.await.map_err(|_| anyhow!("the thread that opens netlink sockets panicked"))?
}

fn make(receive_buffer: usize) -> Result<Sockets> {
    let mut events = Socket::new(NETLINK_ROUTE).context("netlink socket")?;
    events.bind(&SocketAddr::new(0, 0)).context("binding a netlink socket")?;
    events.set_non_blocking(true).context("O_NONBLOCK")?;
    setsockopt(&events, RcvBufForce, &receive_buffer).context("SO_RCVBUFFORCE")?;
    for group in GROUPS {
        events.add_membership(group).with_context(|| format!("subscribing to rtnetlink group {group}"))?;
    }
    let mut requests = Socket::new(NETLINK_ROUTE).context("netlink socket")?;
    requests.bind(&SocketAddr::new(0, 0)).context("binding a netlink socket")?;
    requests.set_non_blocking(true).context("O_NONBLOCK")?;
    Ok(Sockets { events, requests })
}
