//! What a TPM refuses, and those that are none: each gives an error that says whose fault it is.

use std::io;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::channel;
use std::time::Duration;

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_tpm::fake::Fake;
use mcbn_tests_tpm::host::{Host, STANDARD};
use mcbn_tests_tpm::ours::{
    auth, config, hmac_in_tpm, imported, load, message, order, persistent_parent, randoms, refused,
    session_key,
};
use mcbn_tests_tpm::pem::{parts, spoilt};
use mcbn_tests_tpm::shared::Shared;
use mcbn_tpm::key::{NotAKey, NotForThis};
use mcbn_tpm::{
    AuthValue, Error, KeyConfig, KeyFile, KeyInTpm, Layout, LoadedKey, Metrics, Order, Tcti, Whose,
};

/// Why no key is made.
#[track_caller]
fn not_made(order: &Order) -> Error {
    order.create().expect_err("no key is made")
}

macro_rules! is {
    ($error:expr, $pattern:pat) => {{
        let error = $error;
        assert!(matches!(error, $pattern), "{error:?}");
    }};
}

// Authorization values.

/// A key that takes `opensesame`.
fn locked(tpm: &Swtpm) -> KeyFile {
    imported(&Order {
        key_auth: auth("opensesame"),
        ..order(tpm)
    })
}

fn with_key_auth(tpm: &Swtpm, file: &KeyFile, key_auth: Option<AuthValue>) -> KeyConfig {
    KeyConfig {
        key_auth,
        ..config(tpm, file)
    }
}

#[test]
fn a_wrong_or_missing_authorization_value_of_the_key_is_refused() {
    let tpm = Swtpm::start();
    let file = locked(&tpm);
    // A third one would lock the TPM.
    for wrong in [None, auth("opensesam")] {
        is!(
            refused(&with_key_auth(&tpm, &file, wrong)),
            Error::WrongAuth(Whose::Key)
        );
    }
    load(&with_key_auth(&tpm, &file, auth("opensesame")));
}

#[test]
fn an_authorization_value_that_the_key_has_not_is_refused() {
    let tpm = Swtpm::start();
    let file = imported(&order(&tpm));
    is!(
        refused(&with_key_auth(&tpm, &file, auth("opensesame"))),
        Error::WrongAuth(Whose::Key)
    );
}

#[test]
fn a_wrong_authorization_value_of_a_sealed_key_is_refused() {
    let tpm = Swtpm::start();
    let file = imported(&Order {
        key_auth: auth("opensesame"),
        pcrs: Some("sha256:16".parse().unwrap()),
        ..order(&tpm)
    });
    for wrong in [None, auth("opensesam")] {
        is!(
            refused(&with_key_auth(&tpm, &file, wrong)),
            Error::WrongAuth(Whose::Key)
        );
    }
    load(&with_key_auth(&tpm, &file, auth("opensesame")));
}

#[test]
fn a_wrong_or_missing_authorization_value_of_the_owner_is_refused() {
    let host = Host::new();
    let file = imported(&order(&host.tpm));
    host.tool("changeauth -c o ownerword");
    for wrong in [None, auth("ownerwor")] {
        is!(
            not_made(&Order {
                parent_auth: wrong,
                ..order(&host.tpm)
            }),
            Error::WrongAuth(Whose::Parent)
        );
    }
    for wrong in [None, auth("ownerwor")] {
        is!(
            refused(&KeyConfig {
                parent_auth: wrong,
                ..config(&host.tpm, &file)
            }),
            Error::WrongAuth(Whose::Parent)
        );
    }
}

