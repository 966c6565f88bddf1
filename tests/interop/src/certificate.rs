//! A certificate, for peers that come with one instead of the key.

use std::path::PathBuf;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;

/// A self-signed certificate for `localhost` and its private key, made for one test.
pub struct Certificate {
    folder: Folder,
}

impl Certificate {
    #[expect(clippy::new_without_default, reason = "it makes files on disk")]
    pub fn new() -> Self {
        let folder = Folder::new();
        let mut command = peer("openssl");
        command
            .current_dir(folder.path())
            .args(["req", "-x509", "-newkey", "ed25519", "-nodes"])
            .args(["-subj", "/CN=localhost", "-days", "2"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"]);
        Process::start(command).end().expect_code(0);
        Self { folder }
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("certificate.pem")
    }

    /// `-cert … -key …`, as `openssl` takes them.
    pub fn flags(&self) -> [String; 4] {
        let path = |name| self.folder.path().join(name).display().to_string();
        [
            "-cert".into(),
            path("certificate.pem"),
            "-key".into(),
            path("key.pem"),
        ]
    }
}
