use super::*;
use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder, removed with the test.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcbn-share-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options
            .open(&path)
            .unwrap()
            .write_all(text.as_ref())
            .unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn of_file(path: &Path) -> Source {
    format!("alice=file:{}", path.display()).parse().unwrap()
}

fn read(source: &Source) -> Result<Text, Unreadable> {
    let claimed = source.clone().claim(&mut Inheritance::new());
    claimed.unwrap().read()
}

fn text(source: &Source) -> String {
    let text = read(source).unwrap();
    String::from_utf8(text.expose_secret().to_vec()).unwrap()
}

fn refusal(source: &Source) -> String {
    let error = read(source).expect_err("must be refused");
    let source = error.source().map(|s| format!(": {s}"));
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_source_is_a_name_and_a_place() {
    for place in ["file:/run/shares/a=b:c", "fd:0", "fd:3", "fd:1023"] {
        let source: Source = format!("alice={place}").parse().unwrap();
        assert_eq!(source.participant.as_str(), "alice");
        assert_eq!(Ok(&source.place), place.parse().as_ref());
    }
}

#[test]
fn another_form_is_refused() {
    for (text, error) in [
        ("", NotASource::NoName),
        ("alice", NotASource::NoName),
        ("file:/run/alice", NotASource::NoName),
        ("=file:/run/alice", NotASource::Name(NotAParticipant)),
        ("Alice=file:/run/alice", NotASource::Name(NotAParticipant)),
        ("alice=/run/alice", NotASource::Place(NotAPlace::Kind)),
        ("alice=env:ALICE", NotASource::Place(NotAPlace::Kind)),
        ("alice= file:/run/alice", NotASource::Place(NotAPlace::Kind)),
        ("alice=file:", NotASource::Place(NotAPlace::NoPath)),
        ("alice=fd:1", NotASource::Place(NotAPlace::Descriptor)),
    ] {
        assert_eq!(text.parse::<Source>(), Err(error), "{text:?}");
    }
}

#[test]
fn a_share_in_place_of_a_source_is_refused_and_not_echoed() {
    let share = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
    for text in [
        share.into(),
        format!("alice={share}"),
        format!("{share}=fd:3"),
        format!("alice=fd:{share}"),
    ] {
        let message = text.parse::<Source>().unwrap_err().to_string();
        assert!(!message.contains("2c6f"), "{message}");
    }
    let message = refusal(&format!("alice=file:{share}").parse().unwrap());
    assert!(!message.contains("2c6f"), "{message}");
}

#[test]
fn a_file_is_read_to_its_end() {
    let folder = Folder::new();
    let path = folder.file("share", "a share\n");
    assert_eq!(text(&of_file(&path)), "a share\n");
}

#[test]
fn a_file_that_is_too_long_is_refused() {
    let folder = Folder::new();
    let path = folder.file("share", vec![b' '; mcbn_place::LONGEST + 1]);
    assert_eq!(
        refusal(&of_file(&path)),
        "cannot read the share of alice from its file: it is too long for a share"
    );
}

#[test]
fn a_missing_file_is_refused() {
    let folder = Folder::new();
    assert_eq!(
        refusal(&of_file(&folder.path("share"))),
        "cannot read the share of alice from its file: No such file or directory (os error 2)"
    );
}

#[test]
fn an_empty_file_is_refused() {
    let folder = Folder::new();
    assert!(refusal(&of_file(&folder.file("share", ""))).ends_with(": it is empty"));
}

#[test]
fn a_file_that_others_can_read_or_write_is_refused() {
    let folder = Folder::new();
    let path = folder.file("share", "a share");
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    let error = read(&of_file(&path)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the share of alice from its file: every user of this machine can read or write it"
    );
    assert!(error.is_about_permission());
    assert!(error.hint().unwrap().contains("chmod 0400"));
}

#[test]
fn every_descriptor_that_is_not_open_is_refused() {
    // Far above what these tests open.
    let sources = ["alice=fd:987", "bob=file:bob", "carol=fd:986"];
    let sources = sources.map(|text| text.parse().unwrap()).into();
    let refused = claim(sources, &mut Inheritance::new()).unwrap_err();
    let messages: Vec<_> = refused.iter().map(NotClaimed::to_string).collect();
    assert_eq!(
        messages,
        [
            "descriptor 987, with the share of alice, was not inherited",
            "descriptor 986, with the share of carol, was not inherited",
        ]
    );
    assert_eq!(
        refused[0].hint().unwrap(),
        "the program that starts this one must open the descriptor, as `3<share` does in a shell"
    );
}
