//! Labs that are up: of any configuration, and of the demo network.

use std::{path::Path, time::Duration};

use anyhow::Result;
use raas_agent::model::Hook;
use raas_lab::{Lab, Options, Station};

/// The demo network's configuration.
pub const CONFIG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/demo");
/// How long a network may take to work.
pub const READY: Duration = Duration::from_secs(120);

/// A network that works, with that hook everywhere.
pub fn up_with(config: &Path, hook: Hook) -> Result<Lab> {
    let lab = Lab::up(config, &Options { hook: Some(hook), ..Options::default() })?;
    lab.wait_ready(READY)?;
    Ok(lab)
}

/// The demo network.
pub fn up(hook: Hook) -> Result<Lab> {
    up_with(Path::new(CONFIG), hook)
}

/// Endpoints of the demo network on different hypervisors. Two equal paths join them, each of seven routers.
pub fn endpoints(lab: &Lab) -> Result<(Station, Station)> {
    Ok((lab.station("acme/pc1")?, lab.station("acme/pc3")?))
}
