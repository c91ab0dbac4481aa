//! Configuration: a directory of TOML files → the validated [`Network`].
//!
//! `fabric.toml` describes the hypervisors; every other `NAME.toml` is the tenant of that name. [`load`]
//! finds *all* faults of all files at once, each with its place and a remedy. In three steps: `raw` is what
//! the files say, with the place of every value; `check` finds what does not fit together; `build` makes
//! the model of what does.

mod build;
mod check;
mod diagnostics;
mod faults;
mod parse;
mod raw;
mod read;
mod section;
mod source;
mod suggest;

use std::path::Path;

use toml::de::DeTable;

pub use diagnostics::{Diagnostic, Diagnostics, Position};
pub use source::File;
pub(crate) use suggest::suggest;

use crate::model::{Name, Network};
use faults::Faults;
use source::Source;

/// Name of the file that describes the hypervisors.
pub const FABRIC_FILE: &str = "fabric.toml";

/// Loads a configuration directory.
///
/// # Errors
/// All faults: of reading, of each file, and between the files.
pub fn load(dir: &Path) -> Result<Network, Diagnostics> {
    let (files, unreadable) = read::directory(dir);
    assemble(dir, files, unreadable)
}

/// As [`load`], from files that were read already, wherever they came from.
///
/// # Errors
/// All faults: of each file, and between the files.
pub fn parse(files: Vec<File>) -> Result<Network, Diagnostics> {
    assemble(Path::new(""), files, Vec::new())
}

fn assemble(dir: &Path, files: Vec<File>, unreadable: Vec<Diagnostic>) -> Result<Network, Diagnostics> {
    let fabric_path = dir.join(FABRIC_FILE);
    let no_directory = unreadable.iter().any(|fault| fault.file == dir);
    let fabric_unreadable = no_directory || unreadable.iter().any(|fault| fault.file == fabric_path);
    let sources: Vec<Source> = files.into_iter().map(Source::new).collect();
    let faults = Faults::new(&sources, unreadable);
    if !fabric_unreadable && !sources.iter().any(Source::is_fabric) {
        faults.report_file(&fabric_path, "there is no such file", "describe the hypervisors in it");
    }

    let tables: Vec<Option<DeTable<'_>>> = sources
        .iter()
        .enumerate()
        .map(|(file, source)| raw::syntax(file, &source.file.text, &faults))
        .collect();
    let mut fabric = None;
    let mut tenants = Vec::new();
    for (file, (source, table)) in sources.iter().zip(&tables).enumerate() {
        if source.is_fabric() {
            fabric = table.as_ref().map(|table| raw::Fabric::read(file, table, &faults));
        } else if let Some(name) = tenant_name(source, &faults)
            && let Some(table) = table
        {
            tenants.push(raw::Tenant::read(name, file, table, &faults));
        }
    }
    check::all(fabric.as_ref(), &tenants, &faults);
    faults.finish()?;

    fabric.and_then(|fabric| build::network(fabric, tenants)).ok_or_else(|| {
        let message = "a value is missing, and no check has said which: this is a defect of `raas check`";
        let help = "please report it, with the configuration";
        let fault =
            Diagnostic { file: dir.to_owned(), position: None, message: message.into(), help: help.into() };
        Diagnostics::new(vec![fault], 0)
    })
}

/// A tenant is called after its file, so that two cannot have one name.
fn tenant_name(source: &Source, faults: &Faults<'_>) -> Option<Name> {
    let stem = source.path().file_stem().unwrap_or_default().to_string_lossy();
    stem.parse()
        .map_err(|wrong: crate::model::InvalidName| {
            let message = format!(
                "its name must be a tenant's, which {} cannot be: {}",
                parse::quote(&stem),
                wrong.reason()
            );
            let help =
                format!("rename it: 1 to {} characters of a-z, 0-9 and `-`, then `.toml`", Name::MAX_LEN);
            faults.report_file(source.path(), message, help);
        })
        .ok()
}
