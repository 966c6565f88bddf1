//! The file list of an image, and the one tar stream that it makes.
//!
//! Writing has no freedom: entries sorted by the bytes of their path, every parent directory
//! present, owner 0:0 without names, time 0, mode by kind, plain ustar headers. So the same
//! files give the same tar. Reading keeps every header field that it finds: a layer from
//! elsewhere must be shown as it is, not as it should be.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};

use tar::{EntryType, Header};

use crate::fault::Printable;

/// The longest path that fits the ustar name field without a prefix or an extension header.
const LONGEST_PATH: usize = 100;

/// Files to be written, by their path without the leading `/`.
#[derive(Clone, Debug, Default)]
pub struct Tree(BTreeMap<String, Node>);

#[derive(Clone, Debug)]
enum Node {
    Directory,
    File { mode: Mode, content: Vec<u8> },
}

/// What a file is for; its permission bits follow. Nothing in an image is writable by its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0644
    Data,
    /// 0755
    Program,
}

impl Mode {
    fn bits(self) -> u32 {
        match self {
            Mode::Data => 0o644,
            Mode::Program => 0o755,
        }
    }
}

/// Why a file could not be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misplaced {
    NotAbsolute(String),
    NotClean(String),
    TooLong(String),
    Taken(String),
}

impl fmt::Display for Misplaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute(path) => write!(f, "{path:?} does not begin with /"),
            Self::NotClean(path) => write!(
                f,
                "{path:?} has an empty, `.` or `..` component, or a byte outside printable ASCII"
            ),
            Self::TooLong(path) => write!(f, "{path:?} is longer than {LONGEST_PATH} bytes"),
            Self::Taken(path) => write!(f, "/{path} is there already"),
        }
    }
}

impl std::error::Error for Misplaced {}

impl Tree {
    /// Adds a file at an absolute path, and its parent directories.
    pub fn add(&mut self, path: &str, mode: Mode, content: Vec<u8>) -> Result<(), Misplaced> {
        let relative = path
            .strip_prefix('/')
            .ok_or_else(|| Misplaced::NotAbsolute(path.to_owned()))?;
        let clean = |part: &str| {
            !matches!(part, "" | "." | "..") && part.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if !relative.split('/').all(clean) {
            return Err(Misplaced::NotClean(path.to_owned()));
        }
        if relative.len() > LONGEST_PATH {
            return Err(Misplaced::TooLong(path.to_owned()));
        }
        for (end, _) in relative.match_indices('/') {
            let parent = &relative[..end];
            match self.0.get(parent) {
                None => drop(self.0.insert(parent.to_owned(), Node::Directory)),
                Some(Node::Directory) => {}
                Some(Node::File { .. }) => return Err(Misplaced::Taken(parent.to_owned())),
            }
        }
        if self.0.contains_key(relative) {
            return Err(Misplaced::Taken(relative.to_owned()));
        }
        self.0
            .insert(relative.to_owned(), Node::File { mode, content });
        Ok(())
    }

    /// The tar stream: the layer before compression.
    pub fn to_tar(&self) -> Vec<u8> {
        let entries: Vec<Entry> = self
            .0
            .iter()
            .map(|(path, node)| match node {
                Node::Directory => Entry::directory(format!("{path}/")),
                Node::File { mode, content } => {
                    Entry::file(path.clone(), mode.bits(), content.clone())
                }
            })
            .collect();
        write(&entries)
    }
}

/// One member of a tar stream, as its header says.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub path: String,
    pub kind: Kind,
    pub mode: u32,
    pub uid: u64,
    pub gid: u64,
    pub mtime: u64,
    pub content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Directory,
    /// A link, a device, an extension header: its type flag. Images have none.
    Other(u8),
}

impl Entry {
    fn directory(path: String) -> Self {
        Self {
            kind: Kind::Directory,
            ..Self::file(path, 0o755, Vec::new())
        }
    }

    fn file(path: String, mode: u32, content: Vec<u8>) -> Self {
        Self {
            path,
            kind: Kind::File,
            mode,
            uid: 0,
            gid: 0,
            mtime: 0,
            content,
        }
    }

