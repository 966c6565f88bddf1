//! A small secret that only its owner reads, in its file.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// Reads all of it.
///
/// # Errors
///
/// Others can open the file, or it has more than `longest` bytes.
pub fn read(path: &Path, longest: usize) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let file = File::open(path).map_err(Unreadable::Io)?;
    let metadata = file.metadata().map_err(Unreadable::Io)?;
    // A pipe's mode says nothing about who was given an end of it.
    if metadata.is_file() && metadata.mode() & 0o077 != 0 {
        return Err(Unreadable::OpenToOthers);
    }
    // Room for all of it, and a byte that shows that there is too much: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
    let mut file = file.take(longest as u64 + 1);
    let read = file.read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    match read <= longest {
        true => Ok(bytes),
        false => Err(Unreadable::TooLong),
    }
}

#[derive(Debug)]
pub enum Unreadable {
    OpenToOthers,
    TooLong,
    Io(io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn file(mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, "12345").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn what_its_owner_alone_can_open_is_read() {
        for mode in [0o400, 0o600] {
            let (_folder, path) = file(mode);
            assert_eq!(&**read(&path, 5).unwrap(), b"12345");
        }
    }

    #[test]
    fn what_others_can_open_is_refused() {
        for mode in [0o640, 0o604, 0o420, 0o610] {
            let (_folder, path) = file(mode);
            let refused = read(&path, 5);
            assert!(matches!(refused, Err(Unreadable::OpenToOthers)), "{mode:o}");
        }
    }

    #[test]
    fn what_is_longer_than_the_secret_is_refused() {
        let (_folder, path) = file(0o400);
        assert!(matches!(read(&path, 4), Err(Unreadable::TooLong)));
    }
}
