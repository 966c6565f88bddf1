//! New files for secrets: all of them are there in the end, or none.

use mcbn_runtime::exit::{Exit, Failure};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What was made here; dropped before it is kept, it is removed.
#[derive(Default)]
pub struct Files {
    folder: Option<PathBuf>,
    files: Vec<PathBuf>,
}

/// Its owner may read it. Whoever was given it copies it; nobody changes it.
const MODE: u32 = 0o400;

const FOLDER_MODE: u32 = 0o700;

impl Files {
    /// Makes the folder, if it is not there.
    pub fn folder(&mut self, folder: &Path) -> Result<(), NotWritten> {
        match DirBuilder::new().mode(FOLDER_MODE).create(folder) {
            Ok(()) => {
                self.folder = Some(folder.to_owned());
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(NotWritten::Folder(error)),
        }
    }

    /// Makes a file of this text and a line feed.
    ///
    /// # Errors
    ///
    /// [`NotWritten::Exists`], where anything has this name, even a link that leads nowhere.
    pub fn add(&mut self, path: PathBuf, text: &Zeroizing<String>) -> Result<(), NotWritten> {
        self.make(path, &[text.as_bytes(), b"\n"])
    }

    /// Makes a file of these bytes.
    ///
    /// # Errors
    ///
    /// As for [`Files::add`].
    pub fn add_bytes(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), NotWritten> {
        self.make(path, &[bytes])
    }

    fn make(&mut self, path: PathBuf, content: &[&[u8]]) -> Result<(), NotWritten> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&path);
        let mut file = match made {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(NotWritten::Exists(path));
            }
            made => made.map_err(|error| NotWritten::File(path.clone(), error))?,
        };
        self.files.push(path.clone());
        let mut parts = content.iter();
        parts
            .try_for_each(|part| file.write_all(part))
            .and_then(|()| file.sync_all())
            .map_err(|error| NotWritten::File(path, error))
    }

    /// Everything stays, even if the machine stops now.
    pub fn keep(mut self) -> Result<(), NotWritten> {
        for path in self.files.iter().chain(&self.folder) {
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            File::open(parent.unwrap_or(Path::new(".")))
                .and_then(|folder| folder.sync_all())
                .map_err(|error| NotWritten::File(path.clone(), error))?;
        }
        self.files.clear();
        self.folder = None;
        Ok(())
    }
}

impl Drop for Files {
    /// What made this necessary is reported already.
    fn drop(&mut self) {
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[derive(Debug)]
pub enum NotWritten {
    Exists(PathBuf),
    File(PathBuf, io::Error),
    Folder(io::Error),
}

impl Display for NotWritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotWritten::Exists(path) => write!(f, "{} exists", shown(path)),
            NotWritten::File(path, _) => write!(f, "cannot write {}", shown(path)),
            NotWritten::Folder(_) => f.write_str("cannot make the folder"),
        }
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

impl Error for NotWritten {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NotWritten::Exists(_) => None,
            NotWritten::File(_, error) | NotWritten::Folder(error) => Some(error),
        }
    }
}

impl Failure for NotWritten {
    fn exit(&self) -> Exit {
        match self {
            NotWritten::Exists(_) => Exit::Usage,
            NotWritten::File(_, error) | NotWritten::Folder(error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            NotWritten::Exists(_) => {
                Some("a share is never overwritten: give another place, or move that file".into())
            }
            NotWritten::File(..) | NotWritten::Folder(_) => None,
        }
    }
}
