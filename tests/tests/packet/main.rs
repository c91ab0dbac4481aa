//! Both programs, packet by packet, through `BPF_PROG_TEST_RUN`: what goes in, which counter moves, what
//! comes out, byte for byte. Needs root.

mod bridge;
mod case;
mod coverage;
mod explain;
mod gre;
mod gre_checksum;
mod gso;
mod route;
mod slow_path;
mod tcp;
mod uplink;
mod vxlan;

use raas_lab::packet::{fib, machine, network, program};
