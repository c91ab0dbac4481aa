//! What breaks is found and repaired: each fault is injected into a network of real agents, FRR and programs, and the
//! network is whole again within a deadline, with nothing missing and nothing left over.
//!
//! As in `demo`, the scenarios of one network share it, one at a time, and each leaves it as it found it.

mod config;
mod conflict;
mod full;
mod hypervisor;
#[path = "../demo/network.rs"]
mod network;
mod processes;
mod programs;
mod removed;
mod state;
mod storm;
mod whole;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use raas_agent::model::Hook;
use raas_lab::Lab;

use network::Network;

/// Name and code of a scenario.
type Scenario = (&'static str, fn(&Lab) -> Result<()>);

/// Somebody takes away what the agent made, or what others made for it.
const REMOVED: &[Scenario] = &[
    ("namespaces_come_back", removed::namespaces),
    ("links_come_back", removed::links),
    ("addresses_and_routes_come_back", removed::addresses_and_routes),
    ("neighbours_and_stations_come_back", removed::neighbours_and_stations),
    ("programs_come_back", programs::programs),
    ("pins_come_back_and_nobody_misses_them", programs::pins),
    ("dhcp_servers_and_clients_come_back", processes::dhcp),
    ("an_agent_killed_in_the_middle_is_continued", processes::kill_in_the_middle),
];

/// The surroundings fail.
const SURROUNDINGS: &[Scenario] = &[
    ("a_broken_configuration_changes_nothing", config::broken),
    ("a_directory_of_the_same_name_is_watched_again", config::another_directory),
    ("what_is_in_the_way_stops_nothing_else", conflict::in_the_way),
    ("a_state_directory_that_cannot_be_written_stops_no_packet", state::unwritable),
    ("a_storm_that_overruns_netlink_ends_in_the_truth", storm::overrun),
    ("a_full_fib_is_reported_and_leaves_the_rest_alone", full::fib),
    ("a_map_that_somebody_filled_is_cleaned", full::stations),
    ("a_hypervisor_that_is_down_is_missed_by_no_other", hypervisor::down),
];

fn main() -> ExitCode {
    let network = |hook| Arc::new(Network::new("tests/config/faults", Some(hook), false));
    let networks = [(network(Hook::Tc), REMOVED), (network(Hook::Xdp), SURROUNDINGS)];
    let mut trials = Vec::new();
    // Side by side: the first scenario of each network, then the second of each, …
    for index in 0..REMOVED.len().max(SURROUNDINGS.len()) {
        for (network, scenarios) in &networks {
            let Some((name, scenario)) = scenarios.get(index).copied() else { continue };
            let name = format!("{}::{name}", network.name());
            let network = network.clone();
            let run = move || network.run(scenario).map_err(|error| Failed::from(format!("{error:#}")));
            trials.push(Trial::test(name, run));
        }
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    // The last references: this removes the labs.
    drop(networks);
    conclusion.exit_code()
}
