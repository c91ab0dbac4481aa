//! What the figures were measured on.

use std::{fs, thread};

use anyhow::{Context as _, Result};

/// CPU, cores, kernel, hooks, and how busy the machine is.
pub fn describe() -> Result<String> {
    let cpus = fs::read_to_string("/proc/cpuinfo").context("reading /proc/cpuinfo")?;
    let kernel = nix::sys::utsname::uname().context("uname")?;
    Ok(format!(
        "machine: {}, {} cores, Linux {}; hooks: native XDP, TC (tcx or clsact), as a case's name says\n\
         load average at the start: {}",
        model(&cpus),
        thread::available_parallelism().context("counting CPUs")?,
        kernel.release().to_string_lossy(),
        load()?,
    ))
}

/// How many processes wanted to run, over the last minute: what else ran takes from all figures.
pub fn load() -> Result<String> {
    let averages = fs::read_to_string("/proc/loadavg").context("reading /proc/loadavg")?;
    Ok(averages.split(' ').next().unwrap_or_default().to_owned())
}

/// The first CPU's name, as /proc/cpuinfo has it on x86.
fn model(cpus: &str) -> &str {
    let name = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or("CPU without a name", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_has_a_name() {
        assert_eq!(
            model("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: fpu\n"),
            "Some CPU @ 2 GHz"
        );
        assert_eq!(model("processor\t: 0\n"), "CPU without a name");
    }
}
