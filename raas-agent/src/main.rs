//! The `raas` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    raas_agent::cli::main()
}
