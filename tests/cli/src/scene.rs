//! Scenarios that every program with a key of shares tells alike.

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::process::{Ended, contains};
use mcbn_tests_support::shares::PUBLISHED;

use crate::Transcript;

pub const USAGE: i32 = 64;
pub const UNAVAILABLE: i32 = 69;
pub const IO: i32 = 74;
pub const REFUSED: i32 = 77;

/// The programs, with what else they need.
pub const PROGRAMS: [(&str, &[&str]); 6] = [
    ("detrsa-mtls", &["--role=server", "--listen=127.0.0.1:0"]),
    ("dtls-client", &["--server=127.0.0.1:9", "--send=text"]),
    ("dtls-server", &["--listen=127.0.0.1:0"]),
    ("psk-client", &["--server=127.0.0.1:9", "--get=/"]),
    ("psk-server", &["--listen=127.0.0.1:0"]),
    ("tpm-psk", &["--role=server", "--listen=127.0.0.1:0"]),
];

/// Has each program tell the scenario.
pub fn each(scenario: &'static str, tell: impl Fn(&mut Scene)) {
    for (program, needed) in PROGRAMS {
        let mut scene = Scene {
            transcript: Transcript::new(program, scenario),
            needed,
        };
        tell(&mut scene);
        scene.transcript.check();
    }
}

/// One program in a scenario.
pub struct Scene {
    transcript: Transcript,
    needed: &'static [&'static str],
}

impl Scene {
    pub fn folder(&self) -> &Folder {
        self.transcript.folder()
    }

    /// A file of mode 0400.
    pub fn file(&self, name: &str, content: &str) {
        self.folder().file(name, content);
    }

    /// Runs the program, which ends with this code, gives nothing and shows no share.
    #[track_caller]
    pub fn refuses(&mut self, arguments: &[&str], code: i32) -> Ended {
        let all = [self.needed, arguments].concat();
        let ended = self.transcript.run(&[], &all);
        ended.expect_code(code);
        assert_eq!(ended.stdout(), "");
        for (_, share) in PUBLISHED {
            assert!(!contains(&ended.stderr, &share.as_bytes()[..8]), "{ended}");
        }
        ended
    }
}
