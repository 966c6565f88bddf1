use super::*;
use crate::message::Code;
use double::{Keepers, Paused, Question, Reply, Reply::*, keeper, name, share};
use mcbn_runtime::exit::{Exit, Failure as _};
use mcbn_share::{Contribution, Derivation, Inheritance, Plan, Threshold};

mod double;
mod start;
mod threshold;

const MINUTE: u64 = 60;
const LEASE: u64 = 5 * MINUTE;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What these keepers have to say is the consent of a network, in which so many are needed, or all.
struct Network {
    keepers: Keepers,
    clock: Paused,
    takes: Takes,
    timeout: Duration,
    lots: Lots,
    metrics: Metrics,
}

/// What the network needs of its participants.
enum Takes {
    All,
    Points(u8),
    /// They sign, and keep their shares.
    Consents,
    /// They give out their shares of a group's key.
    Revealed,
}

impl Network {
    fn new(keepers: Keepers) -> Network {
        Network {
            clock: keepers.clock(),
            keepers,
            takes: Takes::All,
            timeout: secs(10 * MINUTE),
            lots: double::lots(),
            metrics: Metrics::default(),
        }
    }

    fn of_threshold(threshold: u8, keepers: Keepers) -> Network {
        Network {
            takes: Takes::Points(threshold),
            ..Network::new(keepers.with_points(threshold))
        }
    }

    fn of_signers(keepers: Keepers) -> Network {
        Network {
            takes: Takes::Consents,
            ..Network::new(keepers)
        }
    }

    fn of_holders(keepers: Keepers) -> Network {
        Network {
            takes: Takes::Revealed,
            ..Network::new(keepers)
        }
    }

    async fn start(&self) -> Result<(Contributions, Consent<Paused>), NoConsent> {
        self.start_with(|_| {}).await
    }

    async fn start_with(
        &self,
        own: impl FnOnce(&mut Contributions),
    ) -> Result<(Contributions, Consent<Paused>), NoConsent> {
        let members = self.keepers.members();
        let names = members.iter().map(|member| member.name.clone()).collect();
        let here = Vec::new();
        let plan = match self.takes {
            Takes::All => Plan::with_others(Derivation::HkdfV1, None, here, names),
            Takes::Points(t) => {
                let threshold = Some(Threshold::new(t).unwrap());
                Plan::with_others(Derivation::ShamirV1, threshold, here, names)
            }
            Takes::Consents => Plan::signed(double::signers(), here, names),
            Takes::Revealed => Plan::revealed(double::holders(), here, names),
        }
        .unwrap();
        let mut shares = plan.claim(&mut Inheritance::new()).unwrap().read().unwrap();
        own(&mut shares);
        let members = members
            .into_iter()
            .filter(|member| !shares.has(&member.name));
        let terms = Terms {
            members: members.collect(),
            longest_lease: secs(LEASE),
            timeout: self.timeout,
        };
        gather(
            self.keepers.clone(),
            self.clock.clone(),
            Arc::clone(&self.lots),
            &terms,
            shares,
            self.metrics.clone(),
        )
        .await
    }

    async fn consent(&self) -> Consent<Paused> {
        self.start().await.unwrap().1
    }

    /// After how many seconds from the start consent was lost, and how.
    async fn lost(&self) -> (u64, Lost) {
        let lost = self.consent().await.lost(|_| {});
        let lost = tokio::time::timeout(secs(100_000), lost).await;
        let lost = lost.expect("consent is lost in the end");
        (self.clock.elapsed().as_secs(), lost)
    }

    /// Goes on for so long, and fails if consent is lost before.
    async fn goes_on(&self, time: Duration) {
        let consent = self.consent().await;
        tokio::select! {
            biased;
            lost = consent.lost(|_| {}) => panic!("{lost} after {:?}", self.clock.elapsed()),
            () = tokio::time::sleep(time) => {}
        }
    }
}

/// Says yes to everything.
fn willing(_: Question, _: u64) -> Reply {
    Grant(LEASE)
}

