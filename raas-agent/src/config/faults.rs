//! Collects faults while the files are read and checked.

use std::{
    cell::{Cell, RefCell},
    path::Path,
};

use super::{
    Diagnostic, Diagnostics,
    source::{Place, Source},
    suggest,
};

/// The faults found so far. Reading and checking go on after a fault, so that all are found at once.
pub(super) struct Faults<'s> {
    sources: &'s [Source],
    found: RefCell<Vec<Diagnostic>>,
    omitted: Cell<usize>,
}

impl<'s> Faults<'s> {
    /// No one reads more; a hostile file shall not make us write more.
    const MOST: usize = 1000;

    /// Continues from what could not be read.
    pub fn new(sources: &'s [Source], unreadable: Vec<Diagnostic>) -> Self {
        Self { sources, found: RefCell::new(unreadable), omitted: Cell::default() }
    }

    pub fn report(&self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        if self.is_full() {
            self.omitted.set(self.omitted.get() + 1);
            return;
        }
        let source = &self.sources[place.file];
        self.found.borrow_mut().push(Diagnostic {
            file: source.path().to_owned(),
            position: Some(source.position(place.offset)),
            message: printable(message.into()),
            help: printable(help.into()),
        });
    }

    /// A fault of a file as a whole.
    pub fn report_file(&self, file: &Path, message: impl Into<String>, help: impl Into<String>) {
        self.found.borrow_mut().push(Diagnostic {
            file: file.to_owned(),
            position: None,
            message: printable(message.into()),
            help: printable(help.into()),
        });
    }

    /// A remedy for a name that is not among `known`; see [`suggest`](suggest::suggest). Nothing is worked
    /// out that will not be read.
    pub fn suggest<'a>(&self, text: &str, what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
        if self.is_full() { String::new() } else { suggest(text, what, known) }
    }

    /// Whether more faults are only counted.
    fn is_full(&self) -> bool {
        self.found.borrow().len() >= Self::MOST
    }

    /// A place in words, for messages that name a second one: `acme.toml:3:8`.
    pub fn describe(&self, place: Place) -> String {
        if self.is_full() {
            return String::new();
        }
        let source = &self.sources[place.file];
        let position = source.position(place.offset);
        let name = source.path().file_name().unwrap_or(source.path().as_os_str()).to_string_lossy();
        format!("{name}:{}:{}", position.line, position.column)
    }

    pub fn finish(self) -> Result<(), Diagnostics> {
        let found = self.found.into_inner();
        if found.is_empty() { Ok(()) } else { Err(Diagnostics::new(found, self.omitted.get())) }
    }
}

/// Keeps what a file says from steering the reader's terminal.
pub(super) fn printable(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}
