//! The status for people.

use super::Status;
use crate::cli::table::table;

/// Prints tables, faults last, where the eye rests.
pub fn print(status: &Status) {
    let share = status
        .share
        .map_or("no packets yet".to_owned(), |share| format!("{:.1} % of packets", share * 100.0));
    println!("{}: agent {}, fast path {} ({share})", status.hypervisor, status.agent, status.fast_path);
    println!(
        "FIB: {} of {} nodes in use, {} resynchronisations\n",
        status.fib_nodes_used, status.fib_nodes, status.resynchronisations
    );

    let routers = status.routers.iter().map(|router| {
        let up = router.sessions.iter().filter(|session| session.state == "established").count();
        vec![
            router.name.clone(),
            router.kind.to_owned(),
            router.asn.map_or("-".to_owned(), |asn| asn.to_string()),
            router.loopback.clone(),
            format!("{up}/{}", router.sessions.len()),
            router.routes.to_string(),
        ]
    });
    println!("{}\n", table(&["router", "kind", "as", "loopback", "sessions", "routes"], &[2, 4, 5], routers));

    let tunnels = status.tunnels.iter().map(|tunnel| {
        vec![
            tunnel.name.clone(),
            tunnel.kind.to_owned(),
            tunnel.key.map_or("-".to_owned(), |key| key.to_string()),
            format!("{} → {}", tunnel.local, tunnel.remote),
            if tunnel.ready { "ready" } else { "unresolved" }.to_owned(),
            tunnel.sent.to_string(),
            tunnel.forwarded.to_string(),
            tunnel.punted.to_string(),
            tunnel.dropped.to_string(),
        ]
    });
    let header = ["tunnel", "kind", "key", "underlay", "state", "sent", "forwarded", "punted", "dropped"];
    println!("{}\n", table(&header, &[2, 5, 6, 7, 8], tunnels));

    let ports = status.ports.iter().map(|port| {
        vec![
            port.name.clone(),
            port.kind.to_owned(),
            port.interface.clone(),
            port.hook.clone(),
            port.forwarded.to_string(),
            port.punted.to_string(),
            port.dropped.to_string(),
        ]
    });
    let header = ["port", "kind", "interface", "hook", "forwarded", "punted", "dropped"];
    println!("{}", table(&header, &[4, 5, 6], ports));

    for fault in &status.faults {
        println!("fault: {fault}");
    }
}
