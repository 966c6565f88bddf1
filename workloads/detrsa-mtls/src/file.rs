//! What is written once, to a file that was not there before.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Who may read it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    Anyone,
    /// Mode 0600: whoever runs the program.
    Owner,
}

/// Standard output where the path is `-`.
pub fn write(path: &Path, readers: Readers, content: &[u8]) -> io::Result<()> {
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        out.write_all(content)?;
        return out.flush();
    }
    let mode = match readers {
        Readers::Anyone => 0o644,
        Readers::Owner => 0o600,
    };
    // A file, or a link, that somebody else put there is not written through.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}
