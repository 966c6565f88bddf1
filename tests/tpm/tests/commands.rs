//! `tpm-psk key create`, `key import` and `key show`, and the program that uses the keys, as they are typed.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use hkdf::Hkdf;
use mcbn_tests_support::shares::PUBLISHED;
use mcbn_tests_tpm::host::{Host, error_of};
use mcbn_tests_tpm::ours::{auth, config, hmac, hmac_in_tpm, load, message};
use mcbn_tests_tpm::raw::{self, GET_CAPABILITY};
use mcbn_tests_tpm::shared::Shared;
use mcbn_tpm::KeyConfig;
use rustix::process::Signal;
use sha2::{Digest, Sha256};

/// Ends of a program.
const USAGE: i32 = 64;
const UNAVAILABLE: i32 = 69;
const REFUSED: i32 = 77;

/// A permanent key, as whoever has it keeps it.
const SECRET: &str = "8f1d4a6c02e97b35d0c8561fa47e93b2665ab0197dfc2e841350c7d9ee2864bb";

fn bytes(digits: &str) -> Vec<u8> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    assert!(rest.is_empty(), "{digits}");
    let pairs = pairs.iter().map(|pair| str::from_utf8(pair).unwrap());
    pairs
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

/// The key in `ours.pem` is this one.
#[track_caller]
fn is(host: &Host, key: &[u8]) {
    is_with(config(&host.tpm, &host.key("ours.pem")), key);
}

#[track_caller]
fn is_with(config: KeyConfig, key: &[u8]) {
    let made = hmac_in_tpm(&mut load(&config), &message(1));
    assert_eq!(made, hmac(key, message(1).as_bytes()));
}

// The files.

#[test]
fn a_new_key_is_in_a_new_file_of_its_owners_alone() {
    let host = Host::new();
    assert_eq!(host.says("key create --out ours.pem"), "");
    assert_eq!(
        host.path("ours.pem").metadata().unwrap().mode() & 0o7777,
        0o600
    );
    load(&config(&host.tpm, &host.key("ours.pem")));

    host.folder.file("secret", SECRET);
    assert_eq!(
        host.says("key import --out other.pem --secret file:secret"),
        ""
    );
    assert_eq!(
        host.path("other.pem").metadata().unwrap().mode() & 0o7777,
        0o600
    );
}

#[test]
fn a_file_that_is_there_is_refused() {
    let host = Host::new();
    host.folder.file("secret", SECRET);
    host.folder.file("there", "somebody's");
    symlink("nowhere", host.path("link")).unwrap();
    for command in ["key create", "key import --secret file:secret"] {
        for name in ["there", "link", "."] {
            let ended = host.run(&format!("{command} --out {name}"));
            assert_ne!(ended.code, Some(0), "{ended}");
            let error = error_of(&ended);
            assert!(
                error.starts_with(&format!("cannot write {name}: ")),
                "{error}"
            );
        }
    }
    assert_eq!(host.read("there"), b"somebody's");
    assert!(!host.path("nowhere").exists());
}

#[test]
fn what_the_tpm_refuses_leaves_no_file() {
    let host = Host::new();
    host.tool("changeauth -c o ownerword");
    host.folder.file("secret", SECRET);
    for command in ["key create", "key import --secret file:secret"] {
        let error = host.refuses(&format!("{command} --out ours.pem"), REFUSED);
        assert_eq!(
            error,
            "cannot make a key in the TPM: the parent's authorization value is wrong or missing"
        );
        assert!(!host.path("ours.pem").exists());
    }
}

// Where an imported key comes from.

#[test]
fn a_key_is_imported_from_a_file_or_a_descriptor() {
    let host = Host::new();
    host.folder.file("secret", format!("{SECRET}\n"));
    for (name, line) in [
        (
            "file",
            r#""$ours" key import --out ours.pem --secret file:secret"#,
        ),
        (
            "fd",
            r#"exec "$ours" key import --out ours.pem --secret fd:3 3<secret"#,
        ),
        (
            "stdin",
            r#""$ours" key import --out ours.pem --secret fd:0 <secret"#,
        ),
        (
            "pipe",
            r#"cat secret | "$ours" key import --out ours.pem --secret fd:0"#,
        ),
    ] {
        let ended = host.shell(line);
        ended.expect_code(0);
        assert_eq!(ended.all(), "", "{name}");
        is(&host, &bytes(SECRET));
        fs::remove_file(host.path("ours.pem")).unwrap();
    }
}

