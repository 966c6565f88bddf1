//! What is not given out, and why.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcbn_attest::{Demand, TokenFault};
use mcbn_attested::client::{Failure, Nonce};
use mcbn_attested::{LARGEST_BODY, Purpose};
use mcbn_binding::{Challenge, Exporter, audience, nonces};
use mcbn_tests_attested::impostor::{self, Said, Vouched};
use mcbn_tests_attested::{
    OTHER_WORKLOAD, Person, Scene, client, manifest, patient_client, profile, read, say,
};
use mcbn_tests_support::confidential_space::{Forgery, Health, Profile};
use tokio::net::TcpListener;

/// What alice is told by an impostor that exchanges something before a genuine machine makes the token.
async fn told(exchange: impl Fn(&mut Vouched) + Send + Sync + 'static) -> Failure {
    let scene = Arc::new(Scene::new());
    let address = impostor::start(&scene, move |scene, caller, challenge| {
        let mut vouched = Vouched::of(scene, caller, challenge, b"hello");
        exchange(&mut vouched);
        Said::with(vouched.token(scene), b"hello")
    });
    let mut connection = scene.client().connect(&address.await).await.unwrap();
    say(&mut connection, "hello").await.unwrap_err()
}

/// Where nothing is exchanged the impostor is as good as a server: what follows fails for its own reason.
#[tokio::test]
async fn an_impostor_with_the_right_token_is_believed() {
    let scene = Arc::new(Scene::new());
    let address = impostor::start(&scene, |scene, caller, challenge| {
        let vouched = Vouched::of(scene, caller, challenge, b"hello");
        Said::with(vouched.token(scene), b"hello")
    });
    let mut connection = scene.client().connect(&address.await).await.unwrap();
    assert_eq!(say(&mut connection, "").await.unwrap().body(), "hello");
}

#[track_caller]
fn is_nonce(failure: &Failure, nonce: Nonce) {
    assert!(
        matches!(failure, Failure::Nonce(found) if *found == nonce),
        "{failure:?}"
    );
}

