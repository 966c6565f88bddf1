//! The file that says where the page is, and `mcbn keeper page`, which reads it for whoever may.
//!
//! The address has the token in it, so the file is its owner's alone, and no log or stream of the keeper ever has it.
//! The keeper holds a lock on the file for as long as it runs: a file that was left behind is known by that.

use crate::keeper::settings::LEDGER;
use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process;
use mcbn_runtime::settings::Program;
use mcbn_runtime::suite::Command;
use ring::rand::{SecureRandom, SystemRandom};
use std::error::Error;
use std::fmt::{self, Display};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

pub const PAGE: Command = Command {
    program: &PROGRAM,
    main: || process::once(&PROGRAM, |given| given.one(&LEDGER), print),
};

static PROGRAM: Program = Program::tool(
    crate::NAME,
    crate::VERSION,
    "Prints the address of a running keeper's page. Whoever has it speaks for you: it is a secret until the keeper ends.",
    &[LEDGER],
)
.under("keeper page", crate::BESIDE);

fn print(ledger: PathBuf) -> Result<(), NoAddress> {
    let address = read(&ledger)?;
    let mut out = io::stdout().lock();
    // It was asked for.
    writeln!(out, "{}", *address).map_err(NoAddress::Print)
}

/// The file of a page that is open.
#[derive(Debug)]
pub struct AddressFile {
    path: PathBuf,
    /// Locked.
    file: File,
}

impl AddressFile {
    /// Makes it, in the place of one that was left behind.
    pub fn write(ledger: &Path, address: &str) -> io::Result<AddressFile> {
        let path = std::path::absolute(beside(ledger))?;
        let mut random = [0; 8];
        let drawn = SystemRandom::new().fill(&mut random);
        drawn.map_err(|_| io::Error::other("no random numbers"))?;
        // A new file, so that it is nobody else's, and a whole one, so that nobody reads half of it.
        let part = path.with_added_extension(base16ct::lower::encode_string(&random));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)?;
        let written = (|| {
            file.try_lock()?;
            writeln!(file, "{address}")?;
            fs::rename(&part, &path)
        })();
        match written {
            Ok(()) => Ok(AddressFile { path, file }),
            Err(error) => {
                let _ = fs::remove_file(&part);
                Err(error)
            }
        }
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // Another keeper may have put its own there. What cannot be removed has no lock any more.
        let same = |own: fs::Metadata, found: fs::Metadata| {
            (own.dev(), own.ino()) == (found.dev(), found.ino())
        };
        if let (Ok(own), Ok(found)) = (self.file.metadata(), self.path.symlink_metadata())
            && same(own, found)
        {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn beside(ledger: &Path) -> PathBuf {
    ledger.with_added_extension("page")
}

/// Longer than any address of a page.
const LONGEST: u64 = 256;

fn read(ledger: &Path) -> Result<Zeroizing<String>, NoAddress> {
    let owner = ledger.metadata().map_err(NoAddress::NoLedger)?.uid();
    let file = match File::open(beside(ledger)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(NoAddress::NotRunning);
        }
        Err(error) => return Err(NoAddress::Unreadable(error)),
    };
    let metadata = file.metadata().map_err(NoAddress::Unreadable)?;
    // Where others can write to the folder, it could be theirs.
    if !metadata.is_file() || metadata.uid() != owner || metadata.mode() & 0o077 != 0 {
        return Err(NoAddress::NotTheKeepers);
    }
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {}
        Ok(()) => return Err(NoAddress::NotRunning),
        Err(TryLockError::Error(error)) => return Err(NoAddress::Unreadable(error)),
    }
    let mut address = Zeroizing::new(String::with_capacity(LONGEST as usize));
    let read = file.take(LONGEST).read_to_string(&mut address);
    read.map_err(NoAddress::Unreadable)?;
    match address.strip_suffix('\n') {
        Some(line) => Ok(Zeroizing::new(line.into())),
        None => Err(NoAddress::NotTheKeepers),
    }
}

