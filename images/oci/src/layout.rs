//! Images on disk: an OCI layout directory, or the same layout as one tar file.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::image::{Files, Image, Unreadable, blob_path};
use crate::spec;
use crate::tree::{self, Kind, Mode, Tree};

/// Reads the image at `path`, a layout directory or an archive made by [`archive`].
pub fn open(path: &Path) -> Result<Image, Unreadable> {
    if path.is_dir() {
        return Image::read(&Directory(path.to_owned()));
    }
    let members = tree::read(&fs::read(path)?)?;
    let files: BTreeMap<String, Vec<u8>> = members
        .into_iter()
        .filter(|member| member.kind == Kind::File)
        .map(|member| (member.path, member.content))
        .collect();
    Image::read(&files)
}

struct Directory(PathBuf);

impl Files for Directory {
    fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(path)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Writes a layout directory. An existing directory must be empty: a blob left from before would
/// look as if it belonged to the image.
pub fn write(image: &Image, directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    if fs::read_dir(directory)?.next().is_some() {
        return Err(io::Error::new(
            io::ErrorKind::DirectoryNotEmpty,
            "the directory is not empty",
        ));
    }
    for (path, content) in image.files() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("joined to a directory"))?;
        fs::File::create_new(path)?.write_all(content)?;
    }
    Ok(())
}

/// The layout as one tar file that `skopeo`, `podman load`, `docker load` and `ctr` take.
///
/// `manifest.json` is what Docker's own image store and `docker-archive:` readers look for; it
/// names the same blobs, so the image has the same ID. Docker's containerd store reads the index
/// instead, and a name there in its full form; in the layout that name would be noise.
pub fn archive(image: &Image) -> Vec<u8> {
    // Keys in alphabetical order: the text is then the same whether or not some crate of the
    // build turns on serde_json's `preserve_order`.
    let docker = json!([{
        "Config": blob_path(&image.config_digest()),
        "Layers": [blob_path(&image.layer_digest())],
        "RepoTags": [format!("{}:latest", image.name)],
    }]);
    let full_name = format!("docker.io/library/{}:latest", image.name);
    let names = [
        (spec::REF_NAME, image.name.as_str()),
        (spec::CONTAINERD_NAME, &full_name),
    ];
    let mut tree = Tree::default();
    let mut add = |path: &str, content: Vec<u8>| {
        tree.add(&format!("/{path}"), Mode::Data, content)
            .expect("a layout's paths are clean");
    };
    for (path, content) in image.files() {
        if path != "index.json" {
            add(&path, content.to_vec());
        }
    }
    add("index.json", Image::index(&image.manifest_bytes, &names));
    add("manifest.json", docker.to_string().into_bytes());
    tree.to_tar()
}
