//! What a person does while a keeper runs, and while it does not.

use std::process::Command;

use mcbn_tests_keeper::House;
use mcbn_tests_support::confidential_space::{Instance, Profile};
use mcbn_tests_support::process::Process;
use mcbn_tests_support::workload::mcbn;
use serde_json::Value;

/// The name of the only thing of this kind in the list.
fn named(list: &str, kind: &str) -> String {
    let name = list.lines().find_map(|line| line.strip_prefix(kind));
    name.unwrap_or_else(|| panic!("no {kind} in {list}"))
        .trim()
        .to_owned()
}

#[tokio::test]
async fn a_person_sees_who_asks_and_approves() {
    let house = House::new();
    let keeper = house.start_with(|command| {
        command.arg("--ask");
    });
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    assert_eq!(house.says("list"), "no request waits, and no lease runs\n");
    assert_eq!(workload.refused().await, "pending");

    let list = house.says("list");
    let request = named(&list, "request ");
    let machine = format!(
        "  machine   {}\n",
        Instance::named("workload-1").self_link()
    );
    assert!(list.contains(&machine), "{list}");
    let claim = "  hardware      GCP_AMD_SEV_SNP; demanded: ";
    assert!(list.contains(claim), "{list}");
    let approved = house.says(&format!("approve {}", &request[..8]));
    assert_eq!(approved, format!("approved {request}\n"));

    let granted = workload.release().await.unwrap();
    let list = house.says("list");
    assert_eq!(named(&list, "  instance"), request);
    assert!(!list.contains("request"), "{list}");
    workload.renew(&granted.lease).await.unwrap();
    assert_eq!(
        house.log(),
        ["started", "pending", "approved", "released", "renewed"]
    );
}

#[tokio::test]
async fn a_person_denies() {
    let house = House::new();
    let keeper = house.start_with(|command| {
        command.arg("--ask");
    });
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    workload.refused().await;
    let request = named(&house.says("list"), "request ");
    house.says(&format!("deny {request}"));
    assert_eq!(workload.refused().await, "denied");
    assert_eq!(house.says("list"), "no request waits, and no lease runs\n");
}

#[tokio::test]
async fn a_person_revokes_one_lease_and_then_everything() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let granted = workload.release().await.unwrap();
    let list = house.says("list");
    let (lease, instance) = (named(&list, "lease "), named(&list, "  instance"));
    assert_eq!(
        house.says(&format!("revoke {lease}")),
        format!("revoked {instance}\n")
    );
    assert_eq!(workload.not_renewed(&granted.lease).await, "withdrawn");
    house.says(&format!("approve {instance}"));
    let granted = workload.release().await.unwrap();

    // The keeper need not run.
    assert_eq!(keeper.end().code, Some(0));
    assert_eq!(house.says("revoke --all"), "withdrawn\n");
    let keeper = house.start();
    let workload = house.workload(&keeper, &machine);
    assert_eq!(workload.not_renewed(&granted.lease).await, "withdrawn");
    assert_eq!(workload.refused().await, "withdrawn");
    let list = house.says("list");
    assert!(list.starts_with("consent is withdrawn from all"), "{list}");
    assert_eq!(house.says("restore"), "restored\n");
    assert_eq!(workload.not_renewed(&granted.lease).await, "lease");
    workload.release().await.unwrap();
}

#[tokio::test]
async fn the_ledger_is_shown_to_people_and_programs() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let granted = workload.release().await.unwrap();
    workload.renew(&granted.lease).await.unwrap();
    keeper.end();
    assert_eq!(house.says("log --last 1").lines().count(), 1);
    let entries: Vec<Value> = house
        .says("log --json")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let kinds: Vec<_> = entries
        .iter()
        .map(|entry| &entry["entry"]["kind"])
        .collect();
    assert_eq!(kinds, ["started", "released", "renewed"]);
    assert_eq!(entries[2]["seq"], 3);
    let head = house.says("log verify");
    assert_eq!(
        head,
        format!("3 {}\n", entries[2]["hash"].as_str().unwrap())
    );
    assert_eq!(entries[1]["entry"]["lease"], entries[2]["entry"]["lease"]);
    // No secret stands there.
    let log = house.says("log --json") + &house.says("log") + &house.says("list");
    assert!(
        !log.contains("2c6f63f8") && !log.contains("LG9j-MD1"),
        "{log}"
    );
}

#[test]
fn a_head_that_was_noted_tells_of_a_cut() {
    let house = House::new();
    house.start().end();
    let verified = house.says("log verify");
    let (count, head) = verified.trim().split_once(' ').unwrap();
    assert_eq!(count, "1");
    house.says("revoke --all");
    assert!(
        house
            .says(&format!("log verify --head {head}"))
            .starts_with("2 ")
    );
    let error = house.refuses(&format!("log verify --head {}", "1".repeat(64)), 77);
    assert_eq!(
        error,
        "mcbn: error: none of the 2 entries has the noted head as its hash\n\
         mcbn: hint: entries were cut off, or this is another ledger than the one whose head was noted\n"
    );
}

#[test]
fn a_ledger_that_was_changed_is_refused() {
    let house = House::new();
    house.start().end();
    let path = house.books().join("ledger");
    let mut bytes = std::fs::read(&path).unwrap();
    let place = bytes
        .windows(5)
        .position(|window| window == b"alice")
        .unwrap();
    bytes[place..place + 5].copy_from_slice(b"carol");
    std::fs::write(&path, bytes).unwrap();
    let error = house.refuses("log verify", 77);
    assert!(
        error.starts_with(
            "mcbn: error: entry 1 is not the one that was written: its hash is another\n"
        ),
        "{error}"
    );
    let ended = Process::start(house.keeper()).end();
    assert_eq!(ended.code, Some(77));
    assert!(
        ended.stderr().contains("mcbn: error: entry 1 is not"),
        "{ended}"
    );
}