/// There is no address to print.
#[derive(Debug)]
enum NoAddress {
    NoLedger(io::Error),
    NotRunning,
    NotTheKeepers,
    Unreadable(io::Error),
    Print(io::Error),
}

impl Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoAddress::NoLedger(_) => "cannot find the ledger",
            NoAddress::NotRunning => "no keeper with a page runs on this ledger",
            NoAddress::NotTheKeepers => "the file beside the ledger was not made by its keeper",
            NoAddress::Unreadable(_) => "cannot read the page's address",
            NoAddress::Print(_) => "cannot write to standard output",
        })
    }
}

impl Error for NoAddress {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            NoAddress::NoLedger(error) | NoAddress::Unreadable(error) | NoAddress::Print(error) => {
                Some(error)
            }
            NoAddress::NotRunning | NoAddress::NotTheKeepers => None,
        }
    }
}

impl Failure for NoAddress {
    fn exit(&self) -> Exit {
        match self {
            NoAddress::NotRunning => Exit::Unavailable,
            NoAddress::NotTheKeepers => Exit::Refused,
            NoAddress::NoLedger(error) | NoAddress::Unreadable(error) | NoAddress::Print(error) => {
                error.exit()
            }
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            NoAddress::NotRunning => "mcbn keeper run --page 127.0.0.1:0 opens one",
            NoAddress::NotTheKeepers => "find out who put it there, and start the keeper again",
            NoAddress::NoLedger(_) | NoAddress::Unreadable(_) | NoAddress::Print(_) => return None,
        };
        Some(hint.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use tempfile::TempDir;

    const URL: &str = "http://127.0.0.1:1/enter?token=x";

    fn folder() -> (TempDir, PathBuf) {
        let folder = TempDir::new().unwrap();
        let ledger = folder.path().join("ledger");
        fs::write(&ledger, "").unwrap();
        (folder, ledger)
    }

    #[test]
    fn an_address_is_read_while_its_keeper_runs_and_is_gone_after() {
        let (folder, ledger) = folder();
        assert!(matches!(read(&ledger), Err(NoAddress::NotRunning)));
        let file = AddressFile::write(&ledger, URL).unwrap();
        assert_eq!(file.path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(*read(&ledger).unwrap(), URL);
        drop(file);
        assert!(matches!(read(&ledger), Err(NoAddress::NotRunning)));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_address_that_was_left_behind_is_not_given() {
        let (_folder, ledger) = folder();
        let left = beside(&ledger);
        fs::write(&left, format!("{URL}\n")).unwrap();
        fs::set_permissions(&left, PermissionsExt::from_mode(0o600)).unwrap();
        assert!(matches!(read(&ledger), Err(NoAddress::NotRunning)));
        let _file = AddressFile::write(&ledger, URL).unwrap();
        assert_eq!(*read(&ledger).unwrap(), URL);
    }

    #[test]
    fn the_address_of_the_keeper_that_came_last_stays() {
        let (_folder, ledger) = folder();
        let first = AddressFile::write(&ledger, "http://127.0.0.1:1/").unwrap();
        let _second = AddressFile::write(&ledger, URL).unwrap();
        drop(first);
        assert_eq!(*read(&ledger).unwrap(), URL);
    }

    #[test]
    fn a_file_that_others_can_open_is_refused() {
        let (_folder, ledger) = folder();
        let file = AddressFile::write(&ledger, URL).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&file.path, PermissionsExt::from_mode(mode)).unwrap();
            assert!(matches!(read(&ledger), Err(NoAddress::NotTheKeepers)));
        }
    }

    #[test]
    fn a_link_in_its_place_is_replaced_and_not_followed() {
        let (folder, ledger) = folder();
        let other = folder.path().join("other");
        fs::write(&other, "mine").unwrap();
        std::os::unix::fs::symlink(&other, beside(&ledger)).unwrap();
        let _file = AddressFile::write(&ledger, URL).unwrap();
        assert_eq!(fs::read_to_string(other).unwrap(), "mine");
        assert_eq!(*read(&ledger).unwrap(), URL);
    }
}
