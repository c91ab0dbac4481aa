//! Reads a configuration directory: the only I/O of this module.

use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use super::{Diagnostic, File, faults::printable};

/// A larger file is refused: ten thousand endpoints fit in less.
const MOST_BYTES: u64 = 1 << 20;

/// The `*.toml` files of a directory (not of those within it; hidden ones are editors' and not read), in
/// order of name, and what could not be read.
pub(super) fn directory(dir: &Path) -> (Vec<File>, Vec<Diagnostic>) {
    let paths = match list(dir) {
        Ok(paths) => paths,
        Err(error) => {
            let help = "name a directory that holds `fabric.toml` and a file for each tenant";
            return (Vec::new(), vec![fault(dir, format!("cannot list the directory: {error}"), help)]);
        }
    };
    let mut files = Vec::new();
    let mut faults = Vec::new();
    for path in paths {
        match file(&path) {
            Ok(text) => files.push(File { path, text }),
            Err(fault) => faults.push(fault),
        }
    }
    (files, faults)
}

fn list(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(dir)? {
        let name = entry?.file_name();
        let text = name.as_encoded_bytes();
        if text.ends_with(b".toml") && !text.starts_with(b".") {
            paths.push(dir.join(name));
        }
    }
    paths.sort();
    Ok(paths)
}

fn file(path: &Path) -> Result<String, Diagnostic> {
    let unreadable = |error| fault(path, format!("cannot read: {error}"), "make it readable, or remove it");
    // A look before opening: a FIFO would keep us waiting, a device would never end.
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(fault(
            path,
            "not a regular file".into(),
            "remove it, or put a file (or a link to one) here",
        ));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(fault(path, "larger than 1 MiB".into(), "split it into several tenants"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        fault(path, format!("not UTF-8 from byte {at} on"), "TOML is UTF-8: save the file in that encoding")
    })
}

fn fault(file: &Path, message: String, help: &str) -> Diagnostic {
    Diagnostic { file: file.to_owned(), position: None, message: printable(message), help: help.to_owned() }
}
