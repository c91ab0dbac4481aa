//! Debug messages of the program itself, which it sends through aya-log when built with the feature `ebpf-log`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use aya::Ebpf;
use aya_log::EbpfLogger;
use tokio::{runtime::Handle, time::interval};

/// Messages are for people to read: this often is soon enough.
const INTERVAL: Duration = Duration::from_millis(100);

/// Passes the programs' messages on to our own log, at level `debug`, for as long as the runtime lives. To be called
/// before the programs are loaded: afterwards their map of messages is closed.
pub(super) fn forward(ebpf: &mut Ebpf) -> Result<()> {
    let runtime = Handle::try_current().context("the programs' messages need a runtime to be read in")?;
    let mut logger = EbpfLogger::init(ebpf).context("opening the programs' messages")?;
    runtime.spawn(async move {
        let mut ticks = interval(INTERVAL);
        loop {
            ticks.tick().await;
            logger.flush();
        }
    });
    Ok(())
}
