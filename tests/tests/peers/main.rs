//! Machines that we did not write, on the lab's underlay: a guest kernel's GRE, Open vSwitch's GRE and VXLAN, this
//! kernel's VXLAN, and BIRD.
//!
//! As in the demo's scenarios, those of one network share it, one at a time, and leave it as they found it.

mod bgp;
mod gre;
#[path = "../demo/network.rs"]
mod network;
mod site;
mod vxlan;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};
use raas_agent::model::Hook;
use raas_lab::Lab;

use network::Network;

/// Name and code of a scenario.
type Scenario = (&'static str, fn(&Lab) -> Result<()>);

/// What has to do with packets: on both hooks.
const PACKETS: &[Scenario] = &[
    ("a_guest_kernel_is_attached_by_gre", gre::guest),
    ("open_vswitch_is_attached_by_keyed_gre", gre::open_vswitch),
    ("the_kernels_vxlan_device_has_a_part_of_a_subnet", vxlan::kernel),
    ("open_vswitch_has_a_part_of_a_subnet", vxlan::open_vswitch),
];

/// What has to do with routes: once.
const ROUTES: &[Scenario] = &[
    ("bird_is_told_and_may_say_what_the_configuration_allows", bgp::filters),
    ("bird_speaks_over_link_local_addresses", bgp::unnumbered),
];

fn main() -> ExitCode {
    let mut trials = Vec::new();
    for (hook, also) in [(Hook::Xdp, &[][..]), (Hook::Tc, ROUTES)] {
        let network = Arc::new(Network::new("config/examples/foreign-routers", Some(hook), true));
        for &(name, scenario) in PACKETS.iter().chain(also) {
            let name = format!("{}::{name}", network.name());
            let network = network.clone();
            let run = move || network.run(scenario).map_err(|error| Failed::from(format!("{error:#}")));
            trials.push(Trial::test(name, run));
        }
    }
    // Dropped with the last of its trials, each network removes its lab.
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
