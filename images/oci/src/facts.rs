//! The numbers by which an image is known.

use serde::Serialize;

use crate::digest::Digest;
use crate::fault::Fault;
use crate::image::Image;

/// What a reader of an attestation token, a registry or a lock needs to compare.
#[derive(Serialize)]
pub struct Facts {
    pub image: String,
    pub platform: String,
    /// `image_digest` in a token, when the image was referenced as it is pushed: by manifest.
    pub manifest_digest: Digest,
    /// The digest of the layout's own `index.json`. It is not pushed, so no token holds it.
    pub index_digest: Digest,
    /// `image_id` in a token.
    pub config_digest: Digest,
    /// The unfolded layer.
    pub diff_id: Digest,
    /// Of the layer as stored and sent, in bytes.
    pub compressed_size: u64,
    pub uncompressed_size: u64,
    pub program: String,
    pub program_sha256: Digest,
}

impl Facts {
    pub fn of(image: &Image) -> Result<Self, Fault> {
        let program = image.program()?;
        Ok(Self {
            image: image.name.to_string(),
            platform: image.platform().to_string(),
            manifest_digest: image.manifest_digest(),
            index_digest: Digest::of(&image.index_bytes),
            config_digest: image.config_digest(),
            diff_id: image.diff_id(),
            compressed_size: image.layer.len() as u64,
            uncompressed_size: image.tar.len() as u64,
            program: format!("/{}", program.path),
            program_sha256: Digest::of(&program.content),
        })
    }
}
