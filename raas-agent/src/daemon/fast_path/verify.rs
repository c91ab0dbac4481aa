//! Puts back what somebody took away from the fast path: pins, and programs of interfaces.

use super::Writer;
use crate::platform::bpf::{Attachment, is_live};

/// What was found.
#[derive(Default)]
pub struct Found {
    /// What was put back already.
    pub restored: Vec<String>,
    /// Ports that have lost their program: [`Writer::attach`] gives them one again.
    pub bare: Vec<String>,
    /// What could not be looked at or put back.
    pub faults: Vec<String>,
}

impl Writer {
    /// Looks whether pins and programs are where this process put them.
    pub fn verify(&mut self) -> Found {
        let mut found = Found::default();
        match self.programs.restore_pins() {
            Ok(names) => found.restored.extend(names.iter().map(|name| format!("pin {name}"))),
            Err(error) => found.faults.push(format!("restoring pins: {error:#}")),
        }
        for (interface, &(_, hook)) in &self.attached {
            match is_live(self.programs.pins(), &Attachment { interface: interface.clone(), hook }) {
                Ok(true) => {}
                Ok(false) => found.bare.push(interface.clone()),
                Err(error) => found.faults.push(format!("{error:#}")),
            }
        }
        for interface in &found.bare {
            self.attached.remove(interface);
        }
        found
    }
}
