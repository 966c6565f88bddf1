//! Images that read their shares in Google Cloud, as they would run on Confidential Space: known to each participant's
//! pool by their attestation tokens, and with services that have a name.

use mcbn_tests_cloud::{House, Plan, echo, get};
use mcbn_tests_demo::visitor::{PAGE, Visitor};
use mcbn_tests_image::{Images, digest};
use mcbn_tests_support::google_cloud::{Call, State};

/// Alice has a keeper, bob a secret and carol a key, and they agreed on these images as they were built.
fn house(images: &[&'static str]) -> House {
    House::of(plan(images))
}

fn plan(images: &[&'static str]) -> Plan {
    Plan {
        images: images.iter().map(|image| (*image, digest(image))).collect(),
        host: Box::new(Images),
        has_name: true,
        ..Plan::default()
    }
}

/// Both ends have read both shares, each time with a token of their own.
#[track_caller]
fn expect_reads(house: &House) {
    let cloud = &house.cloud;
    assert!(cloud.secrets().requests().of(Call::AccessSecret) >= 2);
    assert!(cloud.kms().requests().of(Call::Decrypt) >= 2);
    assert!(cloud.sts().requests().of(Call::ExchangeToken) >= 4);
}

const NOT_GIVEN: &str = "Google Cloud does not give the share: ";
const CONDITION: &str =
    "unauthorized_client: The given credential is rejected by the attribute condition.";

#[test]
fn tls_goes_between_the_images_until_a_secret_s_version_is_disabled() {
    let house = house(&["psk-server", "psk-client"]);
    let server = house.server();
    for name in ["alice", "bob", "carol"] {
        server.hears("consent given", name);
    }
    let (entrance, client) = house.client(&server);
    let mut visitor = Visitor::connect(entrance);
    assert_eq!(visitor.ask().as_deref(), Some(PAGE));
    expect_reads(&house);
    let why = format!("bob: {NOT_GIVEN}not usable: ");
    house.ends_with([server.running, client], &why, |house| {
        let secrets = house.cloud.secrets();
        secrets.set_state(&house.bob.secret, State::Disabled);
    });
    visitor.wait_until_closed();
}

#[test]
fn dtls_goes_between_the_images_until_a_binding_is_removed() {
    let house = house(&["dtls-server", "dtls-client"]);
    let (entrance, ends) = house.pair([("dtls-server", &[]), ("dtls-client", &[])]);
    assert_eq!(echo(entrance, b"a datagram"), b"a datagram");
    expect_reads(&house);
    let why = format!("carol: {NOT_GIVEN}permission denied: ");
    house.ends_with(ends, &why, House::carol_withdraws);
}

#[test]
fn mutual_tls_goes_between_two_of_one_image_until_a_provider_is_disabled() {
    let house = house(&["detrsa-mtls"]);
    let server = [("MCBN_ROLE", "server"), ("MCBN_BITS", "2048")];
    let client = [("MCBN_ROLE", "client"), ("MCBN_BITS", "2048")];
    let (entrance, ends) = house.pair([("detrsa-mtls", &server), ("detrsa-mtls", &client)]);
    let answer = get(entrance, "/");
    assert!(answer.ends_with("\r\n\r\nok\n"), "{answer}");
    expect_reads(&house);
    let why = format!("bob: {NOT_GIVEN}an access token is refused: ");
    house.ends_with(ends, &why, |house| {
        house.cloud.sts().remove_provider(&house.bob.provider);
    });
}

/// Alice and carol agreed to it; bob's provider names another one in its condition.
#[test]
fn another_image_is_refused_by_the_condition_of_a_provider() {
    let house = house(&["psk-server"]);
    house.bob_demands(&digest("psk-client"), house.digest());
    let ended = house.starting_server(&[]).process.end();
    ended.expect_code(77);
    let expected = format!("no consent: bob: {NOT_GIVEN}an access token is refused: {CONDITION}");
    assert!(ended.stderr().contains(&expected), "{ended}");
    assert_eq!(house.cloud.secrets().requests().total(), 0);
}

/// Nobody agreed to what its machine says that it runs, and alice is not there to say so.
#[test]
fn an_image_that_the_manifest_does_not_name_is_refused_by_each_provider() {
    let mut house = House::of(Plan {
        derivation: "shamir-v1",
        ..plan(&["psk-server"])
    });
    house.alice_leaves();
    let own = [("MCBN_SERVER", "127.0.0.1:1"), ("MCBN_GET", "/")];
    let own = own.map(|(name, value)| (name, value.to_owned()));
    let ended = house.start("psk-client", &own);
    let ended = ended.process.end();
    ended.expect_code(77);
    for name in ["bob", "carol"] {
        let expected = format!("{name}: {NOT_GIVEN}an access token is refused: {CONDITION}");
        assert!(ended.stderr().contains(&expected), "{ended}");
    }
    assert_eq!(house.cloud.secrets().requests().total(), 0);
    assert_eq!(house.cloud.kms().requests().total(), 0);
}
