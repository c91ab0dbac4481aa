//! What is wrong with a configuration, as a person reads it.

use std::{error::Error, fmt, path::PathBuf};

/// Where in a file: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// One fault: where, what, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file (or the directory, if that is at fault).
    pub file: PathBuf,
    /// Where in it; none if the fault is the file's as a whole.
    pub position: Option<Position>,
    /// What is wrong. One line, without control characters.
    pub message: String,
    /// The remedy. One line, without control characters.
    pub help: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}:")?;
        }
        write!(f, " error: {}\n  help: {}", self.message, self.help)
    }
}

/// All faults of a configuration, in order of file and line. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    faults: Vec<Diagnostic>,
    omitted: usize,
}

impl Diagnostics {
    pub(super) fn new(mut faults: Vec<Diagnostic>, omitted: usize) -> Self {
        faults.sort();
        faults.dedup();
        Self { faults, omitted }
    }

    /// The faults, in order of file and line.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Diagnostic> {
        self.faults.iter()
    }

    /// How many faults were found, those included that are not kept (only the first thousand are).
    pub fn count(&self) -> usize {
        self.faults.len() + self.omitted
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{fault}")?;
        }
        if self.omitted > 0 {
            write!(f, "\n… and {} more", self.omitted)?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}
