//! "Turning the fast path off changes nothing but speed": the same random packets, sent with the fast path
//! off and on; what arrives everywhere is compared byte by byte.
//!
//! Pure: [`generate`] makes the packets from a seed, [`differences`] names what may differ, [`compare`] finds
//! what does. I/O: [`world`] reads what the lab looks like, [`wire`] sends and captures, [`run`] ties all
//! together.

mod case;
mod compare;
mod differences;
mod generate;
mod headers;
mod noise;
mod report;
mod run;
mod sentinel;
mod settings;
mod tunnel;
mod underlay;
mod wire;
mod world;

#[cfg(test)]
mod tests;

pub use run::{Options, Summary};
