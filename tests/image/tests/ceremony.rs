//! A key is made, and signed with, by the images that the manifests name.

use std::fs;
use std::net::SocketAddr;

use mcbn_ceremony::message::Phase;
use mcbn_manifest::carried;
use mcbn_tests_ceremony::{GENERATE, House, PURPOSE, SIGN};
use mcbn_tests_image::{Container, digest, listening};
use mcbn_tests_support::confidential_space::Machine;
use rustix::process::Signal;

/// Where the container of such an image answers.
struct Started {
    container: Container,
    address: SocketAddr,
    /// Asked for its tokens.
    _machine: Machine,
}

/// Starts the image, confined, with the house's manifest and more variables.
fn start(house: &House, image: &str, more: &[(&str, &str)]) -> Started {
    let machine = house.machine(house.profile());
    let manifest = fs::read(house.path("manifest.toml")).unwrap();
    let manifest = carried::encode(&manifest);
    let own = [
        ("MCBN_MANIFEST", manifest.as_str()),
        ("MCBN_LISTEN", "127.0.0.1:0"),
    ];
    let variables = [&own, more].concat();
    let container = Container::start_on(&machine, image, &variables, &[]);
    let address = listening(&container);
    container.expect_confined();
    Started {
        container,
        address,
        _machine: machine,
    }
}

#[tokio::test]
async fn three_make_a_key_with_the_image() {
    let house = House::to_generate_with(digest(GENERATE));
    let started = start(&house, GENERATE, &[("MCBN_PURPOSE", PURPOSE)]);
    let mut visits = house.visits_at(started.address).await;
    let mut joined = Vec::new();
    for visit in &mut visits {
        let joining = visit.joining().await;
        visit.approve(&joining).await.unwrap();
        joined.push(joining);
    }
    let mut opened = Vec::new();
    for (visit, joining) in visits.iter_mut().zip(&joined) {
        let own = visit.open(joining).await;
        visit.confirm(&own).await.unwrap();
        opened.push(own);
    }
    assert_eq!(visits[0].standing().await.phase, Phase::Done);
    for (visit, opened) in visits.iter_mut().zip(&opened) {
        opened.finish(&visit.receipt().await.unwrap()).unwrap();
    }
    let (process, _folder) = started.container.into_process();
    process.end().expect_code(0);
}

#[tokio::test]
async fn two_of_three_sign_with_the_image() {
    const MESSAGE: &[u8] = b"a release";
    let (house, key) = House::to_sign_with(digest(SIGN));
    let started = start(&house, SIGN, &[]);
    let mut visits = house.visits_at(started.address).await;
    let request = visits[2].announce(MESSAGE).await.unwrap();
    visits[2].sign(request, &key.shares[2]).await.unwrap();
    let open = visits[0].sign(request, &key.shares[0]).await.unwrap();
    let signature = open.signature.expect("it is signed");
    assert_eq!(key.group.key().verify(MESSAGE, &signature), Ok(()));
    let (process, _folder) = started.container.into_process();
    process.signal(Signal::TERM);
    process.end().expect_code(0);
}
