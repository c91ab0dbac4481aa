//! All input and output: the kernel's interfaces, and nothing that decides.

pub mod bpf;
