//! Waiting for something to become true, with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

/// How often to look. What is waited for here (a BGP session, a lease, a process's end) has no one event to
/// block on.
const INTERVAL: Duration = Duration::from_millis(50);

/// Looks until `probe` answers `Some`, and returns that.
///
/// An error of `probe` counts as "not yet": daemons that are just starting refuse for a while. Past the
/// deadline the error says what was waited for, and the last error of `probe`.
pub fn wait_for<T>(
    deadline: Duration,
    what: &str,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        let last = match probe() {
            Ok(Some(value)) => return Ok(value),
            Ok(None) => None,
            Err(error) => Some(error),
        };
        if start.elapsed() >= deadline {
            match last {
                Some(error) => return Err(error.context(format!("no {what} within {deadline:?}"))),
                None => bail!("no {what} within {deadline:?}"),
            }
        }
        thread::sleep(INTERVAL);
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn returns_the_first_answer_and_reports_the_last_error() {
        let mut calls = 0;
        let found = wait_for(Duration::from_secs(5), "third call", || {
            calls += 1;
            Ok((calls == 3).then_some(calls))
        });
        assert_eq!(found.expect("three calls fit into 5 s"), 3);

        let error =
            wait_for::<()>(Duration::ZERO, "lease", || Err(anyhow!("refused"))).expect_err("never true");
        assert_eq!(format!("{error:#}"), "no lease within 0ns: refused");
    }
}
