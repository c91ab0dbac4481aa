//! How long routers that are not there are waited for.

use std::time::{Duration, Instant};

/// From the first dump of the hypervisor's own namespace on: making all namespaces takes a fraction of that.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long routers that are not there are waited for.
#[derive(Debug, Default)]
pub struct Patience {
    since: Option<Instant>,
}

impl Patience {
    /// It has been long enough. Waiting begins when the hypervisor's namespace is known.
    pub fn is_over(&mut self, host_is_known: bool, now: Instant) -> bool {
        host_is_known && now.duration_since(*self.since.get_or_insert(now)) >= PATIENCE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_begins_with_the_hypervisors_own_namespace() {
        let mut patience = Patience::default();
        let start = Instant::now();
        assert!(!patience.is_over(false, start));
        let known = start + 2 * PATIENCE;
        assert!(!patience.is_over(true, known));
        assert!(!patience.is_over(true, known + PATIENCE / 2));
        assert!(patience.is_over(true, known + PATIENCE));
    }
}
