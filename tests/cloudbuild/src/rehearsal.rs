//! Runs the steps of a pipeline in order, and watches the registry while it does.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::pipeline::{Pipeline, Step, Unmatched};
use crate::registry::Registry;

/// What a submission would say.
const PROJECT: &str = "project/images";
pub const TAG: &str = "v0.0.0-rehearsal";

const BROUGHT: [&str; 12] = [
    "PATH",
    "RUSTUP_HOME",
    "MCBN_RUST_TOOLCHAIN",
    "MCBN_DEBIAN_MIRROR",
    "CARGO_REGISTRY_DEFAULT",
    "CARGO_HTTP_PROXY",
    "PIP_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "SSL_CERT_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

pub struct Rehearsal {
    source: PathBuf,
    /// The builder image's home folder. It names no credentials, and the registry here asks for none.
    home: TempDir,
    pub registry: Registry,
}

impl Rehearsal {
    pub fn new(source: PathBuf) -> io::Result<Self> {
        let source = source.canonicalize()?;
        let registry = Registry::start()?;
        let home = TempDir::new()?;
        Ok(Self {
            source,
            home,
            registry,
        })
    }

    pub fn repository(&self) -> String {
        format!("{}/{PROJECT}", self.registry.address)
    }

    pub fn submit(&self, pipeline: &Pipeline) -> Result<Pipeline, Unmatched> {
        pipeline.submit(&BTreeMap::from([
            ("_REGISTRY".to_owned(), self.repository()),
            ("_TAG".to_owned(), TAG.to_owned()),
        ]))
    }

    /// As Cloud Build starts a step: in the source, with the image's variables and the step's own.
    pub fn command(&self, submitted: &Pipeline, step: &Step) -> Command {
        let mut command = Command::new(self.source.join(&step.args[0]));
        command
            .args(&step.args[1..])
            .current_dir(&self.source)
            .env_clear()
            .env("HOME", self.home.path());
        // What an image brings: its programs and its Rust. And how this machine reaches its mirrors.
        for name in BROUGHT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        for variable in submitted.options.env.iter().chain(&step.env) {
            let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
            command.env(name, value);
        }
        command
    }

    /// Runs a step, and sees to it that only the last one has made tags.
    pub fn run(&self, submitted: &Pipeline, step: &Step) -> Result<(), Box<dyn Error>> {
        let status = self.command(submitted, step).status()?;
        if !status.success() {
            return Err(format!("step {}: {status}", step.id).into());
        }
        let last = submitted
            .steps
            .last()
            .is_some_and(|last| last.id == step.id);
        let expected: &[&str] = if last { &[TAG] } else { &[] };
        for name in self.images()? {
            let tags = self.tags(&name)?;
            if tags != expected {
                return Err(format!("after step {} {name} has tags {tags:?}", step.id).into());
            }
        }
        Ok(())
    }

    /// The tags of an image, but for the one that stands in for the registry's missing list of referrers.
    pub fn tags(&self, image: &str) -> io::Result<Vec<String>> {
        let mut tags = self.registry.tags(&format!("{PROJECT}/{image}"))?;
        tags.retain(|tag| !tag.starts_with("sha256-"));
        Ok(tags)
    }

    fn images(&self) -> io::Result<Vec<String>> {
        let lock = fs::read_to_string(self.source.join("digests.lock"))?;
        Ok(lock
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split(' ').next().map(str::to_owned))
            .collect())
    }
}
