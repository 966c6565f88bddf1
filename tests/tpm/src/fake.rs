//! Something on a socket that is no TPM, or a bad one.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use mcbn_tests_support::folder::Folder;
use mcbn_tpm::Tcti;

use crate::shared::each;

const SOCKET: &str = "tpm";

/// It listens until the program ends.
pub struct Fake(Folder);

impl Fake {
    /// What it does with each connection.
    pub fn that(serves: impl Fn(UnixStream) + Send + Sync + 'static) -> Self {
        let folder = Folder::for_a_socket(SOCKET);
        let listener = UnixListener::bind(folder.path().join(SOCKET));
        each(listener.expect("the folder is ours"), serves);
        Self(folder)
    }

    /// It gives the same answer to each command.
    pub fn that_says(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::that(move |mut stream| {
            let mut command = [0; 4096];
            while let Ok(1..) = stream.read(&mut command) {
                if stream.write_all(&answer).is_err() {
                    return;
                }
            }
        })
    }

    pub fn tcti(&self) -> Tcti {
        let path = self.0.path().join(SOCKET);
        let words = format!("swtpm:path={}", path.display());
        words.parse().expect("it is swtpm's")
    }
}
