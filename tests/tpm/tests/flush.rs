//! A TPM has room for three objects and three sessions: nothing of ours stays in it, however we end.

use std::time::Duration;

use mcbn_tests_support::process::Process;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_tpm::fake::Fake;
use mcbn_tests_tpm::host::Host;
use mcbn_tests_tpm::ours::{
    auth, config, hmac_in_tpm, imported, load, message, order, persistent_parent, randoms, refused,
    session_key,
};
use mcbn_tests_tpm::raw;
use mcbn_tests_tpm::shared::Shared;
use mcbn_tpm::{KeyConfig, KeyFile, KeyInTpm, Layout, Metrics, Order};
use rustix::process::Signal;

#[track_caller]
fn is_empty(tpm: &Swtpm) {
    let left = raw::loaded(tpm);
    assert!(left.is_empty(), "{left:x?} are left in the TPM");
}

fn sealed(tpm: &Swtpm) -> Order {
    Order {
        pcrs: Some("sha256:16".parse().unwrap()),
        ..order(tpm)
    }
}

#[test]
fn a_key_that_is_made_is_not_left_in_the_tpm() {
    let tpm = Swtpm::start();
    for order in [order(&tpm), sealed(&tpm)] {
        order.create().unwrap();
        is_empty(&tpm);
        imported(&order);
        is_empty(&tpm);
    }
}

#[test]
fn a_key_that_was_used_is_not_left_in_the_tpm() {
    let tpm = Swtpm::start();
    let shared = Shared::to(&tpm);
    for file in [imported(&order(&tpm)), imported(&sealed(&tpm))] {
        let mut key = load(&KeyConfig {
            tcti: shared.tcti(),
            ..config(&tpm, &file)
        });
        hmac_in_tpm(&mut key, &message(1));
        // Each has one session, and its key; a policy has a session more.
        let loaded = raw::loaded(&tpm);
        assert!((2..=3).contains(&loaded.len()), "{loaded:x?}");
        drop(key);
        is_empty(&tpm);
    }
}

#[test]
fn a_persistent_key_is_left_where_it_is_and_nothing_else() {
    let host = Host::new();
    host.folder
        .file("ours.pem", imported(&order(&host.tpm)).to_pem());
    host.tool("load -r ours.pem -c key");
    host.tool("evictcontrol -C o -c key 0x81000001");
    hmac_in_tpm(&mut load(&config(&host.tpm, 0x8100_0001)), &message(1));
    is_empty(&host.tpm);
    load(&config(&host.tpm, 0x8100_0001));
}

#[test]
fn a_line_that_is_dropped_leaves_nothing() {
    let tpm = Swtpm::start();
    let config = config(&tpm, &imported(&order(&tpm)));
    let key = KeyInTpm::open(config, Layout::Random32, 2, Metrics::default(), |_| ()).unwrap();
    session_key(&key, &randoms(1), None).unwrap();
    drop(key);
    is_empty(&tpm);
}

#[test]
fn nothing_is_left_after_a_refusal() {
    let host = Host::new();
    let tpm = &host.tpm;
    let open = imported(&order(tpm));
    let sealed = imported(&sealed(tpm));
    let locked = imported(&Order {
        key_auth: auth("opensesame"),
        ..order(tpm)
    });
    let foreign = order(&Swtpm::start()).create().unwrap();
    let with_auth = |file: &KeyFile, word| KeyConfig {
        key_auth: auth(word),
        ..config(tpm, file)
    };

    refused(&with_auth(&locked, "wrong"));
    is_empty(tpm);
    refused(&config(tpm, &foreign));
    is_empty(tpm);
    refused(&config(tpm, 0x8100_0001));
    is_empty(tpm);
    let under_none = Order {
        parent: persistent_parent(0x8100_0001),
        ..order(tpm)
    };
    under_none.create().unwrap_err();
    is_empty(tpm);

    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("evictcontrol -C o -c parent 0x81000001");
    refused(&config(tpm, 0x8100_0001));
    is_empty(tpm);

    host.tool(
        "pcrextend 16:sha256=00000000000000000000000000000000000000000000000000000000000000aa",
    );
    refused(&config(tpm, &sealed));
    is_empty(tpm);

    host.tool("dictionarylockout -s -n 1 -t 86400 -l 86400");
    refused(&with_auth(&locked, "wrong"));
    refused(&with_auth(&locked, "opensesame"));
    is_empty(tpm);

    host.tool("changeauth -c o ownerword");
    refused(&config(tpm, &open));
    is_empty(tpm);
    order(tpm).create().unwrap_err();
    is_empty(tpm);

    // The TPM's own room, and what answers in its place.
    refused(&KeyConfig {
        tcti: Fake::that(drop).tcti(),
        ..config(tpm, &open)
    });
    is_empty(tpm);
}

