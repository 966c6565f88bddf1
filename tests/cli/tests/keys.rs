//! The commands that make permanent keys for tpm-psk, and what is said of a key that cannot be used.

use std::os::unix::fs::{PermissionsExt, symlink};

use mcbn_tests_cli::Transcript;
use mcbn_tests_cli::scene::{IO, REFUSED, UNAVAILABLE, USAGE};
use mcbn_tests_support::process::{Ended, contains};
use mcbn_tests_support::shares::{PUBLISHED, TPM_KEY};
use mcbn_tests_support::swtpm::Swtpm;

const OK: i32 = 0;

/// The published sample of a key's file, which tpm2_encodeobject wrote. No TPM here can use it.
const SAMPLE: &str = "\
-----BEGIN TSS2 PRIVATE KEY-----
MIHqBgZngQUKAQOgAwEBAAIEQAAAAQQyADAACAALAAQAQAAAAAUACwAgmmtznX63
TjFVXpuhp2nKJE1rfq0PEyyX4U2bJv+w4O8EgaAAngAgf7ZQUVU4eDEzC9y3wfkm
34FjkQu2ujlVMiF/lBkvnWwAELC31il7DN7bZ92dbzKi1IMXdcZVReolgYcFnNXr
e75uKlzDOxL/qU/lPpKSYpOlJITFl31DTKikH276D5adMRggpbsn/B/OD27M5GeW
179SCfPRsC0Ycx2wwF74x5kItwpN2Oe7dwoNUE7CcJSYx6eAVHSMPcj2yNc5
-----END TSS2 PRIVATE KEY-----
";

const COMMANDS: [&str; 3] = ["create", "import", "show"];

/// A TPM in the folder of commands.
const TCTI: &str = "--tcti=swtpm:path=tpm";

fn scene(scenario: &'static str) -> Transcript {
    let transcript = Transcript::new("tpm-psk", scenario);
    let folder = transcript.folder();
    folder.file("sample.pem", SAMPLE);
    folder.file("secret", TPM_KEY);
    folder.file("auth", "correct horse\n");
    folder.file("other-auth", "battery staple\n");
    for (name, share) in PUBLISHED {
        folder.file(name, share);
    }
    transcript
}

fn with_tpm(scenario: &'static str) -> (Transcript, Swtpm) {
    let (transcript, tpm) = (scene(scenario), Swtpm::start());
    symlink(tpm.socket(), transcript.folder().path().join("tpm")).expect("the folder is ours");
    (transcript, tpm)
}

/// Runs it to its end with this code. Nothing secret is shown.
#[track_caller]
fn ends(transcript: &mut Transcript, arguments: &[&str], code: i32) -> Ended {
    let ended = transcript.run(&[], arguments);
    ended.expect_code(code);
    for secret in [TPM_KEY, PUBLISHED[0].1, "correct horse", "battery staple"] {
        let all = ended.all();
        assert!(
            !contains(all.as_bytes(), &secret.as_bytes()[..6]),
            "{ended}"
        );
    }
    ended
}

#[test]
fn help() {
    let mut transcript = scene("key_help");
    ends(&mut transcript, &["key", "--help"], OK);
    for command in COMMANDS {
        let ended = ends(&mut transcript, &["key", command, "--help"], OK);
        assert_eq!(ended.stderr(), "");
    }
    transcript.check();
}

#[test]
fn what_is_no_command_is_refused() {
    let mut transcript = scene("key_command_refused");
    for arguments in [
        &["key"][..],
        &["key", "delete"],
        &["key", TPM_KEY],
        &["keys"],
        &["--role=server", "key", "create"],
    ] {
        ends(&mut transcript, arguments, USAGE);
    }
    transcript.check();
}

#[test]
fn settings_that_make_no_key_are_refused() {
    let mut transcript = scene("key_create_refused");
    for arguments in [
        &[][..],
        &["--out=key.pem", "key"],
        &[
            "--out=key.pem",
            "--parent=storage",
            "--pcrs=sha1:0",
            "--tcti=tpm",
        ],
        &["--out=key.pem", "--parent=0x80000001", "--pcrs=sha256:24"],
        &["--out=key.pem", "--key-auth=word"],
        &["--out=key.pem", "--secret=file:secret"],
    ] {
        let all = [&["key", "create"], arguments].concat();
        ends(&mut transcript, &all, USAGE);
    }
    transcript.check();
}

#[test]
fn a_key_that_comes_from_nowhere_or_twice_is_refused() {
    let mut transcript = scene("key_import_refused");
    let (secret, alice) = ("--secret=file:secret", "--share=alice=file:alice");
    for arguments in [
        &[][..],
        &[secret, alice],
        &[secret, "--threshold=2"],
        &["--threshold=2"],
        &[alice, "--derivation=shamir-v1"],
        &["--secret=secret"],
        &[&format!("--secret={TPM_KEY}")],
        &["--secret=fd:3", "--key-auth=fd:3"],
        &["--tpm-key=0x81000001"],
    ] {
        let all = [&["key", "import", "--out=key.pem"], arguments].concat();
        ends(&mut transcript, &all, USAGE);
    }
    let folder = transcript.folder();
    folder.file("short", &TPM_KEY[1..]);
    folder.file("zeros", "0".repeat(64));
    folder.file_with_mode("open", TPM_KEY, 0o644);
    for (secret, code) in [
        ("short", REFUSED),
        ("zeros", REFUSED),
        ("open", REFUSED),
        ("missing", IO),
    ] {
        let secret = format!("--secret=file:{secret}");
        let all = ["key", "import", "--out=key.pem", &secret, TCTI];
        ends(&mut transcript, &all, code);
    }
    transcript.check();
}

