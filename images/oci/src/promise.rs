//! What an image promises to who runs it, as lines: everything of it but digests, sizes and
//! contents. One such text a workload is committed and reviewed; a test holds the image to it.

use std::fmt::Write;

use crate::image::Image;

const HEADER: &str = "\
# What this image promises, apart from contents: those are pinned in digests.lock.
# `bazel run //images:update_digests` rewrites it, //images:<name>_test holds it.
";

/// The promise of `image`: one line a fact, in a fixed order.
pub fn promise(image: &Image) -> String {
    let runtime = &image.config.config;
    let mut text = HEADER.to_owned();
    let mut line = |key: &str, value: &dyn std::fmt::Display| {
        writeln!(text, "{key} {value}").expect("a String takes every write");
    };
    line("image", &image.name);
    line("platform", &image.platform());
    line("created", &image.config.created);
    for argument in &runtime.entrypoint {
        line("entrypoint", argument);
    }
    line("user", &runtime.user);
    line("directory", &runtime.working_dir);
    for port in runtime.exposed_ports.keys() {
        line("port", port);
    }
    for variable in &runtime.env {
        line("variable", variable);
    }
    for (key, value) in &runtime.labels {
        line("label", &format!("{key}={value}"));
    }
    for (key, value) in &image.manifest.annotations {
        line("annotation", &format!("{key}={value}"));
    }
    for entry in &image.entries {
        line("file", entry);
    }
    text
}