#[test]
fn a_text_that_is_no_key_is_refused() {
    let host = Host::new();
    for (at, (text, why)) in [
        ("change this password to a secret", "its length is wrong"),
        (&SECRET[1..], "its length is wrong"),
        (
            &SECRET.replace('8', "g"),
            "it is neither hex digits nor base64url",
        ),
        (&SECRET.replacen('8', " ", 1), "its length is wrong"),
        // The published sample's, which everybody has.
        (
            "6368616e676520746869732070617373776f726420746f206120736563726574",
            "it does not look random",
        ),
        (&"0".repeat(64), "it does not look random"),
        (&"0123456789abcdef".repeat(4), "it does not look random"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("secret{at}");
        host.folder.file(&name, text);
        let ended = host.run(&format!("key import --out ours.pem --secret file:{name}"));
        ended.expect_code(REFUSED);
        let error = error_of(&ended);
        let refused = "the permanent key is refused: ";
        assert!(error.starts_with(refused) && error.contains(why), "{error}");
        assert!(!ended.all().contains(text), "{ended}");
        assert!(!host.path("ours.pem").exists());
    }
}

// Shares.

/// Alice's, Bob's and Carol's, of the published sample.
fn shares() -> [(&'static str, Vec<u8>); 3] {
    PUBLISHED.map(|(name, digits)| (name, bytes(digits)))
}

/// Imports `ours.pem` from these shares.
#[track_caller]
fn imports(host: &Host, shares: &[(&str, Vec<u8>)], flags: &str) {
    let mut words = format!("key import --out ours.pem{flags}");
    for (name, share) in shares {
        let digits: String = share.iter().map(|byte| format!("{byte:02x}")).collect();
        let _ = fs::remove_file(host.path(name));
        host.folder.file(name, digits);
        words += &format!(" --share {name}=file:{name}");
    }
    let _ = fs::remove_file(host.path("ours.pem"));
    assert_eq!(host.says(&words), "");
}

/// > HKDF-SHA256(salt, ikm, "mcbn/v1/" ‖ purpose ‖ 0x00 ‖ u16be(len(context)) ‖ context, 32)
fn hkdf_v1(salt: &[u8; 32], entries: &[(&str, &[u8])], context: &str) -> [u8; 32] {
    let framed = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length, bytes].concat()
    };
    let ikm: Vec<u8> = entries
        .iter()
        .flat_map(|(name, share)| [framed(name.as_bytes()), framed(share)].concat())
        .collect();
    let info = [b"mcbn/v1/tpm-psk\0", &framed(context.as_bytes())[..]].concat();
    let mut key = [0; 32];
    let hkdf = Hkdf::<Sha256>::new(Some(salt), &ikm);
    hkdf.expand(&info, &mut key).unwrap();
    key
}

#[test]
fn hkdf_v1_makes_a_key_for_this_purpose_and_identity() {
    let host = Host::new();
    let shares = shares();
    let entries = [0, 1, 2].map(|at| (shares[at].0, &shares[at].1[..]));
    let none = [0; 32];

    imports(&host, &shares, "");
    is(&host, &hkdf_v1(&none, &entries, "Client1"));
    // The order does not matter, and the identity does.
    let [alice, bob, carol] = shares.clone();
    imports(&host, &[carol, alice, bob], " --identity Another");
    is(&host, &hkdf_v1(&none, &entries, "Another"));

    let manifest: [u8; 32] = Sha256::digest("a manifest").into();
    let digits: String = manifest.iter().map(|byte| format!("{byte:02x}")).collect();
    imports(&host, &shares, &format!(" --manifest-digest {digits}"));
    is(&host, &hkdf_v1(&manifest, &entries, "Client1"));
}

