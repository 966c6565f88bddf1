//! From a program and what it says about itself to an image.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::gzip;
use crate::image::Image;
use crate::launch_policy::{self, LogRedirect};
use crate::settings::Settings;
use crate::spec::{self, Config, Descriptor, Manifest, Nothing, Platform, RootFs, Runtime};
use crate::tree::{self, Misplaced, Mode, Tree};

/// The unprivileged user that every image runs as; the number is the one that distroless made
/// customary for `nonroot`.
const USER: u32 = 65532;

/// Everything that decides an image's digest.
pub struct Recipe {
    pub settings: Settings,
    pub program: Vec<u8>,
    /// Absolute path and content, mode 0644.
    pub files: Vec<(String, Vec<u8>)>,
    /// `NAME=value`, in the order given; measured into the attested state.
    pub env: Vec<String>,
    pub source: String,
    pub licenses: String,
    pub log_redirect: LogRedirect,
}

/// The image that `recipe` describes: the same recipe gives the same bytes.
pub fn assemble(recipe: Recipe) -> Result<Image, Misplaced> {
    let Recipe {
        settings,
        program,
        files,
        env,
        source,
        licenses,
        log_redirect,
    } = recipe;
    let program_path = format!("/{}", settings.name);

    let mut tree = Tree::default();
    tree.add(&program_path, Mode::Program, program)?;
    // Only the user that runs is listed. There is no shell to log in with, and no home.
    let passwd = format!("nonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin\n");
    let group = format!("nonroot:x:{USER}:\n");
    tree.add("/etc/passwd", Mode::Data, passwd.into_bytes())?;
    tree.add("/etc/group", Mode::Data, group.into_bytes())?;
    for (path, content) in files {
        tree.add(&path, Mode::Data, content)?;
    }
    let tar = tree.to_tar();
    let layer = gzip::compress(&tar);

    // No revision and no time: both would change the digest of an unchanged image.
    let about = BTreeMap::from([
        ("org.opencontainers.image.licenses".to_owned(), licenses),
        ("org.opencontainers.image.source".to_owned(), source),
        (
            "org.opencontainers.image.title".to_owned(),
            settings.name.to_string(),
        ),
        (
            "org.opencontainers.image.version".to_owned(),
            settings.version.clone(),
        ),
    ]);
    // Registries read the manifest's annotations, `docker inspect` reads labels.
    let mut labels = about.clone();
    labels.extend(launch_policy::labels(&settings, log_redirect));

    let platform = Platform::linux_amd64();
    let config = Config {
        created: spec::EPOCH.to_owned(),
        architecture: platform.architecture,
        os: platform.os,
        config: Runtime {
            user: format!("{USER}:{USER}"),
            exposed_ports: settings
                .ports
                .iter()
                .map(|port| (port.to_string(), Nothing {}))
                .collect(),
            env,
            entrypoint: vec![program_path],
            working_dir: "/".to_owned(),
            labels,
        },
        rootfs: RootFs {
            kind: "layers".to_owned(),
            diff_ids: vec![Digest::of(&tar)],
        },
    };
    let config_bytes = serde_json::to_vec(&config).expect("strings and maps become JSON");
    let manifest = Manifest {
        schema_version: 2,
        media_type: spec::MANIFEST.to_owned(),
        artifact_type: None,
        config: Descriptor::of(spec::CONFIG, &config_bytes),
        layers: vec![Descriptor::of(spec::LAYER, &layer)],
        subject: None,
        annotations: about,
    };
    let manifest_bytes = serde_json::to_vec(&manifest).expect("strings and maps become JSON");
    let entries = tree::read(&tar).expect("a tree writes a tar that it can read");
    let index_bytes = Image::index(&manifest_bytes, &[(spec::REF_NAME, settings.name.as_str())]);
    Ok(Image {
        name: settings.name,
        index_bytes,
        manifest,
        manifest_bytes,
        config,
        config_bytes,
        layer,
        tar,
        entries,
    })
}
