//! What can be measured, and choosing from it by name.

use anyhow::{Result, bail};

use crate::{empty, fib_load, fib_lookup, program, session::Session};

/// A family of cases that are measured together.
#[derive(Debug)]
pub struct Benchmark {
    /// First part of its cases' names.
    pub name: &'static str,
    /// Names of its cases, in the order in which they are measured.
    pub cases: &'static [&'static str],
    /// Measures those cases that are [selected](Session::wants).
    pub run: fn(&mut Session) -> Result<()>,
}

/// Every benchmark, in the order in which they run.
pub const ALL: &[Benchmark] =
    &[fib_lookup::BENCHMARK, fib_load::BENCHMARK, empty::BENCHMARK, program::BENCHMARK];

/// The benchmarks and cases whose names begin with one of `names`; all, if there are none.
pub fn select<'a>(all: &'a [Benchmark], names: &[String]) -> Result<Vec<(&'a Benchmark, Vec<&'static str>)>> {
    let known = || all.iter().flat_map(|benchmark| benchmark.cases);
    if let Some(unknown) = names.iter().find(|name| !known().any(|case| matches(case, name))) {
        let list: Vec<&str> = known().copied().collect();
        bail!("no benchmark is called `{unknown}`; there are\n  {}", list.join("\n  "));
    }
    let wanted = |case: &&str| names.is_empty() || names.iter().any(|name| matches(case, name));
    let selected = all
        .iter()
        .map(|benchmark| (benchmark, benchmark.cases.iter().copied().filter(wanted).collect::<Vec<_>>()));
    Ok(selected.filter(|(_, cases)| !cases.is_empty()).collect())
}

fn matches(case: &str, name: &str) -> bool {
    case.starts_with(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME: &[Benchmark] = &[
        Benchmark { name: "fib", cases: &["fib/1k", "fib/1M"], run: |_| Ok(()) },
        Benchmark { name: "program", cases: &["program/xdp/a", "program/tc/a"], run: |_| Ok(()) },
    ];

    fn selected(names: &[&str]) -> Result<Vec<&'static str>> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Ok(select(SOME, &names)?.into_iter().flat_map(|(_, cases)| cases).collect())
    }

    #[test]
    fn names_select_by_their_beginning() {
        for (names, expected) in [
            (&[][..], &["fib/1k", "fib/1M", "program/xdp/a", "program/tc/a"][..]),
            (&["fib"], &["fib/1k", "fib/1M"]),
            (&["fib/1M"], &["fib/1M"]),
            (&["program/xdp"], &["program/xdp/a"]),
            (&["program/tc", "fib/1k"], &["fib/1k", "program/tc/a"]),
        ] {
            assert_eq!(selected(names).unwrap(), expected, "{names:?}");
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_those_that_there_are() {
        let error = selected(&["fib", "fob"]).unwrap_err().to_string();
        assert!(error.contains("`fob`") && error.contains("\n  program/xdp/a"), "{error}");
    }

    #[test]
    fn every_case_is_named_after_its_benchmark_and_only_once() {
        let mut cases = Vec::new();
        for benchmark in ALL {
            for case in benchmark.cases {
                assert!(case.starts_with(&format!("{}/", benchmark.name)), "{case}");
                cases.push(case);
            }
        }
        let count = cases.len();
        cases.sort_unstable();
        cases.dedup();
        assert_eq!(cases.len(), count);
    }
}