    fn header(&self) -> Header {
        let mut header = Header::new_ustar();
        header.as_mut_bytes()[..self.path.len()].copy_from_slice(self.path.as_bytes());
        header.set_entry_type(match self.kind {
            Kind::File => EntryType::Regular,
            Kind::Directory => EntryType::Directory,
            Kind::Other(flag) => EntryType::new(flag),
        });
        header.set_mode(self.mode);
        header.set_uid(self.uid);
        header.set_gid(self.gid);
        header.set_mtime(self.mtime);
        header.set_size(self.content.len() as u64);
        header.set_cksum();
        header
    }
}

/// `drwxr-xr-x 0:0 etc/`: mode, owner and path as a reader of `ls` knows them.
impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::File => '-',
            Kind::Directory => 'd',
            Kind::Other(_) => '?',
        };
        write!(f, "{kind}")?;
        for (place, letter) in "rwxrwxrwx".char_indices() {
            let set = self.mode & (0o400 >> place) != 0;
            write!(f, "{}", if set { letter } else { '-' })?;
        }
        if self.mode & !0o777 != 0 {
            write!(f, " mode={:o}", self.mode)?;
        }
        let path = Printable(&self.path);
        write!(f, " {}:{} {path}", self.uid, self.gid)
    }
}

/// The tar stream of `entries`, in their order.
fn write(entries: &[Entry]) -> Vec<u8> {
    const BLOCK: usize = 512;
    let mut tar = Vec::new();
    for entry in entries {
        tar.extend_from_slice(entry.header().as_bytes());
        tar.extend_from_slice(&entry.content);
        tar.resize(tar.len().next_multiple_of(BLOCK), 0);
    }
    // POSIX: the archive ends with two blocks of zeros.
    tar.resize(tar.len() + 2 * BLOCK, 0);
    tar
}

