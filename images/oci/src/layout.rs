//! Images on disk: an OCI layout directory, or the same layout as one tar file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use serde_json::json;
use tar::EntryType;

use crate::blobs::{Files, LARGEST_LAYERS, blob_path, bounded};
use crate::digest::Digest;
use crate::fault::{Fault, Unreadable};
use crate::image::Image;
use crate::spec;
use crate::stored::Stored;
use crate::tree::{Mode, Tree};

/// Of an archive, in bytes: its list of members is held.
const LARGEST_ARCHIVE: u64 = 2 * LARGEST_LAYERS;

/// Reads the image at `path`, which is in this project's own form: a layout directory as
/// [`write`] makes it, or an archive as [`archive`] does.
pub fn open(path: &Path) -> Result<Image, Unreadable> {
    Image::read(&*files(path)?)
}

/// Reads the image at `path` as any tool may have stored it: the one of digest `wanted`, else the
/// only one there.
pub fn open_any(path: &Path, wanted: Option<Digest>) -> Result<Stored, Unreadable> {
    Stored::read(&*files(path)?, wanted)
}

fn files(path: &Path) -> Result<Box<dyn Files>, Unreadable> {
    Ok(if path.is_dir() {
        Box::new(Directory(path.to_owned()))
    } else {
        Box::new(Archive::open(path)?)
    })
}

struct Directory(PathBuf);

impl Files for Directory {
    /// Follows links, of which build sandboxes are made. A link cannot bring in what its digest
    /// does not name, and one to a device or pipe is not read.
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unreadable> {
        let full = self.0.join(path);
        match fs::metadata(&full) {
            Ok(found) if !found.is_file() => Err(Fault::NotAFile(path.to_owned()).into()),
            Ok(_) => bounded(File::open(&full)?, path, limit).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// A tar file that is read in place: nothing of it is unpacked.
struct Archive {
    file: File,
    /// Where each file's content begins, and its size.
    members: BTreeMap<String, (u64, u64)>,
}

impl Archive {
    fn open(path: &Path) -> Result<Self, Unreadable> {
        let found = fs::metadata(path)?;
        if !found.is_file() {
            return Err(Fault::NotAFile(path.display().to_string()).into());
        }
        if found.len() > LARGEST_ARCHIVE {
            let (what, limit) = ("archive".to_owned(), LARGEST_ARCHIVE);
            return Err(Fault::TooLarge { what, limit }.into());
        }
        let file = File::open(path)?;
        let mut members = BTreeMap::new();
        let mut tar = tar::Archive::new(&file);
        for member in tar.entries_with_seek().map_err(Fault::Archive)? {
            let member = member.map_err(Fault::Archive)?;
            let path = clean(&member.path_bytes())?;
            match member.header().entry_type() {
                EntryType::Regular => {
                    let place = (member.raw_file_position(), member.size());
                    if members.insert(path.clone(), place).is_some() {
                        return Err(Fault::Twice(path).into());
                    }
                }
                EntryType::Directory | EntryType::XGlobalHeader => {}
                _ => return Err(Fault::NotAFile(path).into()),
            }
        }
        Ok(Self { file, members })
    }
}

impl Files for Archive {
    fn get(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some((start, size)) = self.members.get(path) else {
            return Ok(None);
        };
        let mut file = &self.file;
        file.seek(SeekFrom::Start(*start))?;
        bounded(file.take(*size), path, limit).map(Some)
    }
}

/// A member's path without `./`, as the layout calls it.
fn clean(path: &[u8]) -> Result<String, Fault> {
    let outside = || Fault::Outside(String::from_utf8_lossy(path).into_owned());
    let text = std::str::from_utf8(path).map_err(|_| outside())?;
    let mut parts = Vec::new();
    for part in Path::new(text).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => parts.push(name.to_str().expect("a part of Unicode")),
            _ => return Err(outside()),
        }
    }
    Ok(parts.join("/"))
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
