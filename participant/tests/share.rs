//! `mcbn share new` and `mcbn share split`: what is in the files, and that nothing else ever has it.

use mcbn_secret::Psk;
use mcbn_share::{
    Derivation, Holders, Inheritance, ManifestDigest, Plan, Signers, Threshold, text,
};
use mcbn_threshold::Group;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

fn run(folder: &TempDir, arguments: &[&str]) -> Output {
    // Bazel gives a path from the folder in which the test starts.
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    let mut command = Command::new(program);
    command.current_dir(folder.path()).env_clear();
    command.arg("share").args(arguments);
    command.output().unwrap()
}

#[track_caller]
fn assert_silent(output: &Output) {
    let shown = (&*output.stdout, &*output.stderr);
    assert_eq!(shown, (&b""[..], &b""[..]));
    assert!(output.status.success());
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, stderr: &str) {
    assert_eq!(str::from_utf8(&output.stderr).unwrap(), stderr);
    assert_eq!(output.stdout, b"");
    assert_eq!(output.status.code(), Some(code));
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The key that some files give, as a workload reads them.
fn key(folder: &Path, threshold: Option<u8>, names: &[&str]) -> Psk {
    let derivation = match threshold {
        Some(_) => Derivation::ShamirV1,
        None => Derivation::HkdfV1,
    };
    let threshold = threshold.map(|t| Threshold::new(t).unwrap());
    let sources = names.iter().map(|name| {
        let path = folder.join(name);
        format!("{name}=file:{}", path.display()).parse().unwrap()
    });
    let plan = Plan::new(derivation, threshold, sources.collect()).unwrap();
    let shares = plan.claim(&mut Inheritance::new()).unwrap().read().unwrap();
    let combined = shares.combine(None).unwrap();
    combined.tls_psk(b"Client1").unwrap()
}

#[test]
fn a_new_share_can_be_read_by_its_owner_alone() {
    let folder = TempDir::new().unwrap();
    assert_silent(&run(&folder, &["new", "--out", "alice"]));
    assert_silent(&run(&folder, &["new", "--out", "bob"]));
    assert_eq!(mode(&folder.path().join("alice")), 0o400);
    let text = fs::read_to_string(folder.path().join("alice")).unwrap();
    let digits = text.strip_suffix('\n').unwrap();
    assert_eq!(digits.len(), 64);
    assert!(
        digits
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    );
    assert_ne!(text, fs::read_to_string(folder.path().join("bob")).unwrap());
    key(folder.path(), None, &["alice", "bob"]);
}

#[test]
fn as_many_shares_as_the_threshold_give_the_one_key() {
    let folder = TempDir::new().unwrap();
    let arguments = [
        "split",
        "--threshold=2",
        "--out-dir=dealt",
        "alice",
        "bob",
        "carol.2_x",
    ];
    assert_silent(&run(&folder, &arguments));
    let dealt = folder.path().join("dealt");
    assert_eq!(mode(&dealt), 0o700);
    assert_eq!(names(&dealt), ["alice", "bob", "carol.2_x"]);
    for name in names(&dealt) {
        assert_eq!(mode(&dealt.join(&name)), 0o400);
        assert_eq!(fs::read(dealt.join(&name)).unwrap().len(), 67);
    }
    let first = key(&dealt, Some(2), &["alice", "bob"]);
    assert!(key(&dealt, Some(2), &["carol.2_x", "bob"]) == first);
    assert!(key(&dealt, Some(2), &["carol.2_x", "alice", "bob"]) == first);
    // x-coordinates follow the names.
    for (name, x) in [("alice", "01"), ("bob", "02"), ("carol.2_x", "03")] {
        assert!(fs::read_to_string(dealt.join(name)).unwrap().starts_with(x));
    }
    assert_silent(&run(
        &folder,
        &["split", "--threshold=2", "--out-dir=again", "alice", "bob"],
    ));
    assert!(key(&folder.path().join("again"), Some(2), &["alice", "bob"]) != first);
}

#[test]
fn shares_to_sign_with_are_those_of_the_printed_commitments() {
    let folder = TempDir::new().unwrap();
    let arguments = [
        "split",
        "--threshold=2",
        "--derivation=bls-prf-v1",
        "--out-dir=dealt",
        "alice",
        "bob",
        "carol",
    ];
    let output = run(&folder, &arguments);
    assert_eq!(output.stderr, b"");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    let commitments = printed.lines().filter_map(|line| {
        let line = line.strip_prefix("    \"")?;
        Some(line.strip_suffix("\",").unwrap().parse().unwrap())
    });
    let group = Group::new(commitments.collect(), 3).unwrap();
    assert_eq!(group.threshold(), Threshold::new(2).unwrap());
    let manifest = ManifestDigest([7; 32]);
    let names = ["alice", "bob", "carol"].map(|name| name.parse().unwrap());
    let signers = Signers::new(Holders::new(group, names.to_vec()), &manifest);
    for name in &names {
        let file = folder.path().join("dealt").join(name.as_str());
        assert_eq!(mode(&file), 0o400);
        let share = text::signing_share(&fs::read(file).unwrap()).unwrap();
        signers.sign(name, &share).unwrap();
    }
    let [derivation, .., last] = &*printed.lines().collect::<Vec<_>>() else {
        panic!("{printed}");
    };
    assert_eq!((*derivation, *last), ("derivation = \"bls-prf-v1\"", "]"));
}

#[test]
fn a_derivation_without_a_threshold_is_refused() {
    let folder = TempDir::new().unwrap();
    let arguments = ["split", "--threshold=2", "--out-dir=dealt", "alice", "bob"];
    for label in ["hkdf-v1", "xor-sha256", "shamir"] {
        let derivation = format!("--derivation={label}");
        assert_refused(
            &run(&folder, &[&arguments[..], &[&derivation]].concat()),
            64,
            "mcbn: error: --derivation: not a derivation with a threshold (expected shamir-v1|bls-prf-v1)\n\
             mcbn: hint: mcbn share split --help lists every flag and variable\n",
        );
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn shares_of_a_key_that_signs_for_others_are_not_dealt_here() {
    let folder = TempDir::new().unwrap();
    let arguments = ["split", "--threshold=2", "--out-dir=dealt", "alice", "bob"];
    assert_refused(
        &run(
            &folder,
            &[&arguments[..], &["--derivation=bls-reveal-v1"]].concat(),
        ),
        64,
        "mcbn: error: --derivation: a key that signs for others is nobody's: `mcbn threshold generate` makes its shares \
         (expected shamir-v1|bls-prf-v1)\n\
         mcbn: hint: mcbn share split --help lists every flag and variable\n",
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_share_is_never_overwritten() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("alice"), "mine").unwrap();
    symlink("nowhere", folder.path().join("bob")).unwrap();
    for name in ["alice", "bob"] {
        assert_refused(
            &run(&folder, &["new", "--out", name]),
            64,
            &format!(
                "mcbn: error: {name} exists\n\
                 mcbn: hint: a share is never overwritten: give another place, or move that file\n"
            ),
        );
    }
    assert_eq!(fs::read(folder.path().join("alice")).unwrap(), b"mine");
    assert_eq!(names(folder.path()), ["alice", "bob"]);
}

#[test]
fn where_one_share_cannot_be_written_none_is() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("carol"), "mine").unwrap();
    let arguments = [
        "split",
        "--threshold=2",
        "--out-dir=.",
        "alice",
        "bob",
        "carol",
    ];
    assert_refused(
        &run(&folder, &arguments),
        64,
        "mcbn: error: ./carol exists\n\
         mcbn: hint: a share is never overwritten: give another place, or move that file\n",
    );
    assert_eq!(names(folder.path()), ["carol"]);
}

#[test]
fn a_place_that_is_not_there_is_refused() {
    let folder = TempDir::new().unwrap();
    assert_refused(
        &run(&folder, &["new", "--out", "none/alice"]),
        74,
        "mcbn: error: cannot write none/alice: No such file or directory (os error 2)\n",
    );
    assert_refused(
        &run(
            &folder,
            &[
                "split",
                "--threshold=2",
                "--out-dir=none/dealt",
                "alice",
                "bob",
            ],
        ),
        74,
        "mcbn: error: cannot make the folder: No such file or directory (os error 2)\n",
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_mcbn")).unwrap();
    // A limit of the shell's: no file may have as much as one byte.
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$0\" share split --threshold=2 --out-dir=dealt alice bob";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_refused(
        &output,
        74,
        "mcbn: error: cannot write dealt/alice: File too large (os error 27)\n",
    );
    assert!(names(folder.path()).is_empty());
}

#[test]
fn numbers_and_names_that_do_not_fit_are_refused() {
    let folder = TempDir::new().unwrap();
    let many: Vec<_> = (0..256).map(|i| format!("p{i}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (threshold, names, refused) in [
        (
            "3",
            &["alice", "bob"][..],
            "--threshold: more than there are names",
        ),
        ("2", &["alice"], "NAME: 2 to 255 names are needed"),
        ("2", &many, "NAME: 2 to 255 names are needed"),
        (
            "2",
            &["alice", "bob", "alice"],
            "NAME: one name stands twice",
        ),
        (
            "1",
            &["alice", "bob"],
            "--threshold: a threshold is a whole number from 2 to 255 (expected T)",
        ),
        (
            "2",
            &["alice", "../bob"],
            "NAME: a participant's name is 1 to 63 lower-case letters, digits, '.', '_' and '-', and starts with a letter or digit (expected NAME)",
        ),
        ("2", &[], "NAME is required"),
    ] {
        let arguments = ["split", "--out-dir", "dealt", "--threshold", threshold];
        assert_refused(
            &run(&folder, &[&arguments[..], names].concat()),
            64,
            &format!(
                "mcbn: error: {refused}\n\
                 mcbn: hint: mcbn share split --help lists every flag and variable\n"
            ),
        );
    }
    assert!(names(folder.path()).is_empty());
}