/// The members of a tar stream, extension headers included as members of their own.
pub fn read(tar: &[u8]) -> io::Result<Vec<Entry>> {
    let mut archive = tar::Archive::new(tar);
    let mut entries = Vec::new();
    for member in archive.entries()?.raw(true) {
        let mut member = member?;
        let header = member.header();
        let path = String::from_utf8(header.path_bytes().into_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let mut entry = Entry {
            path,
            kind: match header.entry_type() {
                EntryType::Regular => Kind::File,
                EntryType::Directory => Kind::Directory,
                other => Kind::Other(other.as_byte()),
            },
            mode: header.mode()?,
            uid: header.uid()?,
            gid: header.gid()?,
            mtime: header.mtime()?,
            content: Vec::new(),
        };
        member.read_to_end(&mut entry.content)?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether `tar` is exactly what this module would write for `entries`: no owner names, no
/// padding, no header form of another tool. Such bytes hide nothing that `entries` does not show.
pub fn is_canonical(tar: &[u8], entries: &[Entry]) -> bool {
    entries
        .windows(2)
        .all(|pair| sort_key(&pair[0]) < sort_key(&pair[1]))
        && entries.iter().all(|entry| entry.path.len() <= LONGEST_PATH)
        && write(entries) == tar
}

fn sort_key(entry: &Entry) -> &str {
    entry.path.strip_suffix('/').unwrap_or(&entry.path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn sample() -> Tree {
        let mut tree = Tree::default();
        tree.add("/server", Mode::Program, b"\x7fELF".to_vec())
            .unwrap();
        tree.add(
            "/etc/ssl/certs/ca-certificates.crt",
            Mode::Data,
            b"roots\n".to_vec(),
        )
        .unwrap();
        tree.add("/etc/passwd", Mode::Data, b"passwd\n".to_vec())
            .unwrap();
        tree
    }

    #[test]
    fn the_tar_of_fixed_files_is_fixed() {
        assert_eq!(
            Digest::of(&sample().to_tar()).to_string(),
            "sha256:569a4348cea4854b51b8c6a4811df87f55affa5659698b0d0db5b3abb5825602"
        );
    }

    #[test]
    fn entries_are_sorted_with_parents_first_and_owned_by_root() {
        let entries = read(&sample().to_tar()).unwrap();
        let shown: Vec<String> = entries.iter().map(Entry::to_string).collect();
        assert_eq!(
            shown,
            [
                "drwxr-xr-x 0:0 etc/",
                "-rw-r--r-- 0:0 etc/passwd",
                "drwxr-xr-x 0:0 etc/ssl/",
                "drwxr-xr-x 0:0 etc/ssl/certs/",
                "-rw-r--r-- 0:0 etc/ssl/certs/ca-certificates.crt",
                "-rwxr-xr-x 0:0 server",
            ]
        );
        assert!(entries.iter().all(|entry| entry.mtime == 0));
    }

    #[test]
    fn the_order_of_adding_does_not_matter() {
        let mut other = Tree::default();
        other
            .add("/etc/passwd", Mode::Data, b"passwd\n".to_vec())
            .unwrap();
        other
            .add(
                "/etc/ssl/certs/ca-certificates.crt",
                Mode::Data,
                b"roots\n".to_vec(),
            )
            .unwrap();
        other
            .add("/server", Mode::Program, b"\x7fELF".to_vec())
            .unwrap();
        assert_eq!(other.to_tar(), sample().to_tar());
    }

    #[test]
    fn an_unclean_path_is_refused() {
        let mut tree = sample();
        for path in ["/etc//x", "/etc/../x", "/./x", "/", "/etc/", "/e\nx", "/é"] {
            let refused = tree.add(path, Mode::Data, Vec::new());
            assert_eq!(refused, Err(Misplaced::NotClean(path.to_owned())));
        }
        let relative = tree.add("etc/x", Mode::Data, Vec::new());
        assert_eq!(relative, Err(Misplaced::NotAbsolute("etc/x".to_owned())));
        let long = format!("/{}", "x".repeat(LONGEST_PATH + 1));
        assert_eq!(
            tree.add(&long, Mode::Data, Vec::new()),
            Err(Misplaced::TooLong(long))
        );
    }

    #[test]
    fn a_taken_path_is_refused() {
        let mut tree = sample();
        for (path, taken) in [
            ("/server", "server"),
            ("/server/x", "server"),
            ("/etc/ssl", "etc/ssl"),
        ] {
            let refused = tree.add(path, Mode::Data, Vec::new());
            assert_eq!(refused, Err(Misplaced::Taken(taken.to_owned())));
        }
    }

    #[test]
    fn only_its_own_output_is_canonical() {
        let tar = sample().to_tar();
        let entries = read(&tar).unwrap();
        assert!(is_canonical(&tar, &entries));

        let mut owner_name = tar.clone();
        owner_name[265..269].copy_from_slice(b"root");
        reseal(&mut owner_name);
        assert!(!is_canonical(&owner_name, &read(&owner_name).unwrap()));

        let mut unsorted = entries.clone();
        unsorted.swap(0, 5);
        assert!(!is_canonical(&write(&unsorted), &unsorted));

        let mut padded = tar.clone();
        padded.extend([0; 8192]);
        assert!(!is_canonical(&padded, &read(&padded).unwrap()));
    }

    /// Recomputes the checksum of the first header.
    fn reseal(tar: &mut [u8]) {
        tar[148..156].fill(b' ');
        let sum: u32 = tar[..512].iter().map(|byte| u32::from(*byte)).sum();
        tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }

    #[test]
    fn a_link_is_shown_as_what_it_is_not_followed() {
        let mut link = Entry::file("etc/passwd".to_owned(), 0o4777, Vec::new());
        link.kind = Kind::Other(b'2');
        let read_back = read(&write(&[link.clone()])).unwrap();
        assert!(read_back == [link]);
        assert_eq!(
            read_back[0].to_string(),
            "?rwxrwxrwx mode=4777 0:0 etc/passwd"
        );
    }

    #[test]
    fn a_cut_tar_is_refused() {
        let tar = sample().to_tar();
        assert!(read(&tar[..tar.len() / 2 + 7]).is_err());
    }
}
