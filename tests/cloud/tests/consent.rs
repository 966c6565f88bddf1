//! Shares in Google Cloud as consent: given, renewed, withdrawn and out of reach, beside a keeper's.

use std::time::{Duration, Instant};

use mcbn_tests_cloud::{DIGEST, House, KEY, LEASE, Plan, address, echo, get};
use mcbn_tests_demo::hears;
use mcbn_tests_demo::visitor::{PAGE, Visitor};
use mcbn_tests_support::google_cloud::{Call, Cloud, Condition, Fault, Service, State};

#[test]
fn a_keeper_a_secret_and_a_key_give_one_key_for_tls() {
    let house = House::new();
    let server = house.server();
    for name in ["alice", "bob", "carol"] {
        server.hears("consent given", name);
    }
    assert_eq!(server.metric("mcbn_consent_leases "), 3);
    let (entrance, _client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    let requests = |service: &Service, call| service.requests().of(call);
    assert_eq!(requests(house.cloud.secrets(), Call::AccessSecret), 2);
    assert_eq!(requests(house.cloud.kms(), Call::Decrypt), 2);
    // A token for each.
    assert_eq!(requests(house.cloud.sts(), Call::ExchangeToken), 4);
}

#[test]
fn a_keeper_a_secret_and_a_key_give_one_key_for_dtls() {
    let house = House::new();
    let (entrance, _ends) = house.pair([("dtls-server", &[]), ("dtls-client", &[])]);
    assert_eq!(echo(entrance, b"a datagram"), b"a datagram");
}

#[test]
fn a_keeper_a_secret_and_a_key_give_one_key_for_mutual_tls() {
    let house = House::new();
    let server = [("MCBN_ROLE", "server"), ("MCBN_BITS", "2048")];
    let client = [("MCBN_ROLE", "client"), ("MCBN_BITS", "2048")];
    let (entrance, _ends) = house.pair([("detrsa-mtls", &server), ("detrsa-mtls", &client)]);
    let answer = get(entrance, "/");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
}

/// Whose signatures or points make the key of the one end do not make that of the other.
fn two_of_three_make_one_key(derivation: &'static str) {
    let mut house = House::of(Plan {
        derivation,
        ..Plan::default()
    });
    let server = house.server();
    house.alice_leaves();
    let (entrance, client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    house.bob_withdraws();
    visitor.wait_until_closed();
    let ended = client.process.end();
    let lost = format!("bob: {NOT_GIVEN}permission denied: ");
    assert!(ended.stderr().contains(&lost), "{ended}");
}

#[test]
fn two_of_three_make_one_key_of_points() {
    two_of_three_make_one_key("shamir-v1");
}

#[test]
fn two_of_three_make_one_key_of_what_is_signed_in_the_machine() {
    two_of_three_make_one_key("bls-prf-v1");
}

#[test]
fn shares_that_are_revealed_to_sign_with_are_taken_back() {
    let house = House::of(Plan {
        derivation: "bls-reveal-v1",
        images: vec![("threshold-sign", DIGEST.to_owned())],
        ..Plan::default()
    });
    let running = house.start(
        "threshold-sign",
        &[
            ("MCBN_LISTEN", "127.0.0.1:0".to_owned()),
            ("MCBN_REVEAL_SHARES", "attested".to_owned()),
        ],
    );
    address(&running.process, "listening");
    house.bob_withdraws();
    hears(&running.process, "no consent", "bob");
    // Alice and carol are enough until then.
    house.carol_withdraws();
    let ended = running.process.end();
    ended.expect_code(77);
    let said = ended.stderr();
    assert!(said.contains("consent is lost: bob: "), "{ended}");
    assert!(said.contains("; carol: "), "{ended}");
}

/// Starts a server that ends without consent, and gives what it said of it.
fn refused(house: &House) -> String {
    let ended = house.starting_server(&[]).process.end();
    ended.expect_code(77);
    let said = ended.stderr();
    let error = said.lines().find(|line| line.contains("error: "));
    error.expect("an error").to_owned()
}

#[test]
fn another_image_is_refused_by_the_participant_who_did_not_agree_to_it() {
    let house = House::new();
    let other = DIGEST.replace('a', "b");
    house.bob_demands(&other, house.digest());
    let error = refused(&house);
    let expected =
        "no consent: bob: Google Cloud does not give the share: an access token is refused";
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("carol"), "{error}");
    let secrets = house.cloud.secrets().requests();
    assert_eq!(secrets.of(Call::AccessSecret), 0, "it came so far");
}

/// Of the same words, and with a line more.
#[test]
fn another_manifest_is_refused_by_everybody() {
    let house = House::new();
    let other = house.manifest_with("# a line more\n");
    let running = house.starting_server(&[("MCBN_MANIFEST", other)]);
    let ended = running.process.end();
    ended.expect_code(77);
    let said = ended.stderr();
    // Each of them alone would have been enough: only the first ones who answer are named.
    let by_keeper = "alice: the keeper guards a share for another manifest";
    let by_cloud = |name: &str| format!("{name}: {NOT_GIVEN}an access token is refused");
    let all = [by_keeper.to_owned(), by_cloud("bob"), by_cloud("carol")];
    assert!(all.iter().any(|one| said.contains(one)), "{ended}");
    assert_eq!(house.cloud.secrets().requests().total(), 0);
    assert_eq!(house.cloud.kms().requests().total(), 0);
}

#[test]
fn a_manifest_that_one_did_not_agree_to_is_refused_by_them() {
    let house = House::new();
    house.bob_demands(DIGEST, &"0".repeat(64));
    let error = refused(&house);
    let expected = format!("no consent: bob: {NOT_GIVEN}an access token is refused");
    assert!(error.contains(&expected), "{error}");
}

#[test]
fn a_machine_that_may_not_decrypt_is_refused() {
    let house = House::new();
    house.carol_withdraws();
    let error = refused(&house);
    let expected = "no consent: carol: Google Cloud does not give the share: permission denied: ";
    assert!(error.contains(expected), "{error}");
}

/// While both ends run, somebody does something. Both end within a lease, and say of whom and why.
fn ends_with(whose: &str, reason: &str, act: impl FnOnce(&House)) {
    let house = House::new();
    let server = house.server();
    let (entrance, client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    let ends = [server.running, client];
    house.ends_with(ends, &format!("{whose}: {reason}"), act);
    visitor.wait_until_closed();
}

const NOT_GIVEN: &str = "Google Cloud does not give the share: ";

#[test]
fn a_binding_that_is_removed_ends_it() {
    let reason = format!("{NOT_GIVEN}permission denied: ");
    ends_with("bob", &reason, House::bob_withdraws);
}

#[test]
fn a_version_that_is_disabled_ends_it() {
    ends_with("bob", &format!("{NOT_GIVEN}not usable: "), |house| {
        let secrets = house.cloud.secrets();
        secrets.set_state(&house.bob.secret, State::Disabled);
    });
}

#[test]
fn a_version_that_is_destroyed_ends_it() {
    ends_with("bob", &format!("{NOT_GIVEN}not usable: "), |house| {
        let secrets = house.cloud.secrets();
        secrets.set_state(&house.bob.secret, State::Destroyed);
    });
}

#[test]
fn a_key_that_is_disabled_ends_it() {
    ends_with("carol", &format!("{NOT_GIVEN}not usable: "), |house| {
        let version = format!("{KEY}/cryptoKeyVersions/1");
        house.cloud.kms().set_state(&version, State::Disabled);
    });
}

#[test]
fn a_provider_that_is_disabled_ends_it() {
    let reason = format!("{NOT_GIVEN}an access token is refused: ");
    ends_with("carol", &reason, |house| {
        house.cloud.sts().remove_provider(&house.carol.provider);
    });
}

#[test]
fn a_condition_that_is_changed_ends_it() {
    let reason = format!("{NOT_GIVEN}an access token is refused: ");
    ends_with("bob", &reason, |house| {
        let name = house.bob.provider.name();
        house
            .cloud
            .sts()
            .set_provider_for_itself(name, Condition::that(|_| false));
    });
}

#[test]
fn another_share_in_its_place_ends_it() {
    ends_with("bob", "it is another share than before", |house| {
        house.cloud.secrets().set_fault(Fault::WrongBytes);
    });
}

/// A service is out of order until a renewal has failed for it.
fn only_makes_it_late(whose: &str, service: fn(&Cloud) -> &Service, fault: Fault) {
    let house = House::new();
    let server = house.server();
    let (entrance, _client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    let service = service(&house.cloud);
    service.set_fault(fault);
    server.hears("no consent", whose);
    service.mend();
    server.hears("consent renewed again", whose);
    server.becomes_ready(true);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    assert_eq!(server.metric("mcbn_consent_releases_total "), 3);
}

#[test]
fn a_secret_manager_that_is_out_of_order_only_makes_it_late() {
    only_makes_it_late("bob", |cloud| cloud.secrets(), Fault::Unavailable);
}

#[test]
fn a_kms_that_is_busy_only_makes_it_late() {
    let busy = Fault::TooManyRequests { retry_after: None };
    only_makes_it_late("carol", |cloud| cloud.kms(), busy);
}

#[test]
fn a_token_service_that_is_out_of_order_only_makes_it_late() {
    only_makes_it_late("carol", |cloud| cloud.sts(), Fault::Internal);
}

#[test]
fn a_secret_that_is_damaged_only_makes_it_late() {
    only_makes_it_late("bob", |cloud| cloud.secrets(), Fault::WrongChecksum);
}

#[test]
fn a_secret_of_another_name_only_makes_it_late() {
    only_makes_it_late("bob", |cloud| cloud.secrets(), Fault::OtherName);
}

#[test]
fn half_an_answer_only_makes_it_late() {
    only_makes_it_late("bob", |cloud| cloud.secrets(), Fault::Truncated);
}

#[test]
fn a_plaintext_that_is_damaged_only_makes_it_late() {
    only_makes_it_late("carol", |cloud| cloud.kms(), Fault::WrongChecksum);
}

#[test]
fn services_that_stay_away_end_it_with_the_lease() {
    let house = House::new();
    let server = house.server();
    let start = Instant::now();
    house.cloud.secrets().set_fault(Fault::HangingUp);
    let ended = server.running.process.end();
    ended.expect_code(69);
    let said = ended.stderr();
    assert!(said.contains("consent is lost: bob: "), "{ended}");
    assert!(start.elapsed() < Duration::from_secs(LEASE.into()) + Duration::from_secs(5));
}

#[test]
fn a_service_that_takes_its_time_is_waited_for() {
    let house = House::new();
    house
        .cloud
        .secrets()
        .set_fault(Fault::Slow(Duration::from_secs(1)));
    let server = house.server();
    let secrets = house.cloud.secrets();
    secrets.wait_for_requests(|requests| requests.of(Call::AccessSecret) >= 3);
    let seen = String::from_utf8(server.running.process.seen().stderr).unwrap();
    assert!(!seen.contains("no consent"), "{seen}");
}

#[test]
fn a_workload_waits_for_google_cloud() {
    let house = House::new();
    house.cloud.sts().set_fault(Fault::Unavailable);
    let running = house.starting_server(&[]);
    hears(&running.process, "no consent", "bob");
    house.cloud.sts().mend();
    hears(&running.process, "consent given", "bob");
    address(&running.process, "listening");
}

#[test]
fn a_machine_without_certificates_of_public_cas_is_refused() {
    let house = House::new();
    let none = [("SSL_CERT_FILE", house.file_without_certificates())];
    let ended = house.starting_server(&none).process.end();
    ended.expect_code(71);
    let said = ended.stderr();
    let expected = "psk-server: error: cannot make the key: Google Cloud cannot be asked for shares: there are no certificates of public CAs here\n\
                    psk-server: hint: install the system's CA certificates, or name a file of them in SSL_CERT_FILE\n";
    assert!(said.ends_with(expected), "{ended}");
    assert_eq!(house.cloud.sts().requests().total(), 0);
    // Where nobody is asked there, none are needed.
    let [bob, carol] = ["bob", "carol"].map(|name| house.share_file(name));
    let here = format!("bob=file:{bob},carol=file:{carol}");
    let more = [none, [("MCBN_SHARE", here)]].concat();
    address(&house.starting_server(&more).process, "listening");
}

#[test]
fn a_share_that_is_here_is_not_asked_for_in_the_cloud() {
    let house = House::new();
    let here = format!("bob=file:{}", house.share_file("bob"));
    let running = house.starting_server(&[("MCBN_SHARE", here)]);
    address(&running.process, "listening");
    assert_eq!(house.cloud.secrets().requests().total(), 0);
}

#[test]
fn no_secret_is_logged_at_any_level() {
    let house = House::new();
    let running = house.starting_server(&[("MCBN_LOG_LEVEL", "trace".to_owned())]);
    address(&running.process, "listening");
    let secrets = house.cloud.secrets();
    secrets.wait_for_requests(|requests| requests.of(Call::AccessSecret) >= 2);
    // What is refused is told in more words.
    secrets.set_state(&house.bob.secret, State::Disabled);
    let ended = running.process.end();
    ended.expect_code(77);
    let said = ended.all();
    assert!(said.contains("is in DISABLED state"), "{ended}");
    for name in ["alice", "bob", "carol"] {
        let file = house.share(name);
        let share = file.lines().find(|line| !line.starts_with('#')).unwrap();
        assert!(
            share.len() >= 43 && !said.contains(share),
            "the share of {name} is logged"
        );
    }
    // Access tokens, and the heads of all signed tokens.
    for beginning in ["ya29-", "eyJ"] {
        assert!(!said.contains(beginning), "a token is logged");
    }
}
