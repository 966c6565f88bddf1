//! Images to push, the program that pushes, and registries to push to: a real one, and one that
//! answers what a test says.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod fake;
pub mod real;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use mcbn_oci::commands;
use tempfile::TempDir;

/// Two images, `one` and `two`, their lock, and a bill of materials for each.
pub struct Bench(TempDir);

impl Bench {
    pub fn new() -> Self {
        let bench = Self(TempDir::new().expect("a temporary folder can be made"));
        fs::create_dir(bench.path("home")).unwrap();
        for name in ["one", "two"] {
            bench.assemble(name, &format!("#!the program {name}\n"));
            bench.put(
                &format!("{name}.cdx.json"),
                &format!(
                    r#"{{"bomFormat":"CycloneDX","metadata":{{"component":{{"name":"{name}"}}}}}}"#
                ),
            );
        }
        let layouts = [bench.text("one"), bench.text("two")];
        let lock = [
            "lock".to_owned(),
            "--out".to_owned(),
            bench.text("digests.lock"),
        ];
        bench.oci(&[&lock[..], &layouts].concat());
        bench
    }

    pub fn assemble(&self, name: &str, program: &str) {
        self.put("program", program);
        let settings = format!(r#"{{"name":"{name}","version":"1.2.3","ports":[],"settings":[]}}"#);
        self.put("settings.json", &settings);
        self.oci(&[
            "assemble".to_owned(),
            format!("--program={}", self.text("program")),
            format!("--settings={}", self.text("settings.json")),
            "--source=https://source.example".to_owned(),
            "--licenses=Apache-2.0".to_owned(),
            format!("--out={}", self.text(name)),
        ]);
    }

    fn oci(&self, arguments: &[String]) -> String {
        match commands::run(arguments.iter().map(Into::into)) {
            Ok(data) => data,
            Err(failure) => panic!("{}", failure.error),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name)
            .into_os_string()
            .into_string()
            .expect("a temporary path is Unicode")
    }

    pub fn put(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("the temporary folder takes a file");
    }

    pub fn digest(&self, name: &str) -> String {
        let facts: serde_json::Value =
            serde_json::from_str(&self.oci(&["facts".to_owned(), self.text(name)])).unwrap();
        facts["manifest_digest"].as_str().unwrap().to_owned()
    }

    /// Pushes image `one` and its bill, as user without any configuration but this bench's.
    pub fn push(&self, destination: &str, more: &[&str]) -> Pushed {
        self.push_images(&["one"], destination, more)
    }

    pub fn push_images(&self, names: &[&str], destination: &str, more: &[&str]) -> Pushed {
        let mut command = Command::new(env!("CARGO_BIN_EXE_oci-push"));
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("PATH", self.path("bin"));
        if self.path("ca.pem").exists() {
            command.env("SSL_CERT_FILE", self.path("ca.pem"));
        }
        command.arg("--lock").arg(self.path("digests.lock"));
        for name in names {
            command.arg("--image").arg(self.path(name));
            command
                .arg("--sbom")
                .arg(self.path(&format!("{name}.cdx.json")));
        }
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .args(more)
            .arg(destination)
            .output()
            .expect("oci-push starts");
        Pushed {
            code: status.code(),
            printed: String::from_utf8(stdout).unwrap(),
            said: String::from_utf8(stderr).unwrap(),
        }
    }

    /// Docker's configuration of this bench's user.
    pub fn configure(&self, json: &str) {
        fs::create_dir_all(self.path("home/.docker")).unwrap();
        self.put("home/.docker/config.json", json);
    }

    /// A program on the PATH of this bench's user.
    pub fn install(&self, name: &str, script: &str) {
        use std::os::unix::fs::PermissionsExt;
        fs::create_dir_all(self.path("bin")).unwrap();
        let path = format!("bin/{name}");
        self.put(&path, script);
        fs::set_permissions(self.path(&path), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[derive(Debug)]
pub struct Pushed {
    pub code: Option<i32>,
    pub printed: String,
    pub said: String,
}

impl Pushed {
    /// How many blobs and manifests were sent.
    pub fn uploads(&self) -> usize {
        assert_eq!(self.code, Some(0), "{}", self.said);
        let last = self.said.lines().last().unwrap();
        let count = last
            .strip_prefix("oci-push: ")
            .and_then(|l| l.strip_suffix(" uploads"));
        count.expect("the last line counts").parse().unwrap()
    }

    /// The error and hint of a push that must fail with this exit code.
    pub fn refused(&self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}", self.said);
        assert_eq!(self.printed, "");
        let from = self
            .said
            .find("oci-push: error: ")
            .expect("an error is reported");
        self.said[from..].to_owned()
    }
}