#[test]
fn a_wrong_or_missing_authorization_value_of_a_persistent_parent_is_refused() {
    let host = Host::new();
    host.tool(&format!(
        "createprimary -C o -G ecc -a {STANDARD} -p parentword -c parent"
    ));
    host.tool("evictcontrol -C o -c parent 0x81000002");
    let under = |parent_auth| Order {
        parent: persistent_parent(0x8100_0002),
        parent_auth,
        ..order(&host.tpm)
    };
    let file = under(auth("parentword")).create().unwrap();
    for wrong in [None, auth("parentwor")] {
        is!(not_made(&under(wrong)), Error::WrongAuth(Whose::Parent));
    }
    for wrong in [None, auth("parentwor")] {
        is!(
            refused(&KeyConfig {
                parent_auth: wrong,
                ..config(&host.tpm, &file)
            }),
            Error::WrongAuth(Whose::Parent)
        );
    }
}

// Lockout.

/// One wrong authorization locks the TPM for a long while.
const STRICT: &str = "dictionarylockout -s -n 1 -t 86400 -l 86400";

const FORGIVE: &str = "dictionarylockout -c";

#[test]
fn a_tpm_in_lockout_is_refused_until_it_is_reset() {
    let host = Host::new();
    let file = locked(&host.tpm);
    host.tool(STRICT);
    let right = with_key_auth(&host.tpm, &file, auth("opensesame"));
    refused(&with_key_auth(&host.tpm, &file, auth("wrong")));
    is!(refused(&right), Error::Lockout);
    // A key that nobody can guess at is none of its business.
    load(&config(&host.tpm, &imported(&order(&host.tpm))));
    host.tool(FORGIVE);
    load(&right);
}

#[test]
fn a_tpm_that_goes_into_lockout_makes_no_keys_until_it_is_reset() {
    let host = Host::new();
    let shared = Shared::to(&host.tpm);
    let file = locked(&host.tpm);
    host.folder.file("ours.pem", file.to_pem());
    host.tool("load -r ours.pem -c key");
    host.folder.file("data", "data");
    host.tool(STRICT);
    let config = KeyConfig {
        tcti: shared.tcti(),
        ..with_key_auth(&host.tpm, &file, auth("opensesame"))
    };
    let (tell, reachable) = channel();
    let key = KeyInTpm::open(config, Layout::Random32, 2, Metrics::default(), move |is| {
        // The test may be over.
        let _ = tell.send(is);
    })
    .unwrap();
    assert_eq!(reachable.recv_timeout(DEADLINE), Ok(true));
    session_key(&key, &randoms(1), None).unwrap();

    let wrong = host.tool_by(&shared.words(), "hmac -c key -p wrong data");
    assert_ne!(wrong.code, Some(0), "{wrong}");
    let refused = session_key(&key, &randoms(2), None).unwrap_err();
    assert_eq!(refused.0, "the TPM is in lockout");
    assert_eq!(reachable.recv_timeout(DEADLINE), Ok(false));
    // Nor while it is looked at again.
    let refused = session_key(&key, &randoms(3), None).unwrap_err();
    assert_eq!(refused.0, "the TPM is in lockout");

    host.tool_by(&shared.words(), FORGIVE).expect_code(0);
    assert_eq!(reachable.recv_timeout(DEADLINE), Ok(true));
    session_key(&key, &randoms(4), None).unwrap();
}

// Keys that are not this TPM's.

#[test]
fn a_key_of_another_tpm_is_refused() {
    let [one, other] = [(); 2].map(|()| Swtpm::start());
    for order in [
        order(&one),
        Order {
            parent: "endorsement".parse().unwrap(),
            ..order(&one)
        },
    ] {
        let file = order.create().unwrap();
        is!(refused(&config(&other, &file)), Error::AnotherTpms);
        load(&config(&one, &file));
    }
}

#[test]
fn a_key_under_another_parent_is_refused() {
    let host = Host::new();
    host.tool("createprimary -C o -G rsa -c parent");
    host.tool("create -C parent -G hmac -u public -r private");
    // It says that it is under the owner's primary key, and not which.
    host.tool("encodeobject -C parent -u public -r private -o theirs.pem");
    is!(
        refused(&config(&host.tpm, &host.key("theirs.pem"))),
        Error::AnotherTpms
    );
}

