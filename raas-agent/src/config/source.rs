//! The text of a configuration, and places in it.

use std::path::{Path, PathBuf};

use super::{FABRIC_FILE, Position};

/// A configuration file: its path, as messages are to show it, and its text.
#[derive(Clone, Debug)]
pub struct File {
    /// Path; its last part says what the file is (`fabric.toml`, or `TENANT.toml`).
    pub path: PathBuf,
    /// TOML.
    pub text: String,
}

/// A byte of one of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub file: usize,
    pub offset: usize,
}

/// A value, and where it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<T> {
    pub value: T,
    pub place: Place,
}

/// What became of a key that may be left out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written<T> {
    /// It is left out: the default applies.
    Absent,
    /// It is there, but cannot be read, which has been reported. Nothing may be said of what it decides.
    Faulty,
    /// It is there.
    Value(At<T>),
}

impl<T> Written<T> {
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    pub fn at(&self) -> Option<&At<T>> {
        match self {
            Self::Value(at) => Some(at),
            Self::Absent | Self::Faulty => None,
        }
    }

    pub fn value(&self) -> Option<&T> {
        self.at().map(|at| &at.value)
    }

    pub fn into_at(self) -> Option<At<T>> {
        match self {
            Self::Value(at) => Some(at),
            Self::Absent | Self::Faulty => None,
        }
    }

    pub fn into_value(self) -> Option<T> {
        self.into_at().map(|at| at.value)
    }
}

/// A file with an index of its lines.
#[derive(Debug)]
pub(super) struct Source {
    pub file: File,
    line_starts: Vec<usize>,
}

impl Source {
    pub fn new(file: File) -> Self {
        let after_newline = file.text.match_indices('\n').map(|(offset, _)| offset + 1);
        let line_starts = std::iter::once(0).chain(after_newline).collect();
        Self { file, line_starts }
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    pub fn is_fabric(&self) -> bool {
        self.path().file_name().is_some_and(|name| name == FABRIC_FILE)
    }

    /// Line and column of a byte offset; an offset past the end, or within a character, counts as the last
    /// before it.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.file.text.floor_char_boundary(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts[line - 1];
        Position { line, column: self.file.text[start..offset].chars().count() + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let source = Source::new(File { path: "a.toml".into(), text: "ä = 1\n\nb\n".into() });
        for (offset, line, column) in
            [(0, 1, 1), (1, 1, 1), (2, 1, 2), (6, 1, 6), (7, 2, 1), (8, 3, 1), (99, 4, 1)]
        {
            assert_eq!(source.position(offset), Position { line, column }, "offset {offset}");
        }
    }
}
