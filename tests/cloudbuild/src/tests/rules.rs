//! The file keeps every rule, and each rule refuses its twin.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{source, text};
use crate::pipeline::Pipeline;
use crate::rules::{Broken, check};

fn checked(text: &str) -> Result<(), Broken> {
    check(&Pipeline::parse(text).unwrap())
}

/// The file, with one thing in it changed.
fn with(from: &str, to: &str) -> String {
    let text = text();
    assert!(text.contains(from), "{from:?} is not in cloudbuild.yaml");
    text.replacen(from, to, 1)
}

/// The text of one step.
fn step(id: &str) -> String {
    let text = text();
    let begin = text.find(&format!("- id: {id}\n")).unwrap();
    let end = text[begin..].find("\n\n").unwrap() + 2;
    text[begin..][..end].to_owned()
}

#[test]
fn the_file_keeps_every_rule() {
    assert_eq!(checked(&text()), Ok(()));
}

#[test]
fn every_script_is_there_and_can_be_run() {
    for step in Pipeline::parse(&text()).unwrap().steps {
        let script = source().join(&step.args[0]);
        let mode = fs::metadata(&script).unwrap().permissions().mode();
        assert_ne!(mode & 0o111, 0, "{} cannot be run", script.display());
    }
}

#[test]
fn fields_that_push_tags_reorder_steps_or_bring_secrets_are_refused() {
    for field in [
        "images: [a]",
        "artifacts: {}",
        "secrets: []",
        "availableSecrets: {}",
    ] {
        assert!(
            Pipeline::parse(&format!("{}\n{field}\n", text())).is_err(),
            "{field}"
        );
    }
    for field in [
        "waitFor: ['-']",
        "secretEnv: [A]",
        "script: tag",
        "allowFailure: true",
    ] {
        let changed = with("- id: push\n", &format!("- id: push\n  {field}\n"));
        assert!(Pipeline::parse(&changed).is_err(), "{field}");
    }
}

#[test]
fn another_image_is_refused() {
    let changed = with(
        "- id: push\n  name: ${_BUILDER}",
        "- id: push\n  name: other",
    );
    assert_eq!(checked(&changed), Err(Broken::OtherImage));
}

#[test]
fn an_image_without_a_version_is_refused() {
    let given = Pipeline::parse(&text()).unwrap().substitutions["_BUILDER"].clone();
    for floating in [
        "rust",
        "rust:latest",
        "localhost:5000/rust",
        "localhost:5000/rust:latest",
    ] {
        let changed = with(
            &format!("_BUILDER: {given}"),
            &format!("_BUILDER: {floating}"),
        );
        assert_eq!(checked(&changed), Err(Broken::FloatingImage), "{floating}");
    }
    for fixed in ["rust@sha256:00", "localhost:5000/rust:1.95"] {
        let changed = with(&format!("_BUILDER: {given}"), &format!("_BUILDER: {fixed}"));
        assert_eq!(checked(&changed), Ok(()), "{fixed}");
    }
}

#[test]
fn a_default_for_where_a_release_goes_is_refused() {
    for default in ["_REGISTRY: a", "_TAG: v1"] {
        let changed = with(
            "substitutions:\n",
            &format!("substitutions:\n  {default}\n"),
        );
        assert_eq!(checked(&changed), Err(Broken::DefaultTarget), "{default}");
    }
}

#[test]
fn fewer_than_two_builds_apart_are_refused() {
    assert_eq!(
        checked(&with(&step("build-first"), "")),
        Err(Broken::NotTwoBuilds)
    );
    let changed = with(
        "build.sh, .release/the-second-one",
        "build.sh, .release/first",
    );
    assert_eq!(checked(&changed), Err(Broken::NotTwoBuilds));
}

#[test]
fn builds_that_are_not_compared_are_refused() {
    assert_eq!(
        checked(&with(&step("compare"), "")),
        Err(Broken::NotCompared)
    );
    let changed = with(
        "compare.sh, .release/first",
        "compare.sh, .release/the-second-one",
    );
    assert_eq!(checked(&changed), Err(Broken::NotCompared));
    let late = with(&step("build-second"), "")
        .replace(&step("push"), &(step("build-second") + &step("push")));
    assert_eq!(checked(&late), Err(Broken::NotCompared));
}

#[test]
fn a_push_of_what_was_not_compared_is_refused() {
    let changed = with(
        "\"${_REGISTRY}\", .release/first",
        "\"${_REGISTRY}\", .release/third",
    );
    assert_eq!(checked(&changed), Err(Broken::NotPushed));
    let early =
        with(&step("compare"), "").replace(&step("push"), &(step("push") + &step("compare")));
    assert_eq!(checked(&early), Err(Broken::NotCompared));
}

#[test]
fn a_tag_before_the_last_step_is_refused() {
    let changed = with(
        "  env:\n  - MCBN_BUILDER_HOSTNAME",
        "  env:\n  - TAG=$_TAG\n  - MCBN_BUILDER_HOSTNAME",
    );
    assert_eq!(checked(&changed), Err(Broken::TagNotLast));
    let changed = with("\"${_TAG}\"", "fixed");
    assert_eq!(checked(&changed), Err(Broken::TagNotLast));
}

#[test]
fn substitutions_must_match_as_in_cloud_build() {
    let pipeline = Pipeline::parse(&text()).unwrap();
    let given = |names: &[&str]| {
        names
            .iter()
            .map(|name| (name.to_string(), "v".to_owned()))
            .collect()
    };
    assert!(pipeline.submit(&given(&["_REGISTRY", "_TAG"])).is_ok());
    assert!(pipeline.submit(&given(&["_REGISTRY"])).is_err());
    assert!(
        pipeline
            .submit(&given(&["_REGISTRY", "_TAG", "_OTHER"]))
            .is_err()
    );
    let dollar = Pipeline::parse(&with("TZ=Pacific/Chatham", "TZ=$$TZ")).unwrap();
    let submitted = dollar.submit(&given(&["_REGISTRY", "_TAG"])).unwrap();
    assert!(
        submitted
            .steps
            .iter()
            .any(|step| step.env.contains(&"TZ=$TZ".to_owned()))
    );
}