#[test]
fn a_key_after_its_tpm_was_cleared_is_refused() {
    let host = Host::new();
    let file = imported(&order(&host.tpm));
    host.tool("clear -c p");
    is!(refused(&config(&host.tpm, &file)), Error::AnotherTpms);
}

#[test]
fn a_corrupt_private_part_is_refused() {
    let tpm = Swtpm::start();
    let pem = order(&tpm).create().unwrap().to_pem();
    let [_, private] = parts(pem.as_bytes());
    let mut refusals = [0; 2];
    // Its length, two sizes, what the TPM signed, what it encrypted.
    for at in (0..4).chain((4..private.len() - 2).step_by(11)) {
        let file = KeyFile::from_pem(&spoilt(pem.as_bytes(), at)).unwrap();
        match refused(&config(&tpm, &file)) {
            Error::AnotherTpms => refusals[0] += 1,
            // Sizes that do not fit.
            Error::Refused(mcbn_tpm::Step::Load, _) => refusals[1] += 1,
            other => panic!("{at}: {other:?}"),
        }
    }
    assert!(refusals[0] > refusals[1], "{refusals:?}");
    load(&config(&tpm, &KeyFile::from_pem(pem.as_bytes()).unwrap()));
}

#[test]
fn a_private_part_of_another_key_is_refused() {
    let tpm = Swtpm::start();
    let [one, other] = [(); 2].map(|()| order(&tpm).create().unwrap().to_pem());
    let [_, own] = parts(one.as_bytes());
    let [_, foreign] = parts(other.as_bytes());
    let (label, der) = der::pem::decode_vec(one.as_bytes()).unwrap();
    let head = &der[..der.len() - own.len()];
    let mixed = [head, &foreign].concat();
    let mixed = der::pem::encode_string(label, der::pem::LineEnding::LF, &mixed).unwrap();
    let file = KeyFile::from_pem(mixed.as_bytes()).unwrap();
    is!(refused(&config(&tpm, &file)), Error::AnotherTpms);
}

#[test]
fn a_file_that_was_cut_is_refused() {
    let tpm = Swtpm::start();
    let pem = order(&tpm).create().unwrap().to_pem();
    let (label, der) = der::pem::decode_vec(pem.as_bytes()).unwrap();
    for cut in 0..der.len() {
        let cut = der::pem::encode_string(label, der::pem::LineEnding::LF, &der[..cut]).unwrap();
        let refused = KeyFile::from_pem(cut.as_bytes()).unwrap_err();
        assert!(
            matches!(refused, NotAKey::Der | NotAKey::Pem),
            "{refused:?}"
        );
    }
}

// Persistent objects.

#[test]
fn a_persistent_handle_without_an_object_is_refused() {
    let tpm = Swtpm::start();
    is!(refused(&config(&tpm, 0x8100_0001)), Error::NoSuchHandle);
    is!(
        not_made(&Order {
            parent: persistent_parent(0x8100_0001),
            ..order(&tpm)
        }),
        Error::NoSuchHandle
    );
}

