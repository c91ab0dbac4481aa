//! The demo network as scenarios, on XDP and on TC, and a second topology by configuration alone.
//!
//! Bringing a network up costs seconds, so the scenarios of one network share it, one at a time; the networks
//! are up side by side. Each scenario leaves the network as it found it, since they may run in any order.

mod equivalence;
mod explain;
mod lifecycle;
mod network;
mod paths;
mod reach;
mod segment;
mod tcp;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use raas_agent::model::Hook;
use raas_lab::Lab;

use network::Network;

/// Name and code of a scenario.
type Scenario = (&'static str, fn(&Lab) -> Result<()>);

/// Scenarios of the demo network.
const DEMO: &[Scenario] = &[
    ("every_endpoint_reaches_those_it_may_on_the_fast_path", reach::matrix),
    ("every_endpoint_reaches_those_it_may_without_the_fast_path", reach::matrix_slow),
    ("tenants_with_the_same_addresses_do_not_meet", reach::overlap),
    ("a_stretched_subnet_is_one_segment", segment::stretch),
    ("endpoints_lease_addresses_of_their_subnet", segment::leases),
    ("many_flows_use_all_equal_paths", paths::ecmp),
    ("a_preferred_path_takes_everything", paths::weight),
    ("traceroute_shows_every_router", paths::traceroute),
    ("random_packets_arrive_as_without_the_fast_path", equivalence::random),
    ("explain_says_what_then_happens", explain::agrees_with_reality),
    ("tcp_arrives_byte_for_byte", tcp::exact),
    ("iperf3_runs_with_and_without_the_fast_path", tcp::throughput),
    ("a_killed_agent_is_missed_by_nobody", lifecycle::kill_agent),
    ("a_killed_routing_daemon_is_missed_by_nobody", lifecycle::kill_frr),
    ("the_hook_changes_under_traffic", lifecycle::switch_hook),
    ("a_new_vpc_disturbs_nobody", lifecycle::add_vpc),
    ("a_stopped_agent_leaves_forwarding_and_down_leaves_nothing", lifecycle::stop_and_down),
];

/// Scenarios of `config/examples/three-hypervisors`.
const THREE: &[Scenario] = &[("another_topology_works_by_configuration_alone", reach::matrix)];

fn main() -> ExitCode {
    let mut networks: Vec<(Arc<Network>, &[Scenario])> = Vec::new();
    for hook in [Hook::Xdp, Hook::Tc] {
        networks.push((Arc::new(Network::new("config/demo", Some(hook), false)), DEMO));
    }
    networks.push((Arc::new(Network::new("config/examples/three-hypervisors", None, false)), THREE));

    // Side by side: the first scenario of each network, then the second of each, …
    let longest = networks.iter().map(|(_, scenarios)| scenarios.len()).max().unwrap_or(0);
    let mut trials = Vec::new();
    for index in 0..longest {
        for (network, scenarios) in &networks {
            let Some((name, scenario)) = scenarios.get(index).copied() else { continue };
            let name = format!("{}::{name}", network.name());
            let network = network.clone();
            trials.push(Trial::test(name, move || network.run(scenario).map_err(|error| failed(&error))));
        }
    }
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    // The last references: this removes the labs.
    drop(networks);
    conclusion.exit_code()
}

fn failed(error: &anyhow::Error) -> Failed {
    format!("{error:#}").into()
}