#[tokio::test(start_paused = true)]
async fn leases_are_renewed_for_as_long_as_the_keepers_agree() {
    let network = Network::new(Keepers::new([
        keeper("alice", willing),
        keeper("bob", willing),
    ]));
    network.goes_on(secs(3600)).await;
    let renewals = network.keepers.times("alice", Question::Renew);
    // Every 75 to 125 seconds.
    assert!((28..=48).contains(&renewals.len()), "{renewals:?}");
    assert_eq!(network.keepers.times("alice", Question::Release).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_participant_who_withdraws_ends_it_with_the_next_renewal() {
    for code in [Code::Withdrawn, Code::Denied] {
        let bob = move |question, now| match (question, now) {
            (Question::Renew, 200..) => No(code),
            _ => Grant(LEASE),
        };
        let network = Network::new(Keepers::new([keeper("alice", willing), keeper("bob", bob)]));
        let (when, lost) = network.lost().await;
        assert!((200..200 + LEASE / 2).contains(&when), "{when}");
        assert_eq!(lost.exit(), Exit::Refused);
        let shown = lost.to_string();
        assert!(shown.starts_with("consent is lost: bob: "), "{shown}");
        assert!(!shown.contains("alice"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_google_cloud_refuses_for_good_ends_it_with_the_next_renewal() {
    for (reply, shown) in [
        (
            Cloud("permission_denied", true),
            "consent is lost: bob: Google Cloud does not give the share: as the policy says",
        ),
        (
            Other,
            "consent is lost: bob: it is another share than before",
        ),
    ] {
        let bob = move |question, now| match (question, now) {
            (Question::Renew, 200..) => reply.clone(),
            _ => Grant(LEASE),
        };
        let network = Network::new(Keepers::new([keeper("alice", willing), keeper("bob", bob)]));
        let (when, lost) = network.lost().await;
        assert!((200..200 + LEASE / 2).contains(&when), "{when}");
        assert_eq!(lost.exit(), Exit::Refused);
        assert_eq!(lost.to_string(), shown);
        let hint = lost.hint().unwrap();
        assert!(hint.contains("workload identity pool"), "{hint}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_google_cloud_cannot_give_now_only_makes_the_renewal_late() {
    let bob = |_, now| match now {
        10..280 => Cloud("unavailable", false),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("bob", bob)]));
    network.goes_on(secs(3600)).await;
    let bob = |_, now| match now {
        ..10 => Grant(LEASE),
        _ => Cloud("unavailable", false),
    };
    let network = Network::new(Keepers::new([keeper("bob", bob)]));
    let (when, lost) = network.lost().await;
    assert_eq!((when, lost.exit()), (LEASE, Exit::Unavailable));
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_stays_away_ends_it_when_its_lease_ends() {
    let bob = |_, now| match now {
        ..10 => Grant(LEASE),
        _ => Away,
    };
    let network = Network::new(Keepers::new([keeper("alice", willing), keeper("bob", bob)]));
    let (when, lost) = network.lost().await;
    assert_eq!(when, LEASE);
    assert_eq!(lost.exit(), Exit::Unavailable);
    assert_eq!(
        lost.to_string(),
        "consent is lost: bob: the keeper cannot be reached: connection refused"
    );
    let tries = network.keepers.times("bob", Question::Renew);
    assert!(tries.len() > 5, "{tries:?}");
    assert!(tries.iter().all(|time| *time < LEASE), "{tries:?}");
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_comes_back_in_time_changes_nothing() {
    for trouble in [
        Away,
        No(Code::Busy),
        No(Code::Unavailable),
        No(Code::Token),
        No(Code::Policy),
    ] {
        let says = move |_, now| match now {
            10..280 => trouble.clone(),
            _ => Grant(LEASE),
        };
        let network = Network::new(Keepers::new([keeper("alice", says)]));
        network.goes_on(secs(3600)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_lasts_until_the_lease_ends_is_named_as_one() {
    let says = |question, _| match question {
        Question::Release => Grant(LEASE),
        Question::Renew => No(Code::Policy),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let (when, lost) = network.lost().await;
    assert_eq!(when, LEASE);
    assert_eq!(lost.exit(), Exit::Refused);
    assert_eq!(
        lost.to_string(),
        "consent is lost: alice: the policy is not met (image-digest)"
    );
}

#[tokio::test(start_paused = true)]
async fn a_keeper_that_never_answers_does_not_stretch_its_lease() {
    let says = |_, now| match now {
        ..10 => Grant(LEASE),
        _ => Slow(secs(1_000_000)),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let (when, lost) = network.lost().await;
    assert_eq!(when, LEASE);
    assert_eq!(
        lost.to_string(),
        "consent is lost: alice: the answer, or the token for it, took too long"
    );
    // It was asked more than once.
    assert!(network.keepers.times("alice", Question::Renew).len() > 2);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_counted_from_the_question() {
    let says = |question, now| match (question, now) {
        (Question::Release, _) => Slow(secs(20)),
        (Question::Renew, _) => Away,
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let (when, _) = network.lost().await;
    assert_eq!(when, LEASE);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_never_longer_than_the_manifest_allows() {
    let says = |question, _| match question {
        Question::Release => Grant(1_000_000),
        Question::Renew => Away,
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    assert_eq!(network.lost().await.0, LEASE);
    let says = |question, now| match (question, now) {
        (Question::Renew, 200..) => Away,
        _ => Grant(1_000_000),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    assert!(network.lost().await.0 <= 200 + LEASE);
}

#[tokio::test(start_paused = true)]
async fn a_short_lease_is_renewed_in_its_own_time() {
    let network = Network::new(Keepers::new([keeper("alice", |_, _| Grant(10))]));
    network.goes_on(secs(100)).await;
    let renewals = network.keepers.times("alice", Question::Renew);
    assert!((20..=45).contains(&renewals.len()), "{renewals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_the_keeper_forgot_is_asked_for_anew() {
    let says = |question, now| match (question, now) {
        (Question::Renew, 100..300) => No(Code::Lease),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    network.goes_on(secs(1000)).await;
    assert!(network.keepers.times("alice", Question::Release).len() > 1);
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_refused_ends_what_was_left_of_the_forgotten_lease() {
    let says = |question, now| match (question, now) {
        (Question::Renew, _) => No(Code::Lease),
        (Question::Release, 1..) => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let (when, lost) = network.lost().await;
    assert!(when < LEASE / 2, "{when}");
    assert_eq!(lost.exit(), Exit::Refused);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_machine_wakes_up_without_consent() {
    let network = Network::new(Keepers::new([keeper("alice", willing)]));
    let consent = network.consent().await;
    let watched = tokio::spawn(consent.lost(|_| {}));
    tokio::time::sleep(secs(10)).await;
    network.clock.jump(secs(LEASE));
    let lost = tokio::time::timeout(secs(1), watched)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        lost.to_string(),
        "consent is lost: alice: the lease ended before it was renewed"
    );
    assert_eq!(lost.exit(), Exit::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn a_short_suspension_only_brings_the_renewal_forward() {
    let network = Network::new(Keepers::new([keeper("alice", willing)]));
    let consent = network.consent().await;
    let mut watched = tokio::spawn(consent.lost(|_| {}));
    for _ in 0..20 {
        let early = tokio::time::timeout(secs(10), &mut watched).await;
        assert!(early.is_err(), "{early:?}");
        network.clock.jump(secs(150));
    }
}

#[tokio::test(start_paused = true)]
async fn danger_is_told_before_the_end_and_so_is_its_end() {
    let says = |_, now| match now {
        70..200 | 500.. => Away,
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let consent = network.consent().await;
    let mut told = Vec::new();
    let lost = consent.lost(|standing| {
        let now = network.clock.elapsed().as_secs();
        told.push((now, standing.in_danger, standing.live));
    });
    lost.await;
    let standings: Vec<_> = told
        .iter()
        .map(|(_, danger, live)| (*danger, *live))
        .collect();
    let expected = [(false, 1), (true, 1), (false, 1), (true, 1), (true, 0)];
    assert_eq!(standings, expected, "{told:?}");
    assert_eq!(told[1].0, LEASE / 2);
}

#[tokio::test(start_paused = true)]
async fn unconditional_consent_is_never_in_danger_and_never_lost() {
    let mut told = Vec::new();
    let lost = Consent::unconditional().lost(|standing| told.push(standing));
    let ended = tokio::time::timeout(secs(100_000), lost).await;
    assert!(ended.is_err(), "{ended:?}");
    let standing = Standing {
        live: 0,
        needed: 0,
        in_danger: false,
    };
    assert_eq!(told, [standing]);
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_counted() {
    let says = |question, now| match (question, now) {
        (Question::Renew, 70..130) => No(Code::Busy),
        (Question::Renew, 400..) => No(Code::Withdrawn),
        _ => Grant(LEASE),
    };
    let network = Network::new(Keepers::new([keeper("alice", says)]));
    let mut registry = prometheus_client::registry::Registry::default();
    network.metrics.register(&mut registry);
    let shown = || {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    };
    let consent = network.consent().await;
    assert!(shown().contains("\nconsent_leases 1\n"), "{}", shown());
    consent.lost(|_| {}).await;
    let shown = shown();
    for line in [
        "consent_leases 0",
        "consent_releases_total 1",
        r#"consent_failures_total{reason="withdrawn"} 1"#,
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "no {line} in {shown}"
        );
    }
    assert!(
        shown.contains(r#"consent_failures_total{reason="busy"}"#),
        "{shown}"
    );
    assert!(!shown.contains("consent_renewals_total 0"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn two_hundred_workloads_do_not_renew_at_one_moment() {
    let keepers = Keepers::new([keeper("alice", willing)]);
    let lots = double::lots();
    let mut workloads = JoinSet::new();
    for _ in 0..200 {
        let network = Network {
            lots: Arc::clone(&lots),
            ..Network::new(keepers.clone())
        };
        workloads.spawn(async move { network.goes_on(secs(LEASE)).await });
    }
    while let Some(done) = workloads.join_next().await {
        done.unwrap();
    }
    let times = keepers.times("alice", Question::Renew);
    let first: Vec<u64> = times.into_iter().filter(|time| *time < 140).collect();
    assert!(first.len() >= 200, "{}", first.len());
    for second in 75..=125 {
        let at_once = first.iter().filter(|time| **time == second).count();
        assert!(at_once <= 16, "{at_once} in second {second}");
    }
}