#[test]
fn a_persistent_object_that_is_no_permanent_key_is_refused() {
    let host = Host::new();
    host.folder.file("data", "some data");
    host.folder.file("policy", [7; 32]);
    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("evictcontrol -C o -c parent 0x81000001");
    let plain = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign";
    let others = [
        (format!("-G rsa:rsassa -a {plain}"), NotForThis::Type),
        (format!("-G ecc:ecdsa -a {plain}"), NotForThis::Type),
        ("-G aes".into(), NotForThis::Type),
        ("-i data".into(), NotForThis::Scheme),
        ("-G hmac:sha1".into(), NotForThis::Scheme),
        (
            format!("-G hmac:sha256 -a {plain}|restricted"),
            NotForThis::Attributes,
        ),
        ("-G hmac:sha256 -L policy".into(), NotForThis::Policy),
    ];
    is!(
        refused(&config(&host.tpm, 0x8100_0001)),
        Error::NotForThis(NotForThis::Type)
    );
    for (flags, reason) in others {
        host.tool(&format!("create -C parent {flags} -u public -r private"));
        host.tool("load -C parent -u public -r private -c object");
        host.tool("evictcontrol -C o -c object 0x81000003");
        match refused(&config(&host.tpm, 0x8100_0003)) {
            Error::NotForThis(why) => assert_eq!(why, reason, "{flags}"),
            other => panic!("{flags}: {other:?}"),
        }
        host.tool("evictcontrol -C o -c 0x81000003");
    }
    // One that is.
    host.tool("create -C parent -G hmac:sha256 -u public -r private");
    host.tool("load -C parent -u public -r private -c object");
    host.tool("evictcontrol -C o -c object 0x81000003");
    load(&config(&host.tpm, 0x8100_0003));
}

#[test]
fn a_parent_that_wraps_nothing_is_refused() {
    let host = Host::new();
    host.tool("createprimary -C o -G ecc -c parent");
    host.tool("create -C parent -G hmac:sha256 -u public -r private");
    host.tool("load -C parent -u public -r private -c object");
    host.tool("evictcontrol -C o -c object 0x81000003");
    is!(
        not_made(&Order {
            parent: persistent_parent(0x8100_0003),
            ..order(&host.tpm)
        }),
        Error::Refused(mcbn_tpm::Step::Create, _)
    );
}

// PCRs.

#[test]
fn registers_that_the_tpm_does_not_have_are_refused() {
    let mut host = Host::new();
    host.tool("pcrallocate sha256:none+sha1:all");
    host.tpm.kill();
    host.tpm.start_again();
    // A policy of nothing would hold in every state of the machine.
    is!(
        not_made(&Order {
            pcrs: Some("sha256:0,7".parse().unwrap()),
            ..order(&host.tpm)
        }),
        Error::NoPcrs
    );
}

// TPMs that are none.

fn at(tcti: Tcti, limit: Duration) -> KeyConfig {
    let tpm = Swtpm::start();
    KeyConfig {
        tcti,
        limit,
        ..config(&tpm, 0x8100_0001)
    }
}

#[track_caller]
fn unreachable(config: &KeyConfig) -> io::ErrorKind {
    match refused(config) {
        Error::Unreachable(error) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tpm_that_is_not_there_is_refused() {
    let mut tpm = Swtpm::start();
    tpm.kill();
    assert_eq!(
        unreachable(&config(&tpm, 0x8100_0001)),
        io::ErrorKind::ConnectionRefused
    );
    for nowhere in ["swtpm:path=/nowhere", "device:/nowhere"] {
        assert_eq!(
            unreachable(&at(nowhere.parse().unwrap(), DEADLINE)),
            io::ErrorKind::NotFound
        );
    }
}

#[test]
fn a_tpm_that_ends_the_connection_is_refused() {
    let closes = Fake::that(drop);
    let error = unreachable(&at(closes.tcti(), DEADLINE));
    // That it was not read from first may show in either way.
    assert!(
        matches!(
            error,
            io::ErrorKind::UnexpectedEof
                | io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionReset
        ),
        "{error:?}"
    );
    let cuts = Fake::that_says([0x80, 1, 0]);
    let error = unreachable(&at(cuts.tcti(), Duration::from_millis(200)));
    assert_eq!(error, io::ErrorKind::TimedOut);
}

#[test]
fn a_tpm_that_does_not_answer_is_given_up_at_the_limit() {
    let tpm = Swtpm::start();
    let file = imported(&order(&tpm));
    let limit = Duration::from_millis(200);
    let paused = KeyConfig {
        limit,
        ..config(&tpm, &file)
    };
    tpm.pause();
    assert_eq!(unreachable(&paused), io::ErrorKind::TimedOut);
    is!(
        not_made(&Order {
            limit,
            ..order(&tpm)
        }),
        Error::Unreachable(_)
    );
    tpm.resume();
    load(&config(&tpm, &file));
}

#[test]
fn a_host_that_does_not_answer_is_given_up_at_the_limit() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    // Nobody takes who comes, and there is no room to wait: the system drops what would be answered.
    rustix::net::listen(&listener, 0).unwrap();
    let soon = Duration::from_millis(200);
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, soon) {
        waiting.push(stream);
    }
    let tcti = format!("swtpm:host=127.0.0.1,port={}", address.port());
    assert_eq!(
        unreachable(&at(tcti.parse().unwrap(), soon)),
        io::ErrorKind::TimedOut
    );
}

