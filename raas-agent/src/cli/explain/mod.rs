//! `raas explain`: what the fast path does with a packet.
//!
//! The packet goes through the live tables in the pinned twin of the port's program: the same stages, compiled once
//! more with a packet buffer that writes its way down instead of counting.

mod arguments;
mod headers;
mod packet;
mod peer;
mod report;
mod segment;
mod sender;
mod text;
mod way;
mod world;

use std::{net::Ipv4Addr, process::ExitCode};

use anyhow::{Context as _, Result, bail};

pub use self::arguments::Arguments;
use self::{
    arguments::{Origin, PacketOptions, Target},
    peer::Peer,
    report::{Frame, Report},
    text::{Entry, Text},
    way::Step,
    world::World,
};
use super::output::print;
use crate::{
    config::suggest,
    exits::{self, EXPLANATIONS, Explanation},
    plan::Port,
    platform::{
        Paths,
        bpf::{Explainer, Hook},
    },
};

/// Prints what becomes of the packet, or what exits mean.
pub fn run(paths: &Paths, arguments: &Arguments) -> Result<ExitCode> {
    match (&arguments.exit, &arguments.from, arguments.to) {
        (Some(name), ..) => print(meanings(name.as_deref())?)?,
        (None, Some(origin), Some(target)) => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("starting the runtime")?;
            let report = runtime.block_on(explain(paths, origin, target, &arguments.packet))?;
            if arguments.json {
                print(serde_json::to_string_pretty(&report)?)?;
            } else {
                print(Text(&report))?;
            }
        }
        (None, ..) => bail!("`raas explain` needs --from and --to, or --exit"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(paths: &Paths, origin: &Origin, target: Target, options: &PacketOptions) -> Result<Report> {
    let world = World::open(paths).await?;
    let (port, frame) = match origin {
        Origin::Endpoint(name) => sender::frame(&world, name, target, options).await?,
        tunnel => Peer::find(&world, tunnel)?.frame(&world, target, options).await?,
    };
    let hook = hook(&world, port)?;
    let ingress = world.links.get(&port.ifname).with_context(|| format!("{} is missing", port.ifname))?.index;
    let mut explainer = Explainer::open(&world.pins)?;
    let ran = explainer.run(hook, ingress, &frame)?;
    let current = explainer.is_current(&port.ifname, hook)?;
    drop(explainer);

    let steps = way::describe(&world, &ran.steps, target.address).await?;
    let (exit, also) = report::exits(&world, &ran.steps)?;
    let sent = report::sent(ran.verdict, &ran.bytes, &steps);
    let next = report::tunnel(&world, &ran.steps).zip(sent.as_ref());
    Ok(Report {
        hypervisor: world.manifest.hypervisor.clone(),
        port: port.name.clone(),
        interface: port.ifname.clone(),
        hook: hook.to_string(),
        packet: Frame::new(&frame),
        exit,
        also,
        next: next.and_then(|(tunnel, sent)| report::next(tunnel, sent, target, options)),
        sent,
        warnings: warnings(&steps, current, target.address),
        steps,
    })
}

/// Where the port's program really sits; both while it moves, and then XDP sees packets first.
fn hook(world: &World, port: &Port) -> Result<Hook> {
    let here = world.attachments.iter().filter(|attachment| attachment.interface == port.ifname);
    here.map(|attachment| attachment.hook).min().with_context(|| {
        format!(
            "no program sits on {} ({}), so the kernel forwards everything: see `raas status`",
            port.ifname, port.name
        )
    })
}

fn warnings(steps: &[Step], current: Option<bool>, destination: Ipv4Addr) -> Vec<String> {
    let mut warnings = Vec::new();
    for step in steps {
        if let Step::Router(hop) = step
            && !hop.agrees
        {
            warnings.push(format!(
                "{} has another route in its kernel than the fast path shows: the agent lags (try again), does not run, or \
                 its FIB is full (`raas status`); see `raas exec {0} -- ip route get {destination}`",
                hop.router
            ));
        }
    }
    if current == Some(false) {
        warnings.push("the port still runs another build's program than the one that was asked".to_owned());
    }
    warnings
}

/// What an exit means, or all of them.
fn meanings(wanted: Option<&str>) -> Result<String> {
    let named = |explanation: &&Explanation| wanted.is_none_or(|name| exits::name(explanation.exit) == name);
    let found: Vec<_> =
        EXPLANATIONS.iter().filter(named).map(|explanation| Entry(explanation).to_string()).collect();
    if let (Some(name), true) = (wanted, found.is_empty()) {
        let all = EXPLANATIONS.iter().map(|explanation| exits::name(explanation.exit));
        bail!("there is no exit `{name}`: {}", suggest(name, "exits", all));
    }
    Ok(found.join("\n\n"))
}
