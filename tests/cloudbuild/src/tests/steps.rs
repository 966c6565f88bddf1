//! The scripts of the steps after the builds, against a real registry.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use mcbn_oci::commands;
use tempfile::TempDir;

use super::{source, text};
use crate::pipeline::Pipeline;
use crate::rehearsal::{Rehearsal, TAG};

const BUILDS: [&str; 2] = [".release/first", ".release/the-second-one"];
const IMAGES: [&str; 2] = ["one-image", "other"];
const NO_TAGS: [&str; 0] = [];

/// The program that pushes: Bazel says where it is, cargo builds it beside this one.
fn oci_push() -> PathBuf {
    let built = match std::env::var_os("OCI_PUSH") {
        Some(path) => path.into(),
        None => std::env::current_exe()
            .unwrap()
            .with_file_name("../oci-push"),
    };
    built
        .canonicalize()
        .expect("`cargo build -p mcbn-push` makes the program that pushes")
}

/// A source with the real scripts, and two builds of two small images that its digests.lock names.
struct Stage {
    folder: TempDir,
    rehearsal: Rehearsal,
}

impl Stage {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let release = folder.path().join("images/release");
        fs::create_dir_all(&release).unwrap();
        for entry in fs::read_dir(source().join("images/release")).unwrap() {
            let entry = entry.unwrap();
            fs::copy(entry.path(), release.join(entry.file_name())).unwrap();
        }
        let rehearsal = Rehearsal::new(folder.path().to_owned()).unwrap();
        let stage = Self { folder, rehearsal };
        for build in BUILDS {
            let build = stage.path(build);
            for name in IMAGES {
                stage.make_image(&build, name, "program");
            }
            fs::copy(oci_push(), build.join("oci-push")).unwrap();
        }
        stage.lock();
        stage
    }

    fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// An image and its bill of materials, in place of what was there.
    fn make_image(&self, build: &Path, name: &str, program: &str) {
        let out = build.join("out");
        let layout = out.join(name);
        let _ = fs::remove_dir_all(&layout);
        fs::create_dir_all(&out).unwrap();
        let bill = format!(
            r#"{{"bomFormat":"CycloneDX","metadata":{{"component":{{"name":"{name}"}}}}}}"#
        );
        fs::write(out.join(format!("{name}.cdx.json")), bill).unwrap();
        fs::write(self.path("program"), program).unwrap();
        let settings = format!(r#"{{"name":"{name}","version":"1.0.0","ports":[],"settings":[]}}"#);
        fs::write(self.path("settings.json"), settings).unwrap();
        oci(&[
            "assemble",
            "--source=https://source.example",
            "--licenses=Apache-2.0",
            &format!("--program={}", self.path("program").display()),
            &format!("--settings={}", self.path("settings.json").display()),
            &format!("--out={}", layout.display()),
        ]);
    }

    /// Makes digests.lock of the first build.
    fn lock(&self) {
        let out = self.path(BUILDS[0]).join("out");
        let layouts = IMAGES.map(|name| out.join(name).display().to_string());
        let lock = self.path("digests.lock").display().to_string();
        oci(&["lock", "--out", &lock, &layouts[0], &layouts[1]]);
    }

    fn append(&self, path: &str) {
        let path = self.path(path);
        let mut bytes = fs::read(&path).unwrap();
        bytes.push(b' ');
        fs::write(path, bytes).unwrap();
    }

    fn run(&self, id: &str) -> Output {
        self.run_changed(id, |_| ())
    }

    fn run_changed(&self, id: &str, change: impl Fn(&mut Vec<String>)) -> Output {
        let pipeline = Pipeline::parse(&text()).unwrap();
        let submitted = self.rehearsal.submit(&pipeline).unwrap();
        let step = submitted.steps.iter().find(|step| step.id == id);
        let mut step = step.unwrap().clone();
        change(&mut step.args);
        self.rehearsal.command(&submitted, &step).output().unwrap()
    }

    fn succeed(&self, id: &str) -> String {
        let output = self.run(id);
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{id}: {why}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The first image's tags: it is the first to be pushed.
    fn tags(&self) -> Vec<String> {
        self.rehearsal.tags(IMAGES[0]).unwrap()
    }
}

fn oci(arguments: &[&str]) {
    if let Err(failure) = commands::run(arguments.iter().map(Into::into)) {
        panic!("{}", failure.error);
    }
}

#[track_caller]
fn assert_refused(output: &Output, reason: &str) {
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "not refused");
    assert!(why.contains(reason), "refused for another reason: {why}");
}