#[track_caller]
fn is_token(failure: &Failure, fault: TokenFault) {
    assert!(
        matches!(failure, Failure::Token(found) if *found == fault),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_token_of_another_connection_is_refused() {
    let failure = told(|vouched| {
        let other = (&Challenge([0; 32]), &Exporter([9; 32]));
        let [_, connection, _] = nonces(other.0, other.1, &manifest("oidc").digest());
        vouched.nonces[1] = connection;
    });
    let failure = failure.await;
    is_nonce(&failure, Nonce::Connection);
    assert_eq!(failure.reason(), "other-connection");
}

/// Who is in the middle, and a participant as well, has tokens for their own key only.
#[tokio::test]
async fn a_token_that_another_participant_relays_is_refused() {
    let mallory = Person::new().identity().pin();
    let failure = told(move |vouched| {
        vouched.audience = audience(mcbn_tests_attested::PURPOSE, &mallory);
    });
    is_token(&failure.await, TokenFault::Audience);
}

#[tokio::test]
async fn a_token_for_another_purpose_is_refused() {
    let failure = told(|vouched| {
        let pin = vouched.audience.rsplit('/').next().unwrap().to_owned();
        vouched.audience = audience(Purpose::named("release"), &pin);
    });
    is_token(&failure.await, TokenFault::Audience);
}

#[tokio::test]
async fn a_token_of_an_earlier_request_is_refused() {
    let scene = Arc::new(Scene::new());
    let first = Mutex::new(None);
    let address = impostor::start(&scene, move |scene, caller, challenge| {
        let vouched = Vouched::of(scene, caller, challenge, b"hello");
        let mut first = first.lock().unwrap();
        let token = first.get_or_insert_with(|| vouched.token(scene));
        Said::with(token.clone(), b"hello")
    });
    let mut connection = scene.client().connect(&address.await).await.unwrap();
    say(&mut connection, "hello").await.unwrap();
    let failure = say(&mut connection, "hello").await.unwrap_err();
    is_nonce(&failure, Nonce::Challenge);
}

#[tokio::test]
async fn an_answer_that_was_changed_is_refused() {
    for changed in ["Hello", "hello ", "", "hello\n"] {
        let scene = Arc::new(Scene::new());
        let address = impostor::start(&scene, move |scene, caller, challenge| {
            let vouched = Vouched::of(scene, caller, challenge, b"hello");
            Said::with(vouched.token(scene), changed.as_bytes())
        });
        let mut connection = scene.client().connect(&address.await).await.unwrap();
        let failure = say(&mut connection, "hello").await.unwrap_err();
        is_nonce(&failure, Nonce::Answer);
    }
}

/// A release's token, which a keeper may have been shown.
#[tokio::test]
async fn a_token_over_no_answer_is_refused() {
    let failure = told(|vouched| vouched.nonces.truncate(3)).await;
    is_token(&failure, TokenFault::Nonces);
}

#[tokio::test]
async fn a_token_with_its_nonces_in_another_order_is_refused() {
    let failure = told(|vouched| vouched.nonces.swap(0, 1)).await;
    is_nonce(&failure, Nonce::Challenge);
    let failure = told(|vouched| vouched.nonces.swap(2, 3)).await;
    is_nonce(&failure, Nonce::Manifest);
}

#[tokio::test]
async fn an_answer_without_one_token_is_refused() {
    for tokens in [0, 2] {
        let scene = Arc::new(Scene::new());
        let address = impostor::start(&scene, move |scene, caller, challenge| {
            let token = Vouched::of(scene, caller, challenge, b"hello").token(scene);
            Said {
                tokens: vec![token; tokens],
                body: b"hello".to_vec(),
            }
        });
        let mut connection = scene.client().connect(&address.await).await.unwrap();
        let failure = say(&mut connection, "hello").await.unwrap_err();
        assert!(
            matches!(failure, Failure::NoToken(status) if status == 200),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn a_larger_answer_is_refused() {
    let scene = Arc::new(Scene::new());
    let body = vec![b'x'; LARGEST_BODY + 1];
    let address = impostor::start(&scene, move |scene, caller, challenge| {
        Said::with(
            Vouched::of(scene, caller, challenge, &body).token(scene),
            &body,
        )
    });
    let mut connection = scene.client().connect(&address.await).await.unwrap();
    let failure = say(&mut connection, "hello").await.unwrap_err();
    assert!(matches!(failure, Failure::TooLarge), "{failure:?}");
}

#[tokio::test]
async fn every_forged_token_is_refused() {
    let scene = Scene::new();
    let served = scene.serve().await;
    for forgery in Forgery::ALL {
        scene.machine.set_forgery(Some(forgery));
        let failure = scene.ask(&served).await.unwrap_err();
        match forgery {
            // Our client of the token service sees that it is none.
            Forgery::AlgNone => {
                assert!(matches!(failure, Failure::NoToken(status) if status == 503))
            }
            Forgery::NonceReplaced | Forgery::NoncesReordered => {
                is_nonce(&failure, Nonce::Challenge)
            }
            _ => assert!(
                matches!(failure, Failure::Token(_)),
                "{forgery:?}: {failure:?}"
            ),
        }
    }
    scene.machine.set_forgery(None);
    scene.ask(&served).await.unwrap();
}

/// What the client says of a machine, through its own server.
async fn of(profile: Profile) -> Failure {
    let scene = Scene::new();
    scene.machine.change(|machine| *machine = profile);
    let served = scene.serve().await;
    scene.ask(&served).await.unwrap_err()
}

#[tokio::test]
async fn a_debug_image_is_refused() {
    let debug = Profile {
        image: profile(mcbn_tests_attested::WORKLOAD).image,
        ..Profile::debug()
    };
    match of(debug).await {
        Failure::Policy(report) => assert!(report.failed().any(|demand| demand == Demand::Debug)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_image_is_refused() {
    match of(profile("somebody-elses")).await {
        Failure::Policy(report) => {
            assert!(report.failed().any(|demand| demand == Demand::ImageDigest));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_part_of_the_same_manifest_is_refused() {
    match of(profile(OTHER_WORKLOAD)).await {
        Failure::Workload(name) => assert_eq!(name.as_str(), OTHER_WORKLOAD),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_manifest_is_refused() {
    let scene = Scene::new();
    let other = manifest("pki").digest();
    let served = scene.serve_with(|vouching| vouching.manifest = other).await;
    is_nonce(&scene.ask(&served).await.unwrap_err(), Nonce::Manifest);
}

#[tokio::test]
async fn another_purpose_is_refused() {
    let scene = Scene::new();
    let other = Purpose::named("hours");
    let served = scene.serve_with(|vouching| vouching.purpose = other).await;
    let failure = scene.ask(&served).await.unwrap_err();
    is_token(&failure, TokenFault::Audience);
}

#[tokio::test]
async fn a_strangers_key_is_refused() {
    let mut scene = Scene::new();
    let served = scene.serve().await;
    scene.alice = Person::new();
    let failure = scene.ask(&served).await.unwrap_err();
    assert!(matches!(failure, Failure::NotAdmitted), "{failure:?}");
    assert_eq!(scene.machine.requests(), 0);
}

#[tokio::test]
async fn a_server_whose_token_service_is_down_is_refused() {
    let scene = Scene::new();
    let served = scene.serve().await;
    for health in [Health::Failing, Health::HangingUp, Health::Dead] {
        scene.machine.set_health(health);
        let failure = scene.ask(&served).await.unwrap_err();
        assert!(
            matches!(failure, Failure::NoToken(status) if status == 503),
            "{failure:?}"
        );
    }
    scene.machine.set_health(Health::Well);
    scene.ask(&served).await.unwrap();
}

#[tokio::test]
async fn a_token_that_cannot_be_verified_now_is_refused() {
    let scene = Scene::new();
    let served = scene.serve().await;
    scene.issuer.set_health(Health::Dead);
    let mut demands = scene.demands();
    demands.verifier = scene.discovering();
    let client = client(&scene.alice, demands);
    let mut connection = client.connect(&served.address).await.unwrap();
    let failure = say(&mut connection, "hello").await.unwrap_err();
    assert!(matches!(failure, Failure::Keys(_)), "{failure:?}");
}

#[tokio::test]
async fn a_server_that_stalls_is_given_up() {
    const IMPATIENT: Duration = Duration::from_millis(200);
    let scene = Scene::new();
    // It takes the connection, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mcbn_tests_attested::named(silent.local_addr().unwrap());
    let client = patient_client(&scene.alice, scene.demands(), IMPATIENT);
    let failure = client.connect(&address).await.unwrap_err();
    assert!(matches!(failure, Failure::Slow), "{failure:?}");
}

#[tokio::test]
async fn nobody_is_unreachable() {
    let scene = Scene::new();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = mcbn_tests_attested::named(gone.local_addr().unwrap());
    drop(gone);
    let failure = scene.client().connect(&address).await.unwrap_err();
    assert!(matches!(failure, Failure::Unreachable(_)), "{failure:?}");
}

#[tokio::test]
async fn a_second_request_after_a_failure_is_refused() {
    let scene = Scene::new();
    let served = scene.serve().await;
    let mut connection = scene.client().connect(&served.address).await.unwrap();
    scene.machine.set_forgery(Some(Forgery::Expired));
    say(&mut connection, "hello").await.unwrap_err();
    scene.machine.set_forgery(None);
    let failure = read(&mut connection, "/greeting").await.unwrap_err();
    assert!(matches!(failure, Failure::Ended), "{failure:?}");
}
