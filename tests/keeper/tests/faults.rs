//! What goes wrong around a keeper: nothing is released that should not be, and nothing that was said is lost.

use std::fs;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use mcbn_consent::client::Failure;
use mcbn_tests_keeper::{House, Keeper, Plan, Workload, refusal};
use mcbn_tests_support::apart::apart;
use mcbn_tests_support::confidential_space::{Health, Instance, Machine, Profile};
use mcbn_tests_support::process::Process;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Lets this keeper's files grow to so many bytes, or to any size. A disk that is full looks much the same to it.
fn room(keeper: &Keeper, bytes: Option<u64>) {
    let pid = Pid::from_raw(keeper.process.pid().try_into().unwrap()).unwrap();
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(pid), Resource::Fsize, limit).unwrap();
}

/// One that is not ended by the signal that comes with a full disk of this kind.
fn start_with_a_small_disk(house: &House) -> Keeper {
    house.start_with(|command| {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(r#"trap "" XFSZ; exec "$@""#).arg("sh");
        shell.arg(command.get_program()).args(command.get_args());
        shell.env_clear();
        *command = shell;
    })
}

fn leases(house: &House) -> Vec<String> {
    let log = house.says("log --json");
    let entries = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lease = |entry: Value| Some(entry["entry"]["lease"].as_str()?.to_owned());
    entries.filter_map(lease).collect()
}

/// As the ledger writes it.
fn hex(lease: mcbn_consent::message::Lease) -> String {
    lease.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keeper_that_is_killed_has_forgotten_nothing_that_it_answered() {
    let house = House::new();
    let machine = house.machine(Profile::production());
    let mut answered = Vec::new();
    for _ in 0..3 {
        let keeper = house.start();
        let workload = Arc::new(house.workload(&keeper, &machine));
        let mut asking = JoinSet::new();
        for _ in 0..4 {
            let workload = Arc::clone(&workload);
            asking.spawn(async move {
                let mut granted = Vec::new();
                // Until it breaks.
                while let Ok(one) = workload.release().await {
                    granted.push(hex(one.lease));
                }
                granted
            });
        }
        // Some answers later, while others are on their way.
        machine.wait_for_requests(machine.requests() + 40);
        keeper.process.signal(Signal::KILL);
        while let Some(granted) = asking.join_next().await {
            answered.extend(granted.unwrap());
        }
        keeper.process.end();
        house.says("log verify");
        let leases = leases(&house);
        for lease in &answered {
            assert!(leases.contains(lease), "{lease} is lost");
        }
    }
    assert!(answered.len() >= 30, "{} answers", answered.len());
}

#[tokio::test]
async fn a_full_disk_releases_nothing_until_there_is_room() {
    let house = House::new();
    let keeper = start_with_a_small_disk(&house);
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let granted = workload.release().await.unwrap();
    room(&keeper, Some(1));
    assert_eq!(workload.refused().await, "unavailable ledger");
    assert_eq!(
        workload.not_renewed(&granted.lease).await,
        "unavailable ledger"
    );
    keeper.process.wait_for_message("nothing is released");
    // Nor is what was written before in danger.
    assert_eq!(house.log(), ["started", "released"]);
    house.says("log verify");

    room(&keeper, None);
    workload.renew(&granted.lease).await.unwrap();
    keeper
        .process
        .wait_for_message("the ledger can be written again");
    workload.release().await.unwrap();
    keeper.end();
    // That it had to refuse is not forgotten either.
    assert_eq!(
        house.log(),
        ["started", "released", "renewed", "released", "counted"]
    );
    house.says("log verify");
}

#[test]
fn a_file_system_without_room_releases_nothing_until_there_is_some() {
    apart("on_a_small_file_system", &["--mount"]);
}

#[tokio::test]
#[ignore = "it mounts a file system: another test runs it where nobody else sees that"]
async fn on_a_small_file_system() {
    let house = House::new();
    mount(
        "tmpfs",
        house.books(),
        "tmpfs",
        MountFlags::empty(),
        Some(c"size=1m,mode=700"),
    )
    .unwrap();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let mut granted = vec![workload.release().await.unwrap()];
    let filler = house.books().join("filler");
    let full = fs::write(&filler, vec![0; 1 << 20]).unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    // The ledger has some room of its own left.
    let refused = loop {
        match workload.release().await {
            Ok(one) => granted.push(one),
            Err(failure) => break failure,
        }
        assert!(granted.len() < 1000, "the disk is never full");
    };
    assert_eq!(refusal(refused), "unavailable ledger");
    let last = granted.last().unwrap().lease;
    assert_eq!(workload.not_renewed(&last).await, "unavailable ledger");

    fs::remove_file(filler).unwrap();
    workload.renew(&last).await.unwrap();
    keeper.end();
    let mut written = leases(&house);
    // The renewal's.
    written.pop();
    let answered: Vec<String> = granted.iter().map(|one| hex(one.lease)).collect();
    assert_eq!(written, answered);
    house.says("log verify");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keepers_can_share_a_ledger() {
    let house = House::new();
    let machine = house.machine(Profile::production());
    let keepers = [house.start(), house.start()];
    let mut asking = JoinSet::new();
    for keeper in &keepers {
        let workload = house.workload(keeper, &machine);
        asking.spawn(async move {
            for _ in 0..20 {
                workload.release().await.unwrap();
            }
        });
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap();
    }
    assert_eq!(house.log().len(), 2 + 40);
    house.says("log verify");
    // What a person says to one is said to both.
    let [one, other] = keepers
        .each_ref()
        .map(|keeper| house.workload(keeper, &machine));
    house.says("revoke --all");
    assert_eq!(one.refused().await, "withdrawn");
    assert_eq!(other.refused().await, "withdrawn");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_workloads_renew_at_once() {
    let house = House::planned(Plan {
        lease: 10,
        ..Plan::default()
    });
    let keeper = house.start();
    let machines: Vec<Machine> = (0..4)
        .map(|n| {
            house.machine(Profile {
                instance: Instance::named(&format!("workload-{n}")),
                ..Profile::production()
            })
        })
        .collect();
    let all: Vec<Arc<Workload>> = machines
        .iter()
        .map(|machine| Arc::new(house.workload(&keeper, machine)))
        .collect();
    let mut asking = JoinSet::new();
    for n in 0..200 {
        let workload = Arc::clone(&all[n % all.len()]);
        asking.spawn(async move {
            let granted = workload.release().await.unwrap();
            workload.renew(&granted.lease).await.unwrap();
        });
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap();
    }
    assert_eq!(leases(&house).len(), 400);
    house.says("log verify");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_bad_requests_take_no_memory_and_leave_few_entries() {
    let house = House::new();
    let keeper = house.start();
    let machine = house.machine(Profile::production());
    let workload = Arc::new(house.workload(&keeper, &machine));
    // Once around, so that everything that is made once is made.
    flood(&keeper, &workload, 500).await;
    workload.release().await.unwrap();
    let before = keeper.memory();
    flood(&keeper, &workload, 9_500).await;
    let after = keeper.memory();
    assert!(
        after < before + 8 * 1024 * 1024,
        "from {before} to {after} bytes"
    );
    workload.release().await.unwrap();
    assert_eq!(keeper.end().code, Some(0));
    let log = house.log();
    let released = log.iter().filter(|kind| *kind == "released").count();
    assert_eq!(released, 2);
    // Two reasons, in each minute that it took.
    assert!(log.len() <= 3 + 2 * 4, "{log:?}");
}

/// Strangers: most speak no TLS, some no HTTP, some ask for nothing that there is.
async fn flood(keeper: &Keeper, workload: &Arc<Workload>, count: usize) {
    let address = keeper.address;
    let mut asking = JoinSet::new();
    for lane in 0..16 {
        let workload = Arc::clone(workload);
        asking.spawn(async move {
            for n in (lane..count).step_by(16) {
                match n / 16 % 8 {
                    0 => {
                        over_tls(
                            &workload,
                            b"POST /v1/renew HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
                        )
                        .await
                    }
                    1 => over_tls(&workload, b"GET / HTTP/1.1\r\n\r\n").await,
                    2 => over_tls(&workload, &[0xff; 20_000]).await,
                    _ => {
                        let mut stream = TcpStream::connect(address).await.unwrap();
                        let _ = stream.write_all(&[0x16; 1000]).await;
                        let _ = stream.read_to_end(&mut Vec::new()).await;
                    }
                }
            }
        });
    }
    while let Some(done) = asking.join_next().await {
        done.unwrap();
    }
}

async fn over_tls(workload: &Workload, bytes: &[u8]) {
    use mcbn_consent::connect::Connect;
    let channel = workload.client.connect.connect(&workload.keeper).await;
    let mut stream = channel.unwrap().stream;
    let _ = stream.write_all(bytes).await;
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

#[tokio::test]
async fn an_issuer_that_is_away_delays_and_never_vouches() {
    let house = House::new();
    house.issuer.set_health(Health::Dead);
    let keeper = house.start();
    keeper
        .process
        .wait_for_message("no token can be verified yet");
    let machine = house.machine(Profile::production());
    let workload = house.workload(&keeper, &machine);
    let failure = workload.release().await.unwrap_err();
    match failure {
        Failure::Refused {
            refusal,
            retry_after,
        } => {
            assert_eq!(refusal.refused.as_str(), "unavailable");
            assert_eq!(retry_after, Some(Duration::from_secs(10)));
        }
        other => panic!("{other:?}"),
    }
    house.issuer.set_health(Health::Well);
    // Keys are fetched again when a while has passed: here, by a keeper that is started again.
    keeper.end();
    let keeper = house.start();
    house.workload(&keeper, &machine).release().await.unwrap();
}

#[test]
fn a_port_that_is_taken_is_said_and_leaves_no_entry() {
    let house = House::new();
    let keeper = house.start();
    let mut command = house.keeper();
    let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let mut again = std::process::Command::new(command.get_program());
    again.env_clear();
    for argument in arguments {
        match argument == "127.0.0.1:0" {
            true => again.arg(keeper.address.to_string()),
            false => again.arg(argument),
        };
    }
    command = again;
    let ended = Process::start(command).end();
    assert_eq!(ended.code, Some(74));
    let error = format!("mcbn: error: cannot listen on {}: ", keeper.address);
    assert!(ended.stderr().contains(&error), "{ended}");
    assert_eq!(house.log(), ["started"]);
}