#[test]
fn compared_builds_are_pushed_by_digest_and_tagged_last() {
    let stage = Stage::new();
    stage.succeed("compare");
    let pushed = stage.succeed("push");
    for name in IMAGES {
        let reference = format!("{}/{name}@sha256:", stage.rehearsal.repository());
        assert!(pushed.contains(&reference), "{pushed}");
        assert_eq!(stage.rehearsal.tags(name).unwrap(), NO_TAGS);
    }
    assert_eq!(stage.succeed("tag"), pushed);
    for name in IMAGES {
        assert_eq!(stage.rehearsal.tags(name).unwrap(), [TAG]);
    }
    // A second run of a release that changed nothing ends well too.
    assert_eq!(stage.succeed("push"), pushed);
    assert_eq!(stage.succeed("tag"), pushed);
}

#[test]
fn builds_that_differ_in_one_byte_are_refused() {
    let stage = Stage::new();
    stage.append(".release/first/out/other.cdx.json");
    assert_refused(&stage.run("compare"), "the two builds differ");
}

#[test]
fn builds_that_agree_but_not_with_the_lock_are_refused() {
    let stage = Stage::new();
    for build in BUILDS {
        stage.make_image(&stage.path(build), IMAGES[1], "another program");
    }
    assert_refused(
        &stage.run("compare"),
        "other: the builds agree, but not with digests.lock",
    );
    assert_refused(&stage.run("push"), "other");
    assert_eq!(stage.tags(), NO_TAGS);
}

#[test]
fn builds_that_are_damaged_in_the_same_way_are_refused() {
    let stage = Stage::new();
    let index = fs::read_to_string(stage.path(".release/first/out/other/index.json")).unwrap();
    let (_, rest) = index.split_once("sha256:").unwrap();
    for build in BUILDS {
        stage.append(&format!("{build}/out/other/blobs/sha256/{}", &rest[..64]));
    }
    assert_refused(
        &stage.run("compare"),
        "other: the builds agree, but not with digests.lock",
    );
    assert_refused(&stage.run("push"), "other");
    assert_eq!(stage.tags(), NO_TAGS);
}

#[test]
fn an_image_that_the_lock_does_not_name_is_refused() {
    let stage = Stage::new();
    for build in BUILDS {
        fs::write(stage.path(build).join("out/third"), "").unwrap();
    }
    assert_refused(
        &stage.run("compare"),
        "other images than digests.lock names",
    );
}

#[test]
fn one_build_given_twice_is_refused() {
    let stage = Stage::new();
    let output = stage.run_changed("compare", |args| args[2] = args[1].clone());
    assert_refused(&output, "is one build, not two");
}

#[test]
fn a_lock_that_names_no_image_is_refused() {
    let stage = Stage::new();
    fs::write(stage.path("digests.lock"), "# nothing\n").unwrap();
    for id in ["build-first", "compare", "push", "tag"] {
        assert_refused(&stage.run(id), "names no image");
    }
}

#[test]
fn a_tag_that_says_nothing_is_refused() {
    let stage = Stage::new();
    for (tag, reason) in [
        ("latest", "is not a version"),
        ("", "is empty"),
        ("a b", "--tag"),
    ] {
        let output = stage.run_changed("tag", |args| args[3] = tag.to_owned());
        assert_refused(&output, reason);
    }
    assert_eq!(stage.tags(), NO_TAGS);
}

#[test]
fn a_build_in_a_folder_that_was_built_in_is_refused() {
    let stage = Stage::new();
    assert_refused(&stage.run("build-first"), "would not be cold");
}

#[test]
fn a_build_outside_the_source_is_refused() {
    let stage = Stage::new();
    let elsewhere = TempDir::new().unwrap();
    let folder = elsewhere.path().join("first").display().to_string();
    let output = stage.run_changed("build-first", |args| args[1] = folder.clone());
    assert_refused(&output, "does not lie in");
}
