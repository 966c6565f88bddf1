//! What a participant keeps of one key generation, in a folder that only it can open.
//!
//! | file | is there | has |
//! |---|---|---|
//! | `opening-key` | from the approval to the end | the request's id, and what opens the share |
//! | `unconfirmed-share` | from before the confirmation until the receipt | the share, which does not count yet |
//! | `share` | at the end | the share, as a keeper reads it, below comments that say whose it is |
//! | `receipt.json` | at the end | what makes it count, for everybody to see |
//!
//! Each is written whole or not at all, so that whatever ends the program, the next run goes on.

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_ceremony::approval::RequestId;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_secret::{OpeningKey, SigningShare};
use mcbn_share::text;
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub struct Folder(PathBuf);

const OPENING_KEY: &str = "opening-key";
const UNCONFIRMED: &str = "unconfirmed-share";
pub const SHARE: &str = "share";
pub const RECEIPT: &str = "receipt.json";

/// Bytes of the longest secret file. A keeper reads no more.
const LONGEST: u64 = 1024;

impl Folder {
    /// Makes it, if it is not there.
    ///
    /// # Errors
    ///
    /// [`NotKept::Done`], where a share is there already: another one is another folder's.
    pub fn open(path: PathBuf) -> Result<Folder, NotKept> {
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(NotKept::Io(path, error));
            }
            _ => {}
        }
        match fs::symlink_metadata(path.join(SHARE)) {
            Ok(_) => Err(NotKept::Done(path)),
            Err(_) => Ok(Folder(path)),
        }
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }

    /// What was kept for this request. That of another one counts for nothing, and is passed over.
    pub fn opening_key(&self, request: RequestId) -> Result<Option<OpeningKey>, NotKept> {
        let Some(text) = self.read(OPENING_KEY)? else {
            return Ok(None);
        };
        let broken = || NotKept::Broken(self.path(OPENING_KEY));
        let text = str::from_utf8(&text).map_err(|_| broken())?;
        let (id, hex) = text.trim_end().split_once('\n').ok_or_else(broken)?;
        let mut kept = [0; RequestId::LENGTH];
        let kept = Base64UrlUnpadded::decode(id, &mut kept).map_err(|_| broken())?;
        if kept != request.0 {
            return Ok(None);
        }
        let key = OpeningKey::fill(|bytes| match base16ct::lower::decode(hex, bytes) {
            Ok(all) if all.len() == OpeningKey::LENGTH => Ok(()),
            _ => Err(broken()),
        });
        key.map(Some)
    }

    /// In place of that of another request.
    pub fn keep_opening_key(&self, request: RequestId, key: &OpeningKey) -> Result<(), NotKept> {
        let mut hex = Zeroizing::new([0; 2 * OpeningKey::LENGTH]);
        // It is kept until the share is opened.
        base16ct::lower::encode(key.expose_secret(), &mut *hex)
            .expect("the buffer is twice as long");
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
        text.extend_from_slice(Base64UrlUnpadded::encode_string(&request.0).as_bytes());
        text.push(b'\n');
        text.extend_from_slice(&*hex);
        text.push(b'\n');
        self.write(OPENING_KEY, &text, 0o600)
    }

    /// It does not count yet. The lines of `about` stand above it.
    pub fn keep_share(&self, share: &SigningShare, about: &[String]) -> Result<(), NotKept> {
        let hex = text::signing_share_hex(share);
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize));
        for line in about {
            text.extend_from_slice(format!("# {line}\n").as_bytes());
        }
        text.extend_from_slice(hex.as_bytes());
        text.push(b'\n');
        self.write(UNCONFIRMED, &text, 0o400)
    }

    /// The share that does not count yet.
    pub fn unconfirmed_share(&self) -> Result<SigningShare, NotKept> {
        let path = self.path(UNCONFIRMED);
        let Some(text) = self.read(UNCONFIRMED)? else {
            return Err(NotKept::Io(path, ErrorKind::NotFound.into()));
        };
        text::signing_share(text::below_comments(&text)).map_err(|_| NotKept::Broken(path))
    }

    /// The share counts.
    pub fn finish(&self, receipt: &[u8]) -> Result<(), NotKept> {
        self.write(RECEIPT, receipt, 0o644)?;
        let (from, to) = (self.path(UNCONFIRMED), self.path(SHARE));
        fs::rename(from, &to).map_err(|error| NotKept::Io(to, error))?;
        match fs::remove_file(self.path(OPENING_KEY)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(NotKept::Io(self.path(OPENING_KEY), error))
            }
            _ => self.sync(),
        }
    }

    fn read(&self, file: &str) -> Result<Option<Zeroizing<Vec<u8>>>, NotKept> {
        let path = self.path(file);
        let mut text = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
        let opened = File::open(&path);
        match opened.and_then(|file| file.take(LONGEST + 1).read_to_end(&mut text)) {
            Ok(length) if length as u64 <= LONGEST => Ok(Some(text)),
            Ok(_) => Err(NotKept::Broken(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(NotKept::Io(path, error)),
        }
    }

    fn write(&self, file: &str, text: &[u8], mode: u32) -> Result<(), NotKept> {
        let new = self.path(&format!("{file}.new"));
        let failed = |error| NotKept::Io(self.path(file), error);
        // What an earlier run left half-written.
        let _ = fs::remove_file(&new);
        let mut options = OpenOptions::new();
        let mut opened = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)
            .map_err(failed)?;
        opened.write_all(text).map_err(failed)?;
        opened.sync_all().map_err(failed)?;
        fs::rename(&new, self.path(file)).map_err(failed)?;
        self.sync()
    }

    fn sync(&self) -> Result<(), NotKept> {
        let synced = File::open(&self.0).and_then(|folder| folder.sync_all());
        synced.map_err(|error| NotKept::Io(self.0.clone(), error))
    }
}

/// What must be kept is not.
#[derive(Debug)]
pub enum NotKept {
    /// There is a share in this folder.
    Done(PathBuf),
    /// The file does not hold what was written there.
    Broken(PathBuf),
    Io(PathBuf, io::Error),
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

impl Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(path) => write!(f, "{} has a share already", shown(path)),
            Self::Broken(path) => write!(f, "{} does not hold what was written there", shown(path)),
            Self::Io(path, _) => write!(f, "cannot use {}", shown(path)),
        }
    }
}

impl Error for NotKept {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(_, error) => Some(error),
            Self::Done(_) | Self::Broken(_) => None,
        }
    }
}

impl Failure for NotKept {
    fn exit(&self) -> Exit {
        match self {
            Self::Done(_) => Exit::Usage,
            Self::Broken(_) => Exit::Refused,
            Self::Io(_, error) => error.exit(),
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Done(_) => Some("each key has a folder of its own".into()),
            Self::Broken(_) | Self::Io(..) => None,
        }
    }
}
