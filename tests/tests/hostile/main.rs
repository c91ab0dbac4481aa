//! Hostile packets: tables and random mutants through both programs, held to an oracle that shares no code
//! with them. Needs root.
//!
//! | environment variable | |
//! | --- | --- |
//! | `RAAS_HOSTILE_SECONDS` | how long mutants run, both hooks together (default: 45) |
//! | `RAAS_HOSTILE_SEED` | the sequence of mutants (default: a random one; printed) |
//! | `RAAS_HOSTILE_PACKET` | a line that a failure printed: `replay` runs this packet alone |

mod corpus;
mod field;
mod fuzz;
mod install;
mod invariants;
mod judge;
mod layers;
mod model;
mod mutants;
mod mutate;
mod network;
mod oracle;
mod replay;
mod rig;
mod routes;
mod sweeps;
mod tables;
mod tap;
mod values;
mod wire;
