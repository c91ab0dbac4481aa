//! The `raas` binary.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    raas_agent::cli::main()
}
