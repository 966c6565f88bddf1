use super::*;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::Path;
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

fn of_descriptor(descriptor: &impl AsRawFd) -> Source {
    let place = Place::Descriptor(descriptor.as_raw_fd());
    Source {
        participant: "alice".parse().unwrap(),
        place,
    }
}

fn read(source: &Source) -> Result<Text, Unreadable> {
    claim(vec![source.clone()]).unwrap()[0].read()
}

fn text(source: &Source) -> String {
    let text = read(source).unwrap();
    String::from_utf8(text.expose_secret().to_vec()).unwrap()
}

fn refusal(source: &Source) -> String {
    let error = read(source).err().expect("must be refused");
    let source = error.source().map(|s| format!(": {s}"));
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_source_is_a_name_and_a_place() {
    let source: Source = "alice=file:/run/shares/a=b:c".parse().unwrap();
    assert_eq!(source.participant.as_str(), "alice");
    assert_eq!(source.place, Place::File("/run/shares/a=b:c".into()));
    for (text, number) in [("b=fd:0", 0), ("b=fd:3", 3), ("b=fd:1023", 1023)] {
        let source: Source = text.parse().unwrap();
        assert_eq!(source.place, Place::Descriptor(number));
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
        ("alice=/run/alice", NotASource::Kind),
        ("alice=env:ALICE", NotASource::Kind),
        ("alice=FILE:/run/alice", NotASource::Kind),
        ("alice= file:/run/alice", NotASource::Kind),
        ("alice=file:", NotASource::NoPath),
        ("alice=file:/run\0", NotASource::NoPath),
        ("alice=fd:", NotASource::Descriptor),
        ("alice=fd:1", NotASource::Descriptor),
        ("alice=fd:2", NotASource::Descriptor),
        ("alice=fd:-1", NotASource::Descriptor),
        ("alice=fd:-0", NotASource::Descriptor),
        ("alice=fd:+3", NotASource::Descriptor),
        ("alice=fd:03", NotASource::Descriptor),
        ("alice=fd: 3", NotASource::Descriptor),
        ("alice=fd:99999999999", NotASource::Descriptor),
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
    let link = folder.path("link");
    symlink(&path, &link).unwrap();
    assert_eq!(text(&of_file(&link)), "a share\n");
}

#[test]
fn a_file_of_the_greatest_length_is_read() {
    let folder = Folder::new();
    let path = folder.file("share", vec![b' '; LONGEST]);
    assert_eq!(text(&of_file(&path)).len(), LONGEST);
}

#[test]
fn a_file_that_is_longer_is_refused() {
    let folder = Folder::new();
    let path = folder.file("share", vec![b' '; LONGEST + 1]);
    assert!(refusal(&of_file(&path)).ends_with("from its file: it is too long for a share"));
}

#[test]
fn an_endless_pipe_is_refused() {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&[b'a'; 2 * LONGEST]).unwrap();
    // The writer stays open: only the limit ends the reading.
    assert!(refusal(&of_descriptor(&reader)).ends_with("it is too long for a share"));
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
    for mode in [0o604, 0o602, 0o644, 0o666] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = read(&of_file(&path)).err().unwrap();
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
        assert_eq!(text(&of_file(&path)), "a share");
    }
}

/// Tests may run as a user whom no mode stops, so the answer of the operating system is made here.
#[test]
fn a_file_that_this_program_may_not_read_is_about_permission() {
    let with = |kind: io::ErrorKind| Unreadable {
        participant: "alice".parse().unwrap(),
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
    let folder = Folder::new();
    for path in [&folder.0, Path::new("/dev/zero")] {
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
    writer.write_all(b"a sha").unwrap();
    let late = std::thread::spawn(move || writer.write_all(b"re\n"));
    assert_eq!(text(&of_descriptor(&reader)), "a share\n");
    late.join().unwrap().unwrap();
}

/// An inherited descriptor is used as it is: where it stands, and though its file can no longer be opened by name.
#[test]
fn a_file_is_read_from_its_descriptor() {
    let folder = Folder::new();
    let path = folder.file("share", "skipped a share");
    let mut file = File::open(&path).unwrap();
    file.seek(io::SeekFrom::Start(8)).unwrap();
    fs::remove_file(path).unwrap();
    assert_eq!(text(&of_descriptor(&file)), "a share");
}

/// What a container's system call filter may leave.
#[test]
fn a_descriptor_can_also_be_opened_anew() {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(b"a share").unwrap();
    drop(writer);
    let text = bounded(&reopened(reader.as_raw_fd()).unwrap()).unwrap();
    assert_eq!(text.expose_secret(), b"a share");
    assert!(matches!(reopened(UNUSED), Err(WhyNot::NotInherited)));
}

/// Far above what these tests open.
const UNUSED: i32 = 987;

fn not_claimed(sources: &[&str]) -> Vec<String> {
    let sources = sources.iter().map(|text| text.parse().unwrap()).collect();
    let refused = claim(sources).expect_err("must be refused");
    assert!(refused.iter().all(|error| error.hint().is_some()));
    refused.iter().map(NotClaimed::to_string).collect()
}

#[test]
fn every_descriptor_that_is_not_open_is_refused() {
    assert_eq!(
        not_claimed(&["alice=fd:987", "bob=file:bob", "carol=fd:986"]),
        [
            "descriptor 987, with the share of alice, was not inherited",
            "descriptor 986, with the share of carol, was not inherited",
        ]
    );
}

/// What claiming itself opens is not taken for an inherited descriptor, though it has the lowest free number.
#[test]
fn a_descriptor_that_was_opened_since_is_refused() {
    let (reader, _writer) = io::pipe().unwrap();
    let mut inheritance = Inheritance::new();
    let process = inheritance.process.as_ref().unwrap().as_raw_fd();
    let alice = inheritance.take(reader.as_raw_fd()).unwrap();
    for own in [process, alice.as_raw_fd()] {
        assert!(matches!(inheritance.take(own), Err(WhyNot::NotInherited)));
    }
}

/// The number keeps its meaning from the claim to the reading.
#[test]
fn a_claimed_descriptor_is_read_though_it_was_closed_since() {
    let (reader, mut writer) = io::pipe().unwrap();
    let claimed = claim(vec![of_descriptor(&reader)]).unwrap();
    drop(reader);
    writer.write_all(b"a share").unwrap();
    drop(writer);
    assert_eq!(claimed[0].read().unwrap().expose_secret(), b"a share");
}
