//! A file that is new and its owner's alone.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::{fmt, fs};

/// Nothing is overwritten and no link is followed; what could not be written whole is removed.
///
/// # Errors
///
/// Something has this name, or the file cannot be written.
pub fn write_new(path: &Path, secret: &[u8]) -> Result<(), NotWritten> {
    let failed = |error| NotWritten {
        path: path.to_owned(),
        error,
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(failed)?;
    let written = file.write_all(secret).and_then(|()| file.sync_all());
    written.map_err(|error| {
        // The first error says more than that of the removal.
        let _ = fs::remove_file(path);
        failed(error)
    })
}

#[derive(Debug)]
pub struct NotWritten {
    path: PathBuf,
    error: io::Error,
}

impl NotWritten {
    /// What the system said.
    pub fn error(&self) -> &io::Error {
        &self.error
    }
}

impl fmt::Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write {}: {}", self.path.display(), self.error)
    }
}

impl std::error::Error for NotWritten {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, symlink};

    #[test]
    fn a_new_file_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        write_new(&path, b"a key").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a key");
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o600);
    }

    #[test]
    fn a_file_that_is_there_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "another's").unwrap();
        let refused = write_new(&path, b"a key").unwrap_err();
        assert_eq!(refused.error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"another's");
    }

    #[test]
    fn a_link_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (link, target) = (folder.path().join("link"), folder.path().join("target"));
        symlink(&target, &link).unwrap();
        assert!(write_new(&link, b"a key").is_err());
        assert!(!target.exists());
    }
}
