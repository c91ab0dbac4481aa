//! When a lab is ready: agents, BGP sessions, DHCP leases, pings, in this order.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};

use crate::{Lab, Station, station::session_ends, wait_for};

/// A step towards readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Each agent has done what it has to, and finds nothing wrong.
    Agents,
    /// Each BGP session is established, counted at both ends.
    Sessions,
    /// Each endpoint has an address.
    Leases,
    /// Each pair of endpoints that may reach each other does, counted in both directions.
    Pings,
}

impl Phase {
    /// All, in order.
    pub const ALL: [Self; 4] = [Self::Agents, Self::Sessions, Self::Leases, Self::Pings];
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Agents => "agents",
            Self::Sessions => "BGP sessions",
            Self::Leases => "DHCP leases",
            Self::Pings => "pings",
        })
    }
}

impl Lab {
    /// Waits until the network works as configured. It fails at once if an agent ends.
    pub fn wait_ready(&self, deadline: Duration) -> Result<()> {
        self.wait_ready_with(deadline, |_, _, _| {})
    }

    /// As [`Self::wait_ready`]; `progress` hears of each phase how much is done, of how much (0 while that
    /// is not known).
    pub fn wait_ready_with(
        &self,
        deadline: Duration,
        mut progress: impl FnMut(Phase, usize, usize),
    ) -> Result<()> {
        let start = Instant::now();
        for phase in Phase::ALL {
            let left = deadline.saturating_sub(start.elapsed());
            let mut reached = (0, 0);
            progress(phase, 0, 0);
            let outcome = wait_for(left, &phase.to_string(), || {
                if let Err(ended) = self.check_agents() {
                    return Ok(Some(Err(ended)));
                }
                reached = self.reached(phase)?;
                progress(phase, reached.0, reached.1);
                Ok((reached.0 >= reached.1).then_some(Ok(())))
            });
            outcome.map_err(|error| error.context(format!("{phase}: {} of {}", reached.0, reached.1)))??;
        }
        Ok(())
    }

    /// How much of a phase is done, and of how much.
    fn reached(&self, phase: Phase) -> Result<(usize, usize)> {
        let hypervisors = self.hypervisors();
        let stations = self.stations();
        Ok(match phase {
            Phase::Agents => {
                let mut well = 0;
                for hypervisor in &hypervisors {
                    let status = self.own_status(hypervisor)?;
                    ensure!(status.faults.is_empty(), "{hypervisor}: {}", status.faults.join("; "));
                    well += usize::from(status.is_well());
                }
                (well, hypervisors.len())
            }
            Phase::Sessions => {
                let mut up = 0;
                for hypervisor in &hypervisors {
                    up += self.status(hypervisor)?.sessions().0;
                }
                (up, session_ends(self.network()))
            }
            Phase::Leases => {
                (stations.iter().filter(|station| self.address(station).is_ok()).count(), stations.len())
            }
            Phase::Pings => {
                let pairs = pairs(&stations, Station::may_reach);
                let mut reached = 0;
                for (from, to) in &pairs {
                    let ping =
                        self.ping(from, self.address(to)?, 1, Duration::ZERO, Duration::from_secs(1))?;
                    // One after the other: while one pair has to wait, the others' turn would only cost time.
                    if ping.received == 0 {
                        break;
                    }
                    reached += 1;
                }
                ensure!(reached > 0 || pairs.is_empty(), "no endpoint reaches another");
                (reached, pairs.len())
            }
        })
    }
}

/// Ordered pairs of different stations for which `choose` holds.
pub fn pairs(stations: &[Station], choose: impl Fn(&Station, &Station) -> bool) -> Vec<(&Station, &Station)> {
    let all = stations.iter().flat_map(|from| stations.iter().map(move |to| (from, to)));
    all.filter(|(from, to)| from != to && choose(from, to)).collect()
}
