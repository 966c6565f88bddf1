//! A request that an outside CA makes a certificate of.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// Writes it to a new file, or to standard output where the path is `-`.
pub fn write(path: &Path, request: &str) -> io::Result<()> {
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        out.write_all(request.as_bytes())?;
        return out.flush();
    }
    // A file, or a link, that somebody else put there is not written through.
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(request.as_bytes())?;
    file.sync_all()
}
