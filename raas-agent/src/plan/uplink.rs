//! Uplinks: the underlay's interfaces get a program and a counter scope, and are otherwise left alone.

use super::{PlanError, Port, PortRole, builder::Builder};

impl Builder<'_> {
    pub(super) fn add_uplinks(&mut self) -> Result<(), PlanError> {
        for uplink in &self.here.uplinks {
            let scope = self.ids.port_scope(uplink)?;
            self.desired.topology.ports.push(Port {
                ifname: uplink.clone(),
                name: uplink.clone(),
                role: PortRole::Uplink,
                hook: self.options.hook_override.unwrap_or(self.here.uplink_hook),
                scope,
            });
        }
        Ok(())
    }
}