#[test]
fn words_that_mean_nothing_here_change_nothing() {
    let house = House::new();
    let error = house.refuses("list", 64);
    assert_eq!(
        error,
        "mcbn: error: there is no ledger\nmcbn: hint: mcbn keeper run makes it\n"
    );
    house.start().end();
    for (words, error) in [
        (
            "approve abcd",
            "nothing in the ledger has a name that begins so",
        ),
        (
            "revoke abcd",
            "nothing in the ledger has a name that begins so",
        ),
        (
            "revoke --instance abcd",
            "nothing in the ledger has a name that begins so",
        ),
        ("restore", "consent is not withdrawn"),
        (
            "revoke",
            "LEASE and --instance and --all: one of the three says what is revoked",
        ),
        (
            "revoke abcd --all",
            "LEASE and --instance and --all: one of the three says what is revoked",
        ),
        (
            "approve abc",
            "ID: a name is 32 lower-case hex digits, or at least the first 4 of them (expected ID)",
        ),
    ] {
        let said = house.refuses(words, 64);
        assert!(
            said.starts_with(&format!("mcbn: error: {error}\n")),
            "{words}: {said}"
        );
    }
    assert_eq!(house.log(), ["started"]);
}

/// What is wrong with a keeper's own files ends it before it listens.
#[test]
fn a_keeper_that_is_set_up_wrongly_does_not_start() {
    let refused = |change: &dyn Fn(&House, &mut Command), code: i32, error: &str| {
        let house = House::new();
        let mut command = house.keeper();
        change(&house, &mut command);
        let ended = Process::start(command).end();
        assert_eq!(ended.code, Some(code), "{ended}");
        let said = ended.stderr();
        assert!(said.contains(&format!("mcbn: error: {error}")), "{said}");
        assert!(!said.contains("listening"), "{said}");
    };
    let replace = |house: &House, file: &str, content: &str| {
        std::fs::remove_file(house.path(file)).unwrap();
        house.folder.file(file, content);
    };
    refused(
        &|_, command| {
            command.args(["--participant", "carol"]);
        },
        64,
        "--participant is given more than once",
    );
    refused(
        &|house, _| replace(house, "manifest.toml", "version = 2\n"),
        64,
        "",
    );
    refused(
        &|house, _| {
            let text = std::fs::read_to_string(house.path("manifest.toml")).unwrap();
            replace(
                house,
                "manifest.toml",
                &text.replace("\"alice\"", "\"carol\""),
            );
        },
        64,
        "the manifest has no participant alice",
    );
    refused(
        &|house, _| {
            let text = std::fs::read_to_string(house.path("manifest.toml")).unwrap();
            let before = text.split("\n\n[[participant]]").next().unwrap();
            let bob = text.rsplit_once("\n\n[[participant]]").unwrap().1;
            let alice = r#"
name = "alice"
share = "gcp-secret:projects/100200300/secrets/share/versions/1"
identity = "projects/100200300/locations/global/workloadIdentityPools/mcbn/providers/attested""#;
            let text = [before, alice, bob].join("\n\n[[participant]]");
            replace(house, "manifest.toml", &text);
        },
        64,
        "by the manifest, the share of alice is in Google Cloud, without a keeper",
    );
    refused(
        &|house, _| {
            std::fs::remove_file(house.path("key")).unwrap();
            let mut key = mcbn();
            key.args(["keeper", "key", "--out"]).arg(house.path("key"));
            Process::start(key).end();
        },
        64,
        "the manifest names another key for this participant",
    );
    refused(
        &|house, _| replace(house, "share", &"a5".repeat(32)),
        77,
        "the share of alice is refused: it does not look random",
    );
    refused(
        &|_, command| {
            command.args(["--pki-root", "x"]);
        },
        64,
        "--pki-root is given, and the manifest takes tokens of the kind oidc",
    );
    refused(
        &|_, command| {
            command.args(["--jwks", "/nowhere"]);
        },
        74,
        "cannot read the file of --jwks: No such file",
    );
    refused(
        &|_, command| {
            command.args(["--jwks", "x", "--pki-root", "x"]);
        },
        64,
        "--jwks and --pki-root: a manifest takes tokens of one kind",
    );
}

/// One environment does for all of them, and each says what it has.
#[test]
fn every_command_passes_over_the_variables_of_the_others() {
    let mut help = mcbn();
    help.arg("--help");
    let help = Process::start(help).end().stdout();
    let words = help.lines().filter_map(|line| line.strip_prefix("  "));
    let commands: Vec<&str> = words
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))
        .collect();
    assert!(commands.contains(&"keeper log verify"), "{commands:?}");
    for command in commands {
        let run = |argument: &str| {
            let mut run = mcbn();
            run.args(command.split(' ')).arg(argument);
            run.env("MCBN_LEDGER", "x").env("MCBN_LISTEN", "x");
            run.env("MCBN_LOG_LEVEL", "x").env("MCBN_HEAD", "x");
            Process::start(run).end()
        };
        let help = run("--help");
        assert_eq!(help.code, Some(0), "{help}");
        let usage = format!("\nUsage: mcbn {command} [SETTING]...");
        assert!(help.stdout().contains(&usage), "{help}");
        let mistake = run("--nonsense");
        assert_eq!(mistake.code, Some(64), "{mistake}");
        assert!(!mistake.stderr().contains("unknown variable"), "{mistake}");
    }
}
