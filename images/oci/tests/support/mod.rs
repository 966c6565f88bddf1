//! A small image made from fixed inputs, and the command line called in this process.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod stored;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use mcbn_oci::blobs::blob_path;
use mcbn_oci::commands::{self, Failure};
use mcbn_oci::digest::Digest;
use mcbn_oci::image::Image;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const SETTINGS: &str = r#"{
    "name": "sample", "version": "1.2.3",
    "ports": ["8443/tcp", "8081/udp"],
    "settings": [
        {"name": "listen", "flag": "--listen", "variable": "SAMPLE_LISTEN", "operator": true},
        {"name": "backend", "flag": "--backend", "variable": "SAMPLE_BACKEND", "operator": true},
        {"name": "share", "flag": "--share", "variable": "SAMPLE_SHARES", "operator": false}
    ]
}"#;

/// A folder with the inputs of an image, and the images made from them.
pub struct Bench(TempDir);

impl Bench {
    pub fn new() -> Self {
        let bench = Self(TempDir::new().expect("a temporary folder can be made"));
        bench.put("program", b"#!not a real program\n\x00\x01\x02\x03");
        bench.put("settings.json", SETTINGS.as_bytes());
        bench.put(
            "roots.crt",
            b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
        );
        bench
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

    pub fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.path(name), content).expect("the temporary folder takes a file");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).expect("the file is there")
    }

    /// The arguments of `oci assemble` for the sample image.
    pub fn recipe(&self, out: &str) -> Vec<String> {
        let mut recipe = vec!["assemble".to_owned()];
        for (flag, value) in [
            ("--program", self.text("program")),
            ("--settings", self.text("settings.json")),
            ("--source", "https://source.example/sample".to_owned()),
            ("--licenses", "Apache-2.0".to_owned()),
            (
                "--file",
                format!(
                    "/etc/ssl/certs/ca-certificates.crt={}",
                    self.text("roots.crt")
                ),
            ),
            (
                "--env",
                "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt".to_owned(),
            ),
            ("--out", self.text(out)),
        ] {
            recipe.extend([flag.to_owned(), value]);
        }
        recipe
    }

    /// Makes the sample image as a layout.
    pub fn assemble(&self, out: &str) {
        oci(&self.recipe(out)).unwrap_or_else(|failure| panic!("{}", report(&failure)));
    }

    /// Makes the sample image as the layout `image` and the archive `image.tar`.
    pub fn assemble_and_archive(&self) {
        self.assemble("image");
        let (image, archive) = (self.text("image"), self.text("image.tar"));
        oci(&["archive", "--out", &archive, &image])
            .unwrap_or_else(|failure| panic!("{}", report(&failure)));
    }
}

pub fn oci<S: AsRef<str>>(arguments: &[S]) -> Result<String, Failure> {
    commands::run(
        arguments
            .iter()
            .map(|argument| OsString::from(argument.as_ref())),
    )
}

/// What a user sees on standard error.
pub fn report(failure: &Failure) -> String {
    failure.error.report("oci")
}

/// The failure of a command line that must fail.
pub fn refused<S: AsRef<str>>(arguments: &[S]) -> (u8, String) {
    match oci(arguments) {
        Ok(data) => panic!("not refused: {data}"),
        Err(failure) => (failure.error.exit_code(), report(&failure)),
    }
}

/// Every file under a folder, with its content.
pub fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let content = fs::read(&path).expect("the file can be read");
            found.push((path, content));
        }
    }
    found.sort();
    found
}

/// Puts a blob into `image` and gives its digest and size.
pub fn put_blob(bench: &Bench, content: &[u8]) -> (Value, Value) {
    let digest = Digest::of(content);
    let path = Path::new("image").join(blob_path(&digest));
    bench.put(path.to_str().unwrap(), content);
    (json!(digest), json!(content.len()))
}

/// Changes the index of the layout.
pub fn edit_index(bench: &Bench, change: impl FnOnce(&mut Value)) {
    let mut index: Value = serde_json::from_slice(&bench.read("image/index.json")).unwrap();
    change(&mut index);
    bench.put("image/index.json", index.to_string().as_bytes());
}

/// Changes the manifest and lets the index refer to the new one.
pub fn edit_manifest(bench: &Bench, image: &Image, change: impl FnOnce(&mut Value)) {
    let mut manifest: Value = serde_json::from_slice(&image.manifest_bytes).unwrap();
    change(&mut manifest);
    let (digest, size) = put_blob(bench, manifest.to_string().as_bytes());
    edit_index(bench, |index| {
        index["manifests"][0]["digest"] = digest;
        index["manifests"][0]["size"] = size;
    });
}

/// Changes the configuration, and manifest and index with it.
pub fn edit_config(bench: &Bench, image: &Image, change: impl FnOnce(&mut Value)) {
    let mut config: Value = serde_json::from_slice(&image.config_bytes).unwrap();
    change(&mut config);
    let (digest, size) = put_blob(bench, config.to_string().as_bytes());
    edit_manifest(bench, image, |manifest| {
        manifest["config"]["digest"] = digest;
        manifest["config"]["size"] = size;
    });
}
