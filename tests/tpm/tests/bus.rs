//! Somebody listens on the bus between the program and its TPM: no secret and no result passes.

use mcbn_secret::HmacKey;
use mcbn_tests_support::process::contains;
use mcbn_tests_support::swtpm::{Log, Swtpm};
use mcbn_tests_tpm::host::{Host, STANDARD};
use mcbn_tests_tpm::ours::{auth, config, hmac, hmac_in_tpm, load, message, order};
use mcbn_tests_tpm::pem::parts;
use mcbn_tpm::{AuthValue, KeyConfig, Order};

const OWNER: &str = "the owner's word is this";
const KEY: &str = "and this is the key's own word";

/// Thirty-two bytes that stand nowhere else.
fn secret() -> HmacKey {
    HmacKey::copied_from(&std::array::from_fn(|at| {
        (at as u8).wrapping_mul(151) ^ 0x5c
    }))
}

/// What the listener waits for.
struct Secrets(Vec<(&'static str, Vec<u8>)>);

impl Secrets {
    /// Each piece of 16 bytes of each.
    fn pieces(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let all = self.0.iter();
        all.flat_map(|(name, secret)| secret.windows(16).map(|piece| (*name, piece)))
    }
}

/// `TPM2_GetRandom` of this many bytes, which nobody else asks for: what came before it and what came after it are told
/// apart by it.
fn mark(tpm: &Swtpm, bytes: u8) {
    tpm.execute(&marking(bytes)).unwrap();
}

fn marking(bytes: u8) -> [u8; 12] {
    [0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, bytes]
}

/// What passed between two marks.
fn between(log: &Log, from: u8, to: u8) -> &[Vec<u8>] {
    let mut messages = log.messages().iter();
    let mut at = |bytes| messages.position(|message| message[..] == marking(bytes));
    let start = at(from).expect("the mark is in the log");
    let length = at(to).expect("the mark is in the log");
    &log.messages()[start + 1..][..length]
}

fn shows(messages: &[Vec<u8>], bytes: &[u8]) -> bool {
    messages.iter().any(|message| contains(message, bytes))
}

#[test]
fn neither_secrets_nor_results_pass() {
    let host = Host::with(Swtpm::start_with_log());
    let words = |text: &'static str| -> Option<AuthValue> { auth(text) };
    // In clear: this is what the test would see.
    host.folder.file("owner", OWNER);
    mark(&host.tpm, 1);
    host.tool("changeauth -c o file:owner");
    mark(&host.tpm, 2);

    let mut results = Vec::new();
    for pcrs in [None, Some("sha256:16".parse().unwrap())] {
        let order = Order {
            parent_auth: words(OWNER),
            key_auth: words(KEY),
            pcrs,
            ..order(&host.tpm)
        };
        let file = order.import(&secret()).unwrap();
        let mut key = load(&KeyConfig {
            parent_auth: words(OWNER),
            key_auth: words(KEY),
            ..config(&host.tpm, &file)
        });
        for number in 1..=3 {
            let made = hmac_in_tpm(&mut key, &message(number));
            // Else the listener looks for something else.
            let expected = hmac(secret().expose_secret(), message(number).as_bytes());
            assert_eq!(made, expected);
            results.push(made);
        }
        drop(key);
        if pcrs.is_none() {
            host.folder.file("ours.pem", file.to_pem());
        }
    }
    mark(&host.tpm, 3);

    // And a program that does not care.
    host.folder.file("key", KEY);
    host.folder.file("secret", secret().expose_secret());
    host.tool(&format!(
        "createprimary -C o -P file:owner -G ecc -a {STANDARD} -c parent"
    ));
    host.tool("create -C parent -p file:key -i secret -u sealed.public -r sealed.private");
    let [public, private] = parts(&host.read("ours.pem"));
    host.folder.file("public", public);
    host.folder.file("private", private);
    host.tool("load -C parent -u public -r private -c key.context");
    let shown = host.tools_hmac("-c key.context -p file:key", message(1).as_bytes());
    assert_eq!(shown, results[0]);
    mark(&host.tpm, 4);

    let mut secrets = Secrets(vec![
        ("the permanent key", secret().expose_secret().to_vec()),
        ("the owner's authorization value", OWNER.into()),
        ("the key's authorization value", KEY.into()),
    ]);
    let results = results.into_iter().map(Vec::from);
    secrets.0.extend(results.map(|result| ("a result", result)));
    let log = host.tpm.log();
    assert!(shows(between(&log, 1, 2), OWNER.as_bytes()));
    let careless = between(&log, 3, 4);
    assert!(shows(careless, secret().expose_secret()));
    assert!(shows(careless, KEY.as_bytes()));
    assert!(shows(careless, &shown));

    let ours = between(&log, 2, 3);
    assert!(ours.len() > 40, "{} commands and answers", ours.len());
    for (name, piece) in secrets.pieces() {
        assert!(!shows(ours, piece), "{name} passes: {piece:02x?}");
    }
    let salted: Vec<bool> = ours
        .iter()
        .filter_map(|message| is_salted(message))
        .collect();
    assert_eq!(salted, [true; 6], "two orders, two keys, and two policies");
}

/// None where it is not `TPM2_StartAuthSession`. Without a salt a listener knows all that the keys of a session are made of.
fn is_salted(message: &[u8]) -> Option<bool> {
    // > tag(2) commandSize(4) commandCode(4) tpmKey(4) bind(4) nonceCaller(2 + size) encryptedSalt(2 + size)
    let rest = message.strip_prefix(&[0x80, 0x01])?[4..].strip_prefix(&[0, 0, 0x01, 0x76])?;
    let (key, rest) = rest.split_first_chunk::<4>()?;
    let (nonce, rest) = rest[4..].split_first_chunk()?;
    let salt = &rest[usize::from(u16::from_be_bytes(*nonce))..];
    Some(key[0] == 0x80 && salt[..2] != [0, 0])
}

#[test]
fn what_the_program_types_and_serves_does_not_pass_either() {
    let host = Host::with(Swtpm::start_with_log());
    let digits: String = secret()
        .expose_secret()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    host.folder.file("secret", digits);
    host.folder.file("word", KEY);
    host.says("key import --out ours.pem --secret file:secret --key-auth file:word");
    let server = host
        .start("--role server --listen 127.0.0.1:0 --tpm-key file:ours.pem --key-auth file:word");
    let listening = server.wait_for_message("listening");
    let address = listening["address"].as_str().unwrap();
    let client = host.start_without_tpm(&format!(
        "--role client --server {address} --get / --secret file:secret"
    ));
    let ended = client.end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "ok\n");
    server.signal(rustix::process::Signal::TERM);
    server.end().expect_code(0);
    let secrets = Secrets(vec![
        ("the permanent key", secret().expose_secret().to_vec()),
        ("the key's authorization value", KEY.into()),
    ]);
    let log = host.tpm.log();
    for (name, piece) in secrets.pieces() {
        assert!(!log.shows(piece), "{name} passes: {piece:02x?}");
    }
}
