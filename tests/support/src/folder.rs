//! A temporary folder with the few files that a scenario needs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder of its own for each test, gone when it is dropped.
pub struct Folder(TempDir);

/// The longest path of a socket that Linux takes, without its terminator.
const SOCKET_PATH: usize = 107;

impl Folder {
    #[expect(clippy::new_without_default, reason = "it makes a folder on disk")]
    pub fn new() -> Self {
        // Where Bazel wants a test's files; elsewhere the system's folder.
        let parent = std::env::var_os("TEST_TMPDIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let made = tempfile::Builder::new().prefix("mcbn").tempdir_in(parent);
        Self(made.expect("the folder of temporary files can be written to"))
    }

    /// One for a socket of this name: where the path of a test's own folder is too long for it, in the system's.
    pub fn for_a_socket(name: &str) -> Self {
        let folder = Self::new();
        match folder.path().join(name).as_os_str().len() {
            ..=SOCKET_PATH => folder,
            _ => {
                let made = tempfile::Builder::new().prefix("mcbn").tempdir();
                Self(made.expect("the system's folder of temporary files can be written to"))
            }
        }
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file that only this user can read.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        self.file_with_mode(name, content, 0o400)
    }

    /// Writes a file of this mode, whatever the umask is.
    pub fn file_with_mode(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.path().join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .expect("a new file in a new folder");
        file.write_all(content.as_ref()).expect("the disk has room");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the file is ours");
        path
    }
}