#[test]
fn a_key_is_shown_without_a_tpm() {
    let mut transcript = scene("key_show");
    ends(&mut transcript, &["key", "show", "sample.pem"], OK);
    ends(&mut transcript, &["key", "show"], USAGE);
    ends(
        &mut transcript,
        &["key", "show", "sample.pem", "secret"],
        USAGE,
    );
    ends(&mut transcript, &["key", "show", "secret"], REFUSED);
    ends(&mut transcript, &["key", "show", "missing"], IO);
    let other = SAMPLE.replacen("MIH", "MIG", 1);
    transcript.folder().file("damaged.pem", other);
    ends(&mut transcript, &["key", "show", "damaged.pem"], REFUSED);
    transcript.check();
}

/// No value of it is the same twice, so that the transcript has what is said, and the assertions what is made.
#[test]
fn a_key_is_made_once_and_its_file_is_its_owners_alone() {
    let (mut transcript, _tpm) = with_tpm("key_made");
    let create = ["key", "create", "--out=created.pem", TCTI];
    let sealed = [
        "key",
        "create",
        "--out=sealed.pem",
        TCTI,
        "--pcrs=sha256:0,7",
    ];
    let import = [
        "key",
        "import",
        "--out=imported.pem",
        TCTI,
        "--secret=file:secret",
        "--key-auth=file:auth",
    ];
    for arguments in [&create[..], &sealed, &import] {
        ends(&mut transcript, arguments, OK);
    }
    for (name, attributes, sealed_to, auth) in [
        (
            "created.pem",
            "sensitiveDataOrigin userWithAuth noDA sign",
            "no PCRs",
            "not needed, says the file",
        ),
        (
            "sealed.pem",
            "sensitiveDataOrigin noDA sign",
            "sha256:0,7",
            "not needed",
        ),
        (
            "imported.pem",
            "userWithAuth sign",
            "no PCRs",
            "needed, says the file, unless tpm2-tools wrote it",
        ),
    ] {
        let path = transcript.folder().path().join(name);
        let metadata = std::fs::metadata(path).expect("it was written");
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        let shown = transcript.start(&[], &["key", "show", name]).end();
        let row = |wanted: &str| {
            let row = shown.stdout();
            let row = row.lines().find_map(|line| line.strip_prefix(wanted));
            row.map(|row| row.trim().to_owned()).expect("such a row")
        };
        assert_eq!(row("parent"), "owner");
        assert_eq!(
            row("attributes"),
            format!("fixedTPM fixedParent {attributes}")
        );
        assert_eq!(row("sealed to"), sealed_to);
        assert_eq!(row("authorization value"), auth);
    }
    ends(&mut transcript, &create, IO);
    let nowhere = ["key", "create", "--out=nowhere/key.pem", TCTI];
    ends(&mut transcript, &nowhere, IO);
    transcript.check();
}

#[test]
fn a_tpm_that_makes_no_key_says_why() {
    let (mut transcript, tpm) = with_tpm("key_not_made");
    let create = ["key", "create", "--out=key.pem", TCTI];
    let under = [&create[..], &["--parent=0x81000001"]].concat();
    ends(&mut transcript, &under, REFUSED);
    let wrong = [&create[..], &["--parent-auth=file:auth"]].concat();
    ends(&mut transcript, &wrong, REFUSED);
    transcript
        .folder()
        .file("lines", "correct horse\nbattery staple\n");
    let lines = [&create[..], &["--key-auth=file:lines"]].concat();
    ends(&mut transcript, &lines, REFUSED);
    drop(tpm);
    ends(&mut transcript, &create, UNAVAILABLE);
    transcript.check();
}

#[test]
fn a_permanent_key_that_cannot_be_used_is_refused() {
    let (mut transcript, mut tpm) = with_tpm("key_not_used");
    let make = ["key", "create", "--out=key.pem", TCTI];
    let auth = "--key-auth=file:auth";
    ends(&mut transcript, &[&make[..], &[auth]].concat(), OK);
    let server = ["--role=server", "--listen=127.0.0.1:0", TCTI];
    let key = "--tpm-key=file:key.pem";
    for (more, code) in [
        (&[key][..], REFUSED),
        (&[key, "--key-auth=file:other-auth"], REFUSED),
        (&[key, "--key-auth=file:missing"], IO),
        (&["--tpm-key=file:sample.pem", auth], REFUSED),
        (&["--tpm-key=file:secret"], REFUSED),
        (&["--tpm-key=file:missing"], IO),
        (&["--tpm-key=0x81000001"], REFUSED),
    ] {
        ends(&mut transcript, &[&server[..], more].concat(), code);
    }
    let client = ["--role=client", "--server=127.0.0.1:9", "--stdio", TCTI];
    let same = [key, "--key-auth=fd:0"];
    ends(&mut transcript, &[&client[..], &same].concat(), USAGE);
    tpm.kill();
    let all = [&server[..], &[key, auth]].concat();
    ends(&mut transcript, &all, UNAVAILABLE);
    transcript.check();
}
