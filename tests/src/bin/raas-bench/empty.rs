//! `empty/…`: what a hook itself costs, with a program that does nothing. Every figure of `program/…` is above
//! this one.

use anyhow::{Context as _, Result};
use aya::{
    TestRun as _, TestRunOptions,
    programs::{SchedClassifier, Xdp},
};

use raas_agent::platform::bpf::Loader;

use crate::{EBPF_OBJECT, catalogue::Benchmark, figures::Unit, session::Session};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark { name: "empty", cases: &["empty/xdp", "empty/tc"], run };

const REPEAT: u32 = 100_000;

fn run(session: &mut Session) -> Result<()> {
    let mut ebpf = Loader::new(EBPF_OBJECT).load().context("loading the benchmarks' programs")?;
    let frame = [0; 60];
    let options = || {
        let mut options = TestRunOptions { data_in: Some(&frame), ..TestRunOptions::new() };
        options.repeat = REPEAT;
        options
    };
    if session.wants("empty/xdp") {
        let xdp: &mut Xdp = ebpf.program_mut("empty_xdp").context("no program")?.try_into()?;
        xdp.load()?;
        session.measure("empty/xdp", Unit::NANOSECONDS, &[], |_| {
            Ok(xdp.test_run(options())?.duration.as_nanos() as f64)
        })?;
    }
    if session.wants("empty/tc") {
        let tc: &mut SchedClassifier = ebpf.program_mut("empty_tc").context("no program")?.try_into()?;
        tc.load()?;
        session.measure("empty/tc", Unit::NANOSECONDS, &[], |_| {
            Ok(tc.test_run(options())?.duration.as_nanos() as f64)
        })?;
    }
    Ok(())
}