#[test]
fn shamir_v1_makes_the_key_of_the_shared_secret() {
    let host = Host::new();
    let secret = bytes(SECRET);
    let slope: Vec<u8> = (0..32).map(|at: u8| at.wrapping_mul(29) ^ 0xd3).collect();
    // The line secret + slope·x at 1 and 2, in the field of AES.
    let doubled = |byte: u8| (byte << 1) ^ if byte & 0x80 == 0 { 0 } else { 0x1b };
    let point = |x: u8, times: fn(u8, &dyn Fn(u8) -> u8) -> u8| {
        let values = secret.iter().zip(&slope);
        let values = values.map(|(constant, slope)| constant ^ times(*slope, &doubled));
        std::iter::once(x).chain(values).collect::<Vec<u8>>()
    };
    let shares = [
        ("alice", point(1, |slope, _| slope)),
        ("bob", point(2, |slope, doubled| doubled(slope))),
    ];
    imports(&host, &shares, " --derivation shamir-v1 --threshold 2");
    is(&host, &hkdf_v1(&[0; 32], &[("", &secret)], "Client1"));
}

#[test]
fn the_published_derivations_make_their_keys() {
    let host = Host::new();
    let shares = shares();
    let hex = PUBLISHED.map(|(_, digits)| digits);

    imports(&host, &shares, " --derivation sha256-concat-hex");
    is(&host, &Sha256::digest(hex.concat()));

    let mut chain = hex[0].to_owned();
    for share in &hex[1..] {
        let next = hmac(share.as_bytes(), chain.as_bytes());
        chain = next.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    imports(&host, &shares, " --derivation hmac-chain-hex");
    is(&host, &bytes(&chain));

    let [alice, bob, carol] = shares.each_ref().map(|(_, share)| share);
    let all: Vec<u8> = (0..32).map(|at| alice[at] ^ bob[at] ^ carol[at]).collect();
    imports(&host, &shares, " --derivation xor-sha256");
    is(&host, &Sha256::digest(all));
}

#[test]
fn a_share_that_is_none_is_refused() {
    let host = Host::new();
    host.folder.file("alice", PUBLISHED[0].1);
    host.folder.file("bob", PUBLISHED[0].1);
    host.folder.file("carol", "0".repeat(64));
    for shares in [
        "--share alice=file:alice --share bob=file:bob",
        "--share alice=file:alice --share carol=file:carol",
    ] {
        let ended = host.run(&format!("key import --out ours.pem {shares}"));
        ended.expect_code(REFUSED);
        assert!(!ended.all().contains(PUBLISHED[0].1), "{ended}");
        assert!(!host.path("ours.pem").exists());
    }
}

#[test]
fn a_key_of_two_origins_or_none_is_refused() {
    let host = Host::new();
    host.folder.file("secret", SECRET);
    for words in [
        "key import --out ours.pem",
        "key import --out ours.pem --secret file:secret --share alice=file:secret",
        "key import --out ours.pem --secret file:secret --derivation xor-sha256",
        "key create --out ours.pem --secret file:secret",
        "key create",
        "key create --out ours.pem --pcrs sha1:0",
        "key create --out ours.pem --parent 0x80000001",
    ] {
        host.refuses(words, USAGE);
        assert!(!host.path("ours.pem").exists());
    }
}

// Authorization values, parents, PCRs.

#[test]
fn authorization_values_come_from_files_and_descriptors() {
    let host = Host::new();
    host.tool("changeauth -c o ownerword");
    host.folder.file("secret", SECRET);
    host.folder.file("owner", "ownerword\n");
    host.folder.file("key", "opensesame\n");
    let ended = host.shell(
        r#"exec "$ours" key import --out ours.pem --secret fd:3 --parent-auth fd:4 --key-auth file:key 3<secret 4<owner"#,
    );
    ended.expect_code(0);
    let config = KeyConfig {
        key_auth: auth("opensesame"),
        parent_auth: auth("ownerword"),
        ..config(&host.tpm, &host.key("ours.pem"))
    };
    is_with(config, &bytes(SECRET));
}

#[test]
fn a_file_that_is_no_authorization_value_is_refused() {
    let host = Host::new();
    host.folder.file("two", "one\ntwo\n");
    host.folder.file("long", "x".repeat(33));
    host.folder.file("none", "\n");
    for name in ["two", "long", "none"] {
        let error = host.refuses(
            &format!("key create --out ours.pem --key-auth file:{name}"),
            REFUSED,
        );
        assert_eq!(
            error,
            "the authorization value of the key is refused: it is not one line of 1 to 32 bytes"
        );
    }
    assert!(!host.path("ours.pem").exists());
}

#[test]
fn what_is_asked_of_a_key_is_in_its_file() {
    let host = Host::new();
    host.folder.file("key", "opensesame");
    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("evictcontrol -C o -c parent 0x81000002");
    host.says(
        "key create --out ours.pem --parent 0x81000002 --pcrs sha256:16,0 --key-auth file:key",
    );
    let shown = host.says("key show ours.pem");
    for row in [
        "parent               0x81000002\n",
        "sealed to            sha256:0,16\n",
        "authorization value  needed\n",
        "attributes           fixedTPM fixedParent sensitiveDataOrigin sign\n",
    ] {
        assert!(shown.contains(row), "{row}: {shown}");
    }
    let config = KeyConfig {
        key_auth: auth("opensesame"),
        ..config(&host.tpm, &host.key("ours.pem"))
    };
    load(&config);
}

// What is shown.

#[test]
fn what_is_shown_is_public_and_needs_no_tpm() {
    let mut host = Host::new();
    host.folder.file("secret", SECRET);
    host.says("key import --out ours.pem --secret file:secret");
    let name = load(&config(&host.tpm, &host.key("ours.pem")))
        .name()
        .to_string();
    host.tpm.kill();
    let shown = host.says("key show ours.pem");
    assert_eq!(
        shown,
        format!(
            "name                 {name}\n\
             algorithm            HMAC with SHA-256\n\
             parent               owner\n\
             attributes           fixedTPM fixedParent userWithAuth noDA sign\n\
             sealed to            no PCRs\n\
             authorization value  not needed, says the file\n"
        )
    );
}

#[test]
fn a_file_that_is_no_key_is_refused() {
    let host = Host::new();
    host.says("key create --out ours.pem");
    let pem = host.read("ours.pem");
    host.folder.file("cut", &pem[..pem.len() / 2]);
    host.folder.file("empty", "");
    host.folder.file("secret", SECRET);
    for name in ["cut", "empty", "secret"] {
        let ended = host.run(&format!("key show {name}"));
        ended.expect_code(REFUSED);
        assert!(
            error_of(&ended).starts_with(&format!("{name} is refused: ")),
            "{ended}"
        );
        assert!(!ended.all().contains(SECRET), "{ended}");
        let used = format!("--role server --listen 127.0.0.1:0 --tpm-key file:{name}");
        host.refuses(&used, REFUSED);
    }
}

// The program that uses the key.

const SERVE: &str = "--role server --listen 127.0.0.1:0";

#[test]
fn a_key_that_cannot_be_used_is_refused_at_the_start() {
    let mut host = Host::new();
    host.folder.file("key", "opensesame");
    host.folder.file("wrong", "open");
    host.says("key create --out ours.pem --key-auth file:key");
    let with = |auth: &str| format!("{SERVE} --tpm-key file:ours.pem --key-auth file:{auth}");
    let cannot = |why| format!("cannot use the permanent key: {why}");

    assert_eq!(
        host.refuses(&with("wrong"), REFUSED),
        cannot("the key's authorization value is wrong or missing")
    );
    host.tool("dictionarylockout -s -n 1 -t 86400 -l 86400");
    assert_eq!(
        host.refuses(&with("key"), UNAVAILABLE),
        cannot("the TPM is in lockout")
    );
    assert_eq!(
        host.refuses(&format!("{SERVE} --tpm-key 0x81000001"), REFUSED),
        cannot("the TPM has no object with this handle")
    );
    host.tool("clear -c p");
    assert_eq!(
        host.refuses(&with("key"), REFUSED),
        cannot("the key was not made by this TPM under this parent")
    );
    host.tpm.kill();
    let error = host.refuses(&with("key"), UNAVAILABLE);
    assert!(
        error.starts_with(&cannot("the TPM cannot be reached: ")),
        "{error}"
    );
}

#[test]
fn a_program_that_waits_for_its_tpm_can_be_told_to_end() {
    let host = Host::new();
    host.says("key create --out ours.pem");
    let shared = Shared::to(&host.tpm);
    shared.hold(GET_CAPABILITY);
    let server = host.start_by(&shared.words(), &format!("{SERVE} --tpm-key file:ours.pem"));
    shared.wait_until_held();
    server.signal(Signal::TERM);
    server.end().expect_code(0);
    shared.let_go();
    assert!(raw::loaded(&host.tpm).is_empty());
}
