//! The published sample shares, as files, and the keys that they make.

use std::path::PathBuf;

use crate::folder::Folder;

/// Participants and their shares, from the published sample.
pub const PUBLISHED: [(&str, &str); 3] = [
    (
        "alice",
        "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90",
    ),
    (
        "bob",
        "b15244faf36e5e4b178d3891701d245f2e45e881d913b6c35c0ea0ac14224cc2",
    ),
    (
        "carol",
        "3e2078d5cd04beabfa4a7a1486bc626d679184df2e0a2b9942d913d4b835516c",
    ),
];

/// Their key by `hkdf-v1` for the identity `Client1`, without a manifest. `lib/share/testdata/derive.py` computes it.
pub const KEY: &str = "4d932eb056b43b332adbd8ebc64e20aa991d0a11a3fd5e0dc98aa8c2fb3e135c";

/// The same for DTLS, whose purpose is another.
pub const DTLS_KEY: &str = "35d4ae81a03cb12f09c54d1186286d1412e35eef783d3f3347662f10a3ed95ee";

/// The same for tpm-psk, whose permanent key it is.
pub const TPM_KEY: &str = "b5c736173c5cd9daf18f512d5ed43afa95fba9ebd3d3970443fc78912737ee4e";

/// A key that nobody has.
pub const WRONG_KEY: &str = "188221c4b03cb8a0b6ce5403c21d533fa9a32808f7c87d043d3c1fab22e6dc3c";

/// The identity that programs use unless told otherwise.
pub const IDENTITY: &str = "Client1";

/// The published shares, each in a file of mode 0400.
pub struct Shares {
    folder: Folder,
    files: Vec<(&'static str, PathBuf)>,
}

impl Shares {
    pub fn published() -> Self {
        let folder = Folder::new();
        let files = PUBLISHED
            .map(|(name, share)| (name, folder.file(name, format!("{share}\n"))))
            .into();
        Self { folder, files }
    }

    /// `--share=alice=file:…` for each.
    pub fn flags(&self) -> Vec<String> {
        let flag = |(name, path): &(&str, PathBuf)| {
            format!(
                "--share={name}=file:{}",
                path.to_str().expect("a plain path")
            )
        };
        self.files.iter().map(flag).collect()
    }

    /// Where the files are, for other files of the same scenario.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }
}
