//! The command line: one file a verb. Verbs read the manifest and the pinned maps themselves, so that they work whether or
//! not an agent runs.

mod agent;
pub mod check;
mod counters;
mod down;
mod exec;
mod explain;
mod fast_path;
mod output;
mod pick;
mod scopes;
mod status;
mod table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::{
    model::{Hook, Name},
    platform::Paths,
};

/// Transit routing as a service: a multi-tenant transit router with an eBPF fast path.
#[derive(Parser)]
#[command(
    version,
    about,
    after_help = "Exit codes: 0 done; 1 it failed, the message says what and where; 2 the configuration or the command line is \
                  wrong; 3 `status`: something is not as it should be. `exec` exits with its command's code, \
                  or 127 if there is no such command."
)]
struct Cli {
    #[command(flatten)]
    directories: Directories,
    #[command(subcommand)]
    verb: Verb,
}

/// Where an instance keeps its things. Several instances share a machine when these differ.
#[derive(Args)]
struct Directories {
    /// What must survive a reboot: allocated ids and addresses, the manifest of what was applied.
    #[arg(long, global = true, default_value = "/var/lib/raas", value_name = "DIR")]
    state_dir: PathBuf,
    /// What need not: sockets, pid files, rendered configuration of FRR and dnsmasq.
    #[arg(long, global = true, default_value = "/run/raas", value_name = "DIR")]
    run_dir: PathBuf,
    /// Pinned programs, links and maps; on a BPF file system.
    #[arg(long, global = true, default_value = "/sys/fs/bpf/raas", value_name = "DIR")]
    pin_dir: PathBuf,
}

#[derive(Subcommand)]
enum Verb {
    /// Build this hypervisor's part of the network and keep it as the configuration says.
    ///
    /// Stays in the foreground. SIGHUP, and any change of a file in DIR, applies the configuration anew: only what
    /// differs is touched. SIGTERM ends the agent and leaves the network forwarding; `raas down` removes it.
    Agent(agent::Arguments),
    /// Check a configuration directory; report every fault with its place and remedy.
    Check {
        /// Directory with fabric.toml and a file for each tenant.
        #[arg(value_name = "DIR")]
        config: PathBuf,
    },
    /// Show routers, BGP sessions, tunnels, ports, and the share of packets on the fast path.
    Status {
        /// Machine-readable.
        #[arg(long)]
        json: bool,
    },
    /// Show the counters of every exit of the fast path, by port, uplink and tunnel.
    Counters {
        /// Machine-readable.
        #[arg(long)]
        json: bool,
        /// Also exits that no packet has taken.
        #[arg(long)]
        all: bool,
    },
    /// Show what the fast path does with a packet, by running it through the live program: each router, the route
    /// that matched, the headers as they leave, or why not, and what to do about it.
    ///
    /// Nothing is sent, and no counter moves.
    Explain(Box<explain::Arguments>),
    /// Switch the fast path on or off. Off, the kernel forwards everything: slower, otherwise the same.
    FastPath {
        /// `on` or `off`.
        #[arg(value_enum)]
        switch: fast_path::Switch,
    },
    /// Run a command in a router's (or endpoint's) namespace: vtysh, tcpdump, traceroute, ip …
    ///
    /// `vtysh` is given the sockets of this instance's FRR.
    Exec {
        /// Full name (`acme/l1a`), or the last part alone where it is unambiguous.
        router: String,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Remove everything that this instance made, and nothing else.
    Down {
        /// Whose things to remove; without it the manifest says so. For where that is lost.
        #[arg(long, value_name = "NAME")]
        hypervisor: Option<Name>,
    },
}

/// Runs the verb that the command line names; the exit code is documented in `--help`.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let paths = Paths {
        state: cli.directories.state_dir,
        run: cli.directories.run_dir,
        pin: cli.directories.pin_dir,
    };
    let result = match cli.verb {
        Verb::Agent(arguments) => agent::run(paths, arguments),
        Verb::Check { config } => check::run(&config),
        Verb::Status { json } => status::run(&paths, json),
        Verb::Counters { json, all } => counters::run(&paths, json, all),
        Verb::Explain(arguments) => explain::run(&paths, &arguments),
        Verb::FastPath { switch } => fast_path::run(&paths, switch),
        Verb::Exec { router, command } => exec::run(&paths, &router, &command),
        Verb::Down { hypervisor } => down::run(&paths, hypervisor),
    };
    result.unwrap_or_else(|error| {
        eprintln!("raas: {error:#}");
        ExitCode::FAILURE
    })
}

/// Parses `--hook`.
fn hook(text: &str) -> Result<Hook, String> {
    text.parse()
}
