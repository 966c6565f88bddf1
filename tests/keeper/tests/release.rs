//! Simulated machines before a real keeper.

use std::time::Duration;

use mcbn_consent::message::Lease;
use mcbn_launcher::TokenType;
use mcbn_share::{Contribution, ManifestDigest, text};
use mcbn_tests_keeper::{House, Plan, SHARE};
use mcbn_tests_support::confidential_space::{Forgery, Image, Instance, Issuer, Machine, Profile};

/// What a token lives.
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_machine_gets_the_share_and_renews_its_lease() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let granted = workload.release().await.unwrap();
    let share = text::share(SHARE.as_bytes()).unwrap();
    assert_eq!(granted.share, Contribution::Share(share));
    assert_eq!(granted.length.as_secs(), 300);
    let longer = workload.renew(&granted.lease).await.unwrap();
    assert_eq!(longer.as_secs(), 300);
    assert_eq!(keeper.end().code, Some(0));
    assert_eq!(house.log(), ["started", "released", "renewed"]);
}

#[tokio::test]
async fn a_keeper_of_a_threshold_gives_a_shamir_share() {
    let point = format!("07{SHARE}");
    let house = House::planned(Plan {
        rule: "{ threshold = 2 }",
        share: &point,
        ..Plan::default()
    });
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let granted = house.workload(&keeper, &machine).release().await.unwrap();
    let share = text::shamir_share(point.as_bytes()).unwrap();
    assert_eq!(granted.share, Contribution::Shamir(share));
}

#[tokio::test]
async fn a_keeper_knows_its_instances_after_it_was_started_again() {
    let house = House::new();
    let machine = house.machine(Profile::production());
    let keeper = house.start();
    let granted = house.workload(&keeper, &machine).release().await.unwrap();
    keeper.end();
    let keeper = house.start();
    let workload = house.workload(&keeper, &machine);
    workload.renew(&granted.lease).await.unwrap();
    assert_eq!(workload.not_renewed(&Lease([0; 16])).await, "lease");
}

#[tokio::test]
async fn a_token_whose_root_is_pinned_needs_no_network() {
    let house = House::planned(Plan {
        attestation: r#"token = "pki""#,
        ..Plan::default()
    });
    let root = house.folder.file("root.pem", house.issuer.root_pem());
    let keeper = house.start_with(|command| {
        command.arg("--pki-root").arg(root);
    });
    let machine = house.machine(Profile::production());
    let mut workload = house.workload(&keeper, &machine);
    workload.client.token_type = TokenType::Pki;
    workload.release().await.unwrap();
    assert_eq!(house.issuer.requests(), Default::default());
    // A token of the other kind is not.
    workload.client.token_type = TokenType::Oidc;
    assert!(workload.refused().await.starts_with("token "));
}

#[tokio::test]
async fn a_copy_of_the_issuers_keys_needs_no_network() {
    let house = House::new();
    let keys = house.folder.file("keys.json", house.issuer.jwks());
    let keeper = house.start_with(|command| {
        command.arg("--jwks").arg(keys);
    });
    let machine = house.machine(Profile::production());
    house.workload(&keeper, &machine).release().await.unwrap();
    assert_eq!(house.issuer.requests(), Default::default());
}

#[tokio::test]
async fn a_machine_that_does_not_meet_the_policy_is_refused_with_reasons() {
    let house = House::new();
    let keeper = house.start();
    let debug = house.machine(Profile::debug());
    let refused = house.workload(&keeper, &debug).refused().await;
    assert_eq!(refused, "policy debug support");
    let other = house.machine(Profile {
        image: Image::named("something-else"),
        ..Profile::production()
    });
    let refused = house.workload(&keeper, &other).refused().await;
    assert_eq!(refused, "policy image-digest");
    keeper.end();
    assert_eq!(house.log(), ["started", "refused", "refused"]);
    let log = house.says("log");
    assert!(
        log.contains(" refused policy (debug, support) image=sha256:"),
        "{log}"
    );
    assert!(
        log.contains(&Instance::named("workload-1").self_link()),
        "{log}"
    );
}

#[tokio::test]
async fn a_token_that_is_not_genuine_is_refused() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    machine.set_forgery(Some(Forgery::TamperedPayload));
    assert_eq!(workload.refused().await, "token signature");
    machine.set_forgery(None);
    workload.release().await.unwrap();
    // That of another issuer.
    let issuer = Issuer::claiming(house.issuer.name());
    let elsewhere = Machine::start(&issuer, Profile::production());
    let refused = house.workload(&keeper, &elsewhere).refused().await;
    assert_eq!(refused, "token unknown-key");
    keeper.end();
    assert_eq!(house.log(), ["started", "released", "counted", "counted"]);
}

#[tokio::test]
async fn the_keepers_clock_and_the_issuers_may_differ_by_a_minute() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let granted = workload.release().await.unwrap();
    // A few seconds are left for the test itself.
    machine.set_clock_ahead(Duration::from_secs(50));
    workload.renew(&granted.lease).await.unwrap();
    machine.set_clock_ahead(Duration::from_secs(120));
    let early = "token not-yet-valid";
    assert_eq!(workload.refused().await, early);
    assert_eq!(workload.not_renewed(&granted.lease).await, early);
    machine.set_clock_behind(HOUR);
    workload.renew(&granted.lease).await.unwrap();
    machine.set_clock_behind(HOUR + Duration::from_secs(61));
    let late = "token expired";
    assert_eq!(workload.refused().await, late);
    assert_eq!(workload.not_renewed(&granted.lease).await, late);
    machine.set_clock_behind(Duration::ZERO);
    workload.renew(&granted.lease).await.unwrap();
    keeper.end();
    let refused = house.log().iter().filter(|kind| *kind == "counted").count();
    assert_eq!(refused, 2, "too early, and too late");
}

#[tokio::test]
async fn a_workload_with_another_manifest_is_refused() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let mut workload = house.workload(&keeper, &machine);
    workload.client.manifest = ManifestDigest([7; 32]);
    assert_eq!(workload.refused().await, "manifest");
    assert_eq!(machine.requests(), 0);
}

#[tokio::test]
async fn the_lease_of_another_machine_is_refused() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let granted = house.workload(&keeper, &machine).release().await.unwrap();
    let other = house.machine(Profile {
        instance: Instance::named("workload-2"),
        ..Profile::production()
    });
    let other = house.workload(&keeper, &other);
    assert_eq!(other.not_renewed(&granted.lease).await, "lease");
}

#[tokio::test]
async fn a_share_in_a_descriptor_is_read() {
    let house = House::new();
    let keeper = house.start_with(|command| {
        // Standard input is a pipe, which nobody writes to: this one is a file.
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(r#"exec "$@" 3<"$SHARE""#).arg("sh");
        shell.arg(command.get_program());
        let mut place = false;
        for argument in command.get_args() {
            match place {
                true => shell.arg("fd:3"),
                false => shell.arg(argument),
            };
            place = argument == "--share";
        }
        shell.env_clear().env("SHARE", house.path("share"));
        *command = shell;
    });
    let machine = house.machine(Profile::production());
    house.workload(&keeper, &machine).release().await.unwrap();
}
