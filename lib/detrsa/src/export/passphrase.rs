//! What encrypts a PKCS#12 file. It comes from a file or a descriptor, never from a flag or a variable: other processes
//! see those.

use std::fmt;
use std::fs::File;
use std::io::Read;
use zeroize::Zeroizing;

const MIN: usize = 8;
const MAX: usize = 256;

/// 8 to 256 bytes of text.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The file's text, without the end of its one line.
    pub fn read(mut file: File) -> Result<Passphrase, NotAPassphrase> {
        // Longer than any that is taken, so that it never moves.
        let mut bytes = Zeroizing::new(vec![0; MAX + 2]);
        let mut length = 0;
        while length < bytes.len() {
            match file.read(&mut bytes[length..]) {
                Ok(0) => break,
                Ok(read) => length += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return Err(NotAPassphrase::Unreadable),
            }
        }
        let text = str::from_utf8(&bytes[..length]).map_err(|_| NotAPassphrase::Form)?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        if !(MIN..=MAX).contains(&line.len()) || line.contains(char::is_control) {
            return Err(NotAPassphrase::Form);
        }
        Ok(Passphrase(Zeroizing::new(line.to_owned())))
    }

    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(..)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAPassphrase {
    Unreadable,
    Form,
}

impl fmt::Display for NotAPassphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAPassphrase::Unreadable => "the passphrase cannot be read",
            NotAPassphrase::Form => "the passphrase is not one line of 8 to 256 bytes",
        })
    }
}

impl std::error::Error for NotAPassphrase {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    fn read(text: &[u8]) -> Result<String, NotAPassphrase> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        file.rewind().unwrap();
        Passphrase::read(file).map(|passphrase| passphrase.expose_secret().to_owned())
    }

    #[test]
    fn one_line_is_read() {
        assert_eq!(read(b"eight or more\n"), Ok("eight or more".to_owned()));
        assert_eq!(
            read("zwölf Boxkämpfer".as_bytes()),
            Ok("zwölf Boxkämpfer".to_owned())
        );
        assert_eq!(read(&[b'x'; 256]), Ok("x".repeat(256)));
    }

    #[test]
    fn another_form_is_refused() {
        for text in [
            &b""[..],
            b"\n",
            b"seven77",
            b"two\nlines here\n",
            b"ends twice\n\n",
            b"carriage\r\n",
            b"\xff not text",
            &[b'x'; 257],
            &[b'x'; 1000],
        ] {
            assert_eq!(read(text), Err(NotAPassphrase::Form), "{text:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused() {
        let folder = File::open("/").unwrap();
        assert_eq!(
            Passphrase::read(folder).map(|_| ()),
            Err(NotAPassphrase::Unreadable)
        );
    }

    #[test]
    fn it_is_not_shown() {
        let passphrase = Passphrase(Zeroizing::new("correct horse".to_owned()));
        assert_eq!(format!("{passphrase:?}"), "Passphrase(..)");
    }
}