#[test]
fn a_tpm_that_stops_to_answer_is_given_up_at_the_limit() {
    let tpm = Swtpm::start();
    let file = imported(&order(&tpm));
    // Long enough for a TPM that is well, on most days.
    let limit = Duration::from_secs(5);
    let mut key = load(&KeyConfig {
        limit,
        ..config(&tpm, &file)
    });
    let before = hmac_in_tpm(&mut key, &message(1));
    tpm.pause();
    match key.hmac(&message(2)).unwrap_err() {
        Error::Unreachable(error) => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
    tpm.resume();
    // An answer that comes late must never be taken for another question's.
    is!(key.hmac(&message(1)).unwrap_err(), Error::Unreachable(_));
    drop(key);
    let mut key = load(&config(&tpm, &file));
    assert_eq!(hmac_in_tpm(&mut key, &message(1)), before);
}

#[test]
fn what_answers_nonsense_is_refused() {
    let web = Fake::that_says(*b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let error = unreachable(&at(web.tcti(), DEADLINE));
    assert_eq!(error, io::ErrorKind::InvalidData);
    for answer in [
        // Success, and nothing with it.
        &[0x80, 1, 0, 0, 0, 10, 0, 0, 0, 0][..],
        // Success, and what is no answer to anything.
        &[
            0x80, 1, 0, 0, 0, 16, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        ],
        &[0x80, 2, 0, 0, 0, 14, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        // Another tag.
        &[0xff, 0xff, 0, 0, 0, 10, 0, 0, 0, 0],
        // A code that no TPM has.
        &[0x80, 1, 0, 0, 0, 10, 0xff, 0xff, 0xff, 0xff],
        // Try again, for ever.
        &[0x80, 1, 0, 0, 0, 10, 0, 0, 0x09, 0x22],
    ] {
        let fake = Fake::that_says(answer);
        is!(refused(&at(fake.tcti(), DEADLINE)), Error::Refused(..));
    }
    // Not started up.
    let fake = Fake::that_says([0x80, 1, 0, 0, 0, 10, 0, 0, 0x01, 0x00]);
    is!(refused(&at(fake.tcti(), DEADLINE)), Error::Reset);
}

#[test]
fn a_tpm_whose_room_is_taken_is_refused() {
    // TPM_RC_OBJECT_MEMORY and TPM_RC_SESSION_MEMORY.
    for code in [0x02, 0x03] {
        let fake = Fake::that_says([0x80, 1, 0, 0, 0, 10, 0, 0, 0x09, code]);
        is!(refused(&at(fake.tcti(), DEADLINE)), Error::Full);
    }
}

#[test]
fn a_loaded_key_after_a_reset_is_refused() {
    let tpm = Swtpm::start();
    let shared = Shared::to(&tpm);
    let file = imported(&order(&tpm));
    let mut key = load(&KeyConfig {
        tcti: shared.tcti(),
        ..config(&tpm, &file)
    });
    let mut tpm = tpm;
    tpm.kill();
    tpm.start_again();
    // The way was there all the time: the TPM says it.
    is!(key.hmac(&message(1)).unwrap_err(), Error::Reset);
    let _ = LoadedKey::load(&config(&tpm, &file)).map_err(|error| panic!("{error}"));
}
