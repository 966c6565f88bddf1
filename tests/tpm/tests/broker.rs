//! Keys of sessions through the resource manager of user space, and what is said where it is not there.

use std::thread;

use mcbn_psk::Randoms;
use mcbn_secret::{HmacKey, Psk};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::swtpm::Swtpm;
use mcbn_tests_tpm::broker::{Broker, Bus, NAME};
use mcbn_tpm::key::Hierarchy;
use mcbn_tpm::{
    Error, KeyConfig, KeyFile, KeyInMemory, KeyPlace, Layout, LoadedKey, Message, Order, Parent,
};

/// Of the published sample.
const PERMANENT: &[u8; 32] = b"change this password to a secret";

/// What is made with it of the randoms 00 01 … 1f and 20 21 … 3f.
const SESSION: &str = "439d840d1fcf1f81007935488c3a47b7a866b2511dc8d62959ec154adbf98f88";

fn import(tcti: &str, key: &[u8; 32]) -> Result<KeyFile, Error> {
    let order = Order {
        tcti: tcti.parse().unwrap(),
        parent: Parent::Primary(Hierarchy::Owner),
        parent_auth: None,
        key_auth: None,
        pcrs: None,
        limit: DEADLINE,
    };
    order.import(&HmacKey::copied_from(key))
}

fn load(tcti: &str, file: KeyFile) -> Result<LoadedKey, Error> {
    LoadedKey::load(&KeyConfig {
        tcti: tcti.parse().unwrap(),
        key: KeyPlace::File(Box::new(file)),
        key_auth: None,
        parent_auth: None,
        limit: DEADLINE,
    })
}

fn message() -> Message {
    Layout::Random32.message(&Randoms {
        client: std::array::from_fn(|i| i as u8),
        server: std::array::from_fn(|i| 0x20 + i as u8),
    })
}

fn hex(key: &Psk) -> String {
    // It is published, or the test's own.
    let bytes = key.expose_secret();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is said of a way that leads nowhere.
fn refusal<T>(refused: Result<T, Error>) -> String {
    match refused.map(drop) {
        Err(Error::Unreachable(why)) => why.to_string(),
        other => panic!("not this failure: {other:?}"),
    }
}

#[test]
fn a_key_of_a_session_is_made() {
    let broker = Broker::start();
    let file = import(&broker.tcti(), PERMANENT).unwrap();
    let mut key = load(&broker.tcti(), file).unwrap();
    assert_eq!(hex(&key.hmac(&message()).unwrap()), SESSION);
}

#[test]
fn users_do_not_disturb_each_other() {
    let broker = Broker::start();
    // More than a TPM has room for.
    let users = [*PERMANENT, [1; 32], [2; 32], [3; 32]].map(|key| {
        let file = import(&broker.tcti(), &key).unwrap();
        let loaded = load(&broker.tcti(), file).unwrap();
        (loaded, HmacKey::copied_from(&key))
    });
    thread::scope(|scope| {
        for (mut loaded, key) in users {
            let wanted = KeyInMemory::new(key, Layout::Random32).hmac(&message());
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(loaded.hmac(&message()).unwrap(), wanted);
                }
            });
        }
    });
}

#[test]
fn a_broker_that_is_killed_is_noticed_and_its_successor_used() {
    let mut broker = Broker::start();
    let file = import(&broker.tcti(), PERMANENT).unwrap();
    let mut key = load(&broker.tcti(), file.clone()).unwrap();
    broker.kill();
    refusal(key.hmac(&message()));
    let none = refusal(load(&broker.tcti(), file.clone()));
    assert_eq!(none, "no broker has the name on the message bus");

    broker.start_again();
    let mut key = load(&broker.tcti(), file).unwrap();
    assert_eq!(hex(&key.hmac(&message()).unwrap()), SESSION);
}

#[test]
fn a_broker_that_the_bus_starts_is_waited_for() {
    let tpm = Swtpm::start();
    let bus = Bus::start_for(&tpm);
    import(&bus.tcti(), PERMANENT).unwrap();
}

#[test]
fn a_bus_without_a_broker_is_refused() {
    let bus = Bus::start();
    assert_eq!(
        refusal(import(&bus.tcti(), PERMANENT)),
        "no broker has the name on the message bus"
    );
}

#[test]
fn a_broker_of_another_name_is_refused() {
    let broker = Broker::start();
    let other = broker.tcti() + ",bus_name=com.example.Tabrmd";
    assert_eq!(
        refusal(import(&other, PERMANENT)),
        "no broker has the name on the message bus"
    );
    // The bus itself is no broker.
    let bus = broker.tcti() + ",bus_name=org.freedesktop.DBus";
    assert_eq!(
        refusal(import(&bus, PERMANENT)),
        "what has the broker's name on the message bus is no broker, or not yet"
    );
}

#[test]
fn no_bus_is_refused() {
    let bus = Bus::start();
    let tcti = bus.tcti();
    let path = tcti.strip_prefix("tabrmd:").unwrap().to_owned();
    drop(bus);
    assert_eq!(
        refusal(import(&tcti, PERMANENT)),
        format!("no message bus answers ({path})")
    );
}

#[test]
fn a_user_whom_the_policy_of_the_bus_denies_is_refused() {
    let denied = format!(r#"<deny send_destination="{NAME}"/>"#);
    let broker = Broker::start_on(Bus::start_with(&denied));
    assert_eq!(
        refusal(import(&broker.tcti(), PERMANENT)),
        "the message bus's policy does not let this user ask the broker"
    );
}

#[test]
fn a_user_whom_the_bus_does_not_take_is_refused() {
    let bus = Bus::start_with(r#"<deny user="*"/>"#);
    assert_eq!(
        refusal(import(&bus.tcti(), PERMANENT)),
        "the message bus does not take this user, who may be unknown to the host"
    );
}
