//! What must hold of the pipeline, whoever edits it: two builds apart, compared, pushed by digest, tagged last.

use std::collections::BTreeSet;
use std::fmt;

use crate::pipeline::{Pipeline, Step, references};

const BUILD: &str = "images/release/build.sh";
const COMPARE: &str = "images/release/compare.sh";
const PUSH: &str = "images/release/push.sh";

/// A rule is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Some step runs in another image than the one that can be pinned by one substitution.
    OtherImage,
    /// The builder image has no version, or names itself `latest`.
    FloatingImage,
    /// The registry or the tag has a default: a release to nowhere in particular.
    DefaultTarget,
    /// There are not two builds, each in a folder of its own.
    NotTwoBuilds,
    /// The comparison is not of the two builds, or not right after them.
    NotCompared,
    /// The push is not of a compared build to the registry given, or not right after the comparison.
    NotPushed,
    /// Something but the last step knows the tag, or the last step does not.
    TagNotLast,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherImage => "a step runs in another image than ${_BUILDER}",
            Self::FloatingImage => "_BUILDER has no fixed version",
            Self::DefaultTarget => "_REGISTRY or _TAG has a default",
            Self::NotTwoBuilds => "there are not two builds, each in a folder of its own",
            Self::NotCompared => "the two builds are not compared right after they were made",
            Self::NotPushed => "it is not the compared build that is pushed, to _REGISTRY",
            Self::TagNotLast => "tags are not given by the last step alone",
        })
    }
}

impl std::error::Error for Broken {}

pub fn check(pipeline: &Pipeline) -> Result<(), Broken> {
    let demand = |holds, rule| if holds { Ok(()) } else { Err(rule) };
    let steps = &pipeline.steps;

    demand(
        steps.iter().all(|step| step.name == "${_BUILDER}"),
        Broken::OtherImage,
    )?;
    demand(
        pipeline
            .substitutions
            .get("_BUILDER")
            .is_some_and(|image| fixed(image)),
        Broken::FloatingImage,
    )?;
    demand(
        ["_REGISTRY", "_TAG"]
            .iter()
            .all(|name| !pipeline.substitutions.contains_key(*name)),
        Broken::DefaultTarget,
    )?;

    let is =
        |script: &'static str| move |step: &&Step| step.args.first().is_some_and(|a| a == script);
    let folders: Vec<&str> = steps
        .iter()
        .filter(is(BUILD))
        .flat_map(|step| &step.args[1..])
        .map(String::as_str)
        .collect();
    demand(
        folders.len() == 2 && folders.iter().collect::<BTreeSet<_>>().len() == 2,
        Broken::NotTwoBuilds,
    )?;

    let [.., second, compare, push, tag] = steps.as_slice() else {
        return Err(Broken::NotCompared);
    };
    demand(
        is(BUILD)(&second) && is(COMPARE)(&compare) && compare.args[1..] == folders,
        Broken::NotCompared,
    )?;
    demand(
        is(PUSH)(&push) && push.args[1..] == ["${_REGISTRY}", folders[0]],
        Broken::NotPushed,
    )?;
    let knows_tag: Vec<&Step> = steps
        .iter()
        .filter(|step| {
            let texts = step.args.iter().chain(&step.env);
            texts
                .flat_map(|text| references(text))
                .any(|name| name == "_TAG")
        })
        .collect();
    demand(
        is(PUSH)(&tag)
            && tag.args[1..] == ["${_REGISTRY}", folders[0], "${_TAG}"]
            && knows_tag.len() == 1,
        Broken::TagNotLast,
    )
}

/// Whether an image reference says which version is meant.
fn fixed(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(['@', ':']) {
        Some((_, version)) => !version.is_empty() && version != "latest",
        None => false,
    }
}
