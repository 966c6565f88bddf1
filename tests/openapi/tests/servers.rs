//! Each server answers as it is written, at every stage, and does its work afterwards.

use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mcbn_ceremony::generation::{Joining, Opened};
use mcbn_ceremony::message::{AskConfirm, AskRequest, AskRequests, AskShare};
use mcbn_tests_ceremony::sign::subject;
use mcbn_tests_ceremony::{Enclave, House, Visit};
use mcbn_tests_openapi::{Bodies, Seen, fuzz};
use rustix::process::Signal;

/// Three people around a server. The first lends out its key for every question that there is.
struct Scene {
    house: House,
    enclave: Enclave,
    _turn: MutexGuard<'static, ()>,
}

/// Each test asks hundreds of times: side by side they would only be slow together, and every process has its deadline.
static TURN: Mutex<()> = Mutex::new(());

impl Scene {
    fn of(house: House) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let enclave = house.start();
        Self {
            house,
            enclave,
            _turn: turn,
        }
    }

    async fn visits(&self) -> Vec<Visit<'_>> {
        self.house.visits(&self.enclave).await
    }

    fn ask_everything(&self, tag: &str, bodies: &Bodies) -> Seen {
        let certificate: PathBuf = self.house.path("certificate.pem");
        fs::write(&certificate, self.house.people[0].pem()).unwrap();
        let seen = fuzz(tag, self.enclave.address, &certificate, bodies);
        assert!(seen.total() > 250, "{seen:?}");
        println!("{} requests: {seen:?}", seen.total());
        seen
    }

    fn ended(self) {
        let ended = self.enclave.process.end();
        ended.expect_code(0);
        let all = "every participant has its share and the receipt";
        assert!(ended.stderr().contains(all), "{ended}");
    }
}

async fn joined(visits: &mut [Visit<'_>]) -> Vec<Joining> {
    let mut all = Vec::new();
    for visit in visits {
        all.push(visit.joining().await);
    }
    all
}

async fn approve(visits: &mut [Visit<'_>], joined: &[Joining]) {
    for (visit, joining) in visits.iter_mut().zip(joined) {
        visit.approve(joining).await.unwrap();
    }
}

async fn open(visits: &mut [Visit<'_>], joined: &[Joining]) -> Vec<Opened> {
    let mut all = Vec::new();
    for (visit, joining) in visits.iter_mut().zip(joined) {
        all.push(visit.open(joining).await);
    }
    all
}

async fn confirm(visits: &mut [Visit<'_>], opened: &[Opened]) {
    for (visit, opened) in visits.iter_mut().zip(opened) {
        visit.confirm(opened).await.unwrap();
    }
}

async fn finish(visits: &mut [Visit<'_>], opened: &[Opened]) {
    for (visit, opened) in visits.iter_mut().zip(opened) {
        let receipt = visit.receipt().await.unwrap();
        opened.finish(&receipt).unwrap();
    }
}

#[tokio::test]
async fn before_all_have_approved() {
    let generation = Scene::of(House::to_generate());
    let mut visits = generation.visits().await;
    let joined = joined(&mut visits).await;
    let bodies = Bodies::default().with("approve", &visits[0].approval(&joined[0]));
    let seen = generation.ask_everything("generation", &bodies);
    for (operation, status) in [
        ("announcement", 200),
        ("standing", 200),
        ("approve", 200),
        ("approve", 403),
        ("share", 409),
        ("confirm", 409),
        ("receipt", 409),
    ] {
        assert!(seen.count(operation, status) > 0, "{operation} {status}");
    }
    // A connection on which nothing was asked for half a minute is closed by now.
    let mut visits = generation.visits().await;
    approve(&mut visits, &joined).await;
    let opened = open(&mut visits, &joined).await;
    confirm(&mut visits, &opened).await;
    finish(&mut visits, &opened).await;
    generation.ended();
}

#[tokio::test]
async fn before_all_have_confirmed() {
    let generation = Scene::of(House::to_generate());
    let mut visits = generation.visits().await;
    let joined = joined(&mut visits).await;
    approve(&mut visits, &joined).await;
    let opened = open(&mut visits, &joined).await;
    let person = &generation.house.people[0];
    let participant = person.index;
    let confirm_once = AskConfirm {
        participant,
        confirmation: opened[0].confirm(&person.signing_key()),
    };
    let bodies = Bodies::default()
        .with("approve", &visits[0].approval(&joined[0]))
        .with("share", &AskShare { participant })
        .with("confirm", &confirm_once);
    let seen = generation.ask_everything("generation", &bodies);
    for (operation, status) in [
        ("approve", 200),
        ("share", 200),
        ("share", 403),
        ("confirm", 200),
        ("confirm", 403),
        ("receipt", 409),
    ] {
        assert!(seen.count(operation, status) > 0, "{operation} {status}");
    }
    let mut visits = generation.visits().await;
    confirm(&mut visits, &opened).await;
    finish(&mut visits, &opened).await;
    generation.ended();
}

#[tokio::test]
async fn when_there_is_a_receipt() {
    let generation = Scene::of(House::to_generate());
    let mut visits = generation.visits().await;
    let joined = joined(&mut visits).await;
    approve(&mut visits, &joined).await;
    let opened = open(&mut visits, &joined).await;
    confirm(&mut visits, &opened).await;
    let seen = generation.ask_everything("generation", &Bodies::default());
    assert!(seen.count("receipt", 200) > 0, "{seen:?}");
    let mut visits = generation.visits().await;
    finish(&mut visits, &opened).await;
    generation.ended();
}

#[tokio::test]
async fn while_requests_to_sign_are_open() {
    let (house, key) = House::to_sign();
    let signing = Scene::of(house);
    let [alice, bob, _] = &mut signing.visits().await[..] else {
        unreachable!("there are three")
    };
    let request = bob.announce(b"a release").await.unwrap();
    let open = alice.request(request).await.unwrap();
    let session = alice.session().await;
    let bodies = Bodies::default()
        .with(
            "announce",
            &alice.announcement(session, &subject(b"another")),
        )
        .with("submit", &alice.part(&open, &key.shares[0]))
        .with("request", &AskRequest { request })
        .with(
            "requests",
            &AskRequests {
                after: Some(request),
            },
        );
    let seen = signing.ask_everything("signing", &bodies);
    for (operation, status) in [
        ("session", 200),
        ("announce", 200),
        ("announce", 403),
        ("submit", 200),
        ("submit", 403),
        ("request", 200),
        ("request", 404),
        ("requests", 200),
    ] {
        assert!(seen.count(operation, status) > 0, "{operation} {status}");
    }
    // The fuzzer has brought Alice's part.
    let bob = &mut signing.visits().await[1];
    let open = bob.sign(request, &key.shares[1]).await.unwrap();
    let signature = open.signature.expect("it is signed");
    assert_eq!(key.group.key().verify(b"a release", &signature), Ok(()));
    signing.enclave.process.signal(Signal::TERM);
    signing.enclave.process.end().expect_code(0);
}
