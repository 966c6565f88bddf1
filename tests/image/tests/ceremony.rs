//! A key is made by the image that the manifest names.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use mcbn_ceremony::message::Phase;
use mcbn_manifest::carried;
use mcbn_tests_ceremony::{GENERATE, House, PURPOSE};
use mcbn_tests_image::{Container, digest, listening};
use mcbn_tests_support::folder::Folder;

/// Where the launcher puts its socket.
const LAUNCHER: &str = "/run/container_launcher";

#[tokio::test]
async fn three_make_a_key_with_the_image() {
    let house = House::to_generate_with(digest(GENERATE));
    let machine = house.machine(house.profile());
    let launcher = machine.socket().parent().expect("a socket is in a folder");
    // The image's user is not the launcher's.
    fs::set_permissions(launcher, Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = fs::read(house.path("manifest.toml")).unwrap();
    let manifest = carried::encode(&manifest);
    let variables = [
        ("MCBN_MANIFEST", manifest.as_str()),
        ("MCBN_PURPOSE", PURPOSE),
        ("MCBN_LISTEN", "127.0.0.1:0"),
    ];
    let container =
        Container::start_in(Folder::new(), GENERATE, &variables, &[(launcher, LAUNCHER)]);
    let address = listening(&container);
    container.expect_confined();
    let mut visits = Vec::new();
    for person in &house.people {
        visits.push(house.visit_at(person, address).await.unwrap());
    }
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
    let (process, _folder) = container.into_process();
    process.end().expect_code(0);
}
