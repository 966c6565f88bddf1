use super::*;
use crate::{Inheritance, Place};
use std::fs::{self, Permissions};
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use tempfile::TempDir;

fn held(place: &str) -> Held {
    let place: Place = place.parse().unwrap();
    let whose = Whose::new("authorization value", "the key");
    place.claim(whose, &mut Inheritance::new()).unwrap()
}

fn of_file(path: &Path) -> Held {
    held(&format!("file:{}", path.display()))
}

fn of_descriptor(descriptor: &impl AsRawFd) -> Held {
    held(&format!("fd:{}", descriptor.as_raw_fd()))
}

/// A folder with one file that only its owner reads.
fn secret(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    (folder, path)
}

fn text(held: &Held) -> String {
    let text = held.read().unwrap();
    String::from_utf8(text.expose_secret().to_vec()).unwrap()
}

fn refusal(held: &Held) -> String {
    let error = held.read().expect_err("must be refused");
    let source = error.source().map(|s| format!(": {s}"));
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_file_is_read_to_its_end() {
    let (folder, path) = secret("a secret\n");
    assert_eq!(text(&of_file(&path)), "a secret\n");
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(text(&of_file(&link)), "a secret\n");
}

#[test]
fn a_file_of_the_greatest_length_is_read() {
    let (_folder, path) = secret([b' '; LONGEST]);
    assert_eq!(text(&of_file(&path)).len(), LONGEST);
}

#[test]
fn a_file_that_is_longer_is_refused() {
    let (_folder, path) = secret([b' '; LONGEST + 1]);
    assert_eq!(
        refusal(&of_file(&path)),
        "cannot read the authorization value of the key from its file: it is too long for an authorization value"
    );
}

#[test]
fn an_endless_pipe_is_refused() {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&[b'a'; 2 * LONGEST]).unwrap();
    // The writer stays open: only the limit ends the reading.
    assert_eq!(
        refusal(&of_descriptor(&reader)),
        "cannot read the authorization value of the key from its descriptor: it is too long for an authorization value"
    );
}

#[test]
fn a_missing_file_is_refused() {
    let (_folder, path) = secret("");
    fs::remove_file(&path).unwrap();
    assert_eq!(
        refusal(&of_file(&path)),
        "cannot read the authorization value of the key from its file: No such file or directory (os error 2)"
    );
}

#[test]
fn a_path_is_not_echoed() {
    let message = refusal(&held("file:2c6f63f8c0f53a565db041b91c0a95add8913fc1"));
    assert!(!message.contains("2c6f"), "{message}");
}

#[test]
fn an_empty_file_is_refused() {
    let (_folder, path) = secret("");
    assert!(refusal(&of_file(&path)).ends_with(": it is empty"));
}

#[test]
fn a_file_that_others_can_read_or_write_is_refused() {
    let (_folder, path) = secret("a secret");
    for mode in [0o604, 0o602, 0o644, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = of_file(&path).read().unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("every user of this machine can read or write it")
        );
        assert!(error.is_about_permission());
        assert!(error.hint().unwrap().contains("chmod 0400"));
    }
    for mode in [0o400, 0o440, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        assert_eq!(text(&of_file(&path)), "a secret");
    }
}

/// Tests may run as a user whom no mode stops, so the answer of the operating system is made here.
#[test]
fn a_file_that_this_program_may_not_read_is_about_permission() {
    let with = |kind: io::ErrorKind| Unreadable {
        whose: Whose::new("share", "alice"),
        from: "its file",
        cause: Cause::Io(kind.into()),
    };
    let forbidden = with(io::ErrorKind::PermissionDenied);
    assert!(forbidden.is_about_permission());
    assert!(forbidden.hint().unwrap().contains("chmod 0400"));
    let missing = with(io::ErrorKind::NotFound);
    assert!(!missing.is_about_permission());
    assert_eq!(missing.hint(), None);
}

#[test]
fn what_is_neither_a_file_nor_a_pipe_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path(), Path::new("/dev/zero")] {
        // A device's mode says nothing here, and it is refused as what it is.
        assert!(
            refusal(&of_file(path)).ends_with("it is neither a file nor a pipe"),
            "{path:?}"
        );
    }
    let (socket, _other) = UnixStream::pair().unwrap();
    assert!(refusal(&of_descriptor(&socket)).ends_with("it is neither a file nor a pipe"));
}

#[test]
fn a_pipe_is_read_from_its_descriptor() {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"a sec").unwrap();
    let held = of_descriptor(&reader);
    let late = std::thread::spawn(move || writer.write_all(b"ret\n"));
    assert_eq!(text(&held), "a secret\n");
    late.join().unwrap().unwrap();
}

/// An inherited descriptor is used as it is: where it stands, and though its file can no longer be opened by name.
#[test]
fn a_file_is_read_from_its_descriptor() {
    let (_folder, path) = secret("skipped a secret");
    let mut file = File::open(&path).unwrap();
    file.seek(io::SeekFrom::Start(8)).unwrap();
    fs::remove_file(path).unwrap();
    assert_eq!(text(&of_descriptor(&file)), "a secret");
}

#[test]
fn standard_input_is_known_as_such() {
    let file = tempfile::tempfile().unwrap();
    let whose = Whose::new("share", "alice");
    let input = Held::of_descriptor(whose.clone(), 0, file.try_clone().unwrap());
    assert!(input.is_standard_input());
    assert!(!Held::of_descriptor(whose, 3, file).is_standard_input());
    assert!(!held("file:0").is_standard_input());
}

#[test]
fn what_was_read_is_not_shown() {
    let (_folder, path) = secret("a secret");
    let text = of_file(&path).read().unwrap();
    assert_eq!(format!("{text:?}"), "Text(..)");
}