#[test]
fn what_a_tpm_that_did_not_answer_still_has_is_flushed_next_time() {
    let tpm = Swtpm::start();
    let file = imported(&order(&tpm));
    let mut key = load(&KeyConfig {
        limit: Duration::from_secs(5),
        ..config(&tpm, &file)
    });
    tpm.pause();
    key.hmac(&message(1)).unwrap_err();
    // Nothing that is said now would be heard.
    drop(key);
    tpm.resume();
    assert!(!raw::loaded(&tpm).is_empty());
    load(&config(&tpm, &file));
    is_empty(&tpm);
}

// The program.

/// Thirty-two bytes, which the other end has as well.
const SECRET: &str = "4d932eb056b43b332adbd8ebc64e20aa991d0a11a3fd5e0dc98aa8c2fb3e135c";

/// Makes `ours.pem`.
fn with_key(flags: &str) -> Host {
    let host = Host::new();
    host.folder.file("secret", SECRET);
    host.says(&format!(
        "key import --out ours.pem --secret file:secret{flags}"
    ));
    host
}

const SERVE: &str = "--role server --listen 127.0.0.1:0 --tpm-key file:ours.pem";

/// A client without a TPM gets its page.
#[track_caller]
fn serves(host: &Host, server: &Process) {
    let listening = server.wait_for_message("listening");
    let address = listening["address"].as_str().unwrap();
    let client = host.start_without_tpm(&format!(
        "--role client --server {address} --get / --secret file:secret"
    ));
    let ended = client.end();
    ended.expect_code(0);
    assert_eq!(ended.stdout(), "ok\n");
}

#[test]
fn a_program_that_is_told_to_end_leaves_nothing() {
    for flags in ["", " --pcrs sha256:0,16"] {
        let host = with_key(flags);
        is_empty(&host.tpm);
        let shared = Shared::to(&host.tpm);
        let server = host.start_by(&shared.words(), SERVE);
        serves(&host, &server);
        assert!(!raw::loaded(&host.tpm).is_empty(), "it uses the TPM");
        server.signal(Signal::TERM);
        server.end().expect_code(0);
        is_empty(&host.tpm);
    }
}

#[test]
fn what_a_killed_program_left_is_flushed_by_the_next_one() {
    for flags in ["", " --pcrs sha256:0,16"] {
        let host = with_key(flags);
        for _ in 0..5 {
            let server = host.start(SERVE);
            serves(&host, &server);
            server.signal(Signal::KILL);
            assert_eq!(server.end().code, None);
            assert!(!raw::loaded(&host.tpm).is_empty(), "it could not flush");
        }
        let server = host.start(SERVE);
        serves(&host, &server);
        server.wait_for_message("flushed what a user before had left in the TPM");
        server.signal(Signal::TERM);
        server.end().expect_code(0);
        is_empty(&host.tpm);
    }
}

#[test]
fn contexts_that_tpm2_tools_have_saved_survive() {
    let host = with_key("");
    host.tool("createprimary -C o -G ecc -c object");
    host.tool("startauthsession -S session --policy-session");
    let saved = raw::saved_sessions(&host.tpm);
    assert_eq!(saved.len(), 1, "the session is in a file");
    let server = host.start(SERVE);
    serves(&host, &server);
    server.signal(Signal::TERM);
    server.end().expect_code(0);
    assert_eq!(raw::saved_sessions(&host.tpm), saved);
    host.tool("readpublic -c object");
    host.tool("policypcr -S session -l sha256:0");
    host.tool("flushcontext session");
}
