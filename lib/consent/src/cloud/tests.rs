use super::*;
use crate::house;
use mcbn_manifest::CloudShare;
use std::io;
use std::sync::Mutex;

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
const OTHER: &str = "b15244faf36e5e4b178d3891701d245f2e45e881d913b6c35c0ea0ac14224cc2";

/// Google Cloud, as it says one thing after the other.
struct Says(Mutex<Vec<Result<String, &'static str>>>);

impl Says {
    fn all(answers: &[Result<&str, &'static str>]) -> Says {
        let answers = answers.iter().rev();
        Says(Mutex::new(
            answers.map(|answer| answer.map(str::to_owned)).collect(),
        ))
    }
}

impl Fetch for Says {
    async fn fetch(&self, asked: &Cloud) -> Result<ShareText, NotFetched> {
        assert_eq!(*asked, cloud());
        let answer = self.0.lock().unwrap().pop().expect("one question more");
        let answer = answer.map(|text| ShareText::copied_from(text.as_bytes()));
        answer.map_err(|reason| NotFetched {
            reason,
            is_final: reason == "denied",
            source: io::Error::other("by the policy").into(),
        })
    }
}

fn cloud() -> Cloud {
    let provider = "projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested";
    Cloud {
        share: CloudShare::Secret("projects/1/secrets/share/versions/1".parse().unwrap()),
        identity: provider.parse().unwrap(),
    }
}

fn bob() -> Participant {
    "bob".parse().unwrap()
}

const LEASE: Duration = Duration::from_secs(300);

fn in_cloud(kind: Kind, answers: &[Result<&str, &'static str>]) -> InCloud<Says> {
    InCloud {
        fetch: Says::all(answers),
        kind,
        lease: LEASE,
    }
}

fn group(derivation: &str) -> Kind {
    let manifest = house::parsed(&house::two_of_group(derivation));
    manifest.kind().clone()
}

#[tokio::test]
async fn a_share_that_is_still_the_same_renews_the_lease() {
    let commented = format!("# bob's share, of the house\n{SHARE}\n");
    let asker = in_cloud(Kind::Share, &[Ok(&commented), Ok(SHARE), Ok(&commented)]);
    let granted = asker.release(&bob(), &cloud()).await.unwrap();
    let share = text::share(SHARE.as_bytes()).unwrap();
    assert_eq!(granted.share, Contribution::Share(share));
    assert_eq!(granted.length, LEASE);
    for _ in 0..2 {
        let length = asker.renew(&cloud(), &granted.lease).await.unwrap();
        assert_eq!(length, LEASE);
    }
}

#[tokio::test]
async fn another_share_is_refused_when_the_lease_is_renewed() {
    for other in [OTHER, "", "# nothing more", &SHARE[..62]] {
        let asker = in_cloud(Kind::Share, &[Ok(SHARE), Ok(other)]);
        let granted = asker.release(&bob(), &cloud()).await.unwrap();
        let failure = asker.renew(&cloud(), &granted.lease).await.unwrap_err();
        assert_eq!(failure.reason(), "other_share");
        assert!(failure.ends_consent() && failure.is_refusal());
    }
}

#[tokio::test]
async fn what_is_no_share_of_the_kind_is_refused() {
    for (kind, text) in [
        (Kind::Share, "a text"),
        (Kind::Share, ""),
        (Kind::Share, &*"00".repeat(32)),
        (Kind::Shamir, SHARE),
        (group("bls-prf-v1"), SHARE),
        (group("bls-reveal-v1"), SHARE),
        (group("bls-reveal-v1"), house::signing_share_hex("alice")),
    ] {
        let asker = in_cloud(kind, &[Ok(text)]);
        let failure = asker.release(&bob(), &cloud()).await.unwrap_err();
        assert_eq!(failure.reason(), "bad_share");
        assert!(failure.is_final() && failure.is_refusal());
        let shown = failure.to_string();
        assert!(
            shown.starts_with("the share of bob is refused: "),
            "{shown}"
        );
        assert!(text.is_empty() || !shown.contains(text), "{shown}");
    }
}

#[tokio::test]
async fn a_share_of_a_groups_key_signs_here_or_is_given_to_the_program() {
    let own = house::signing_share_hex("bob");
    let asker = in_cloud(group("bls-prf-v1"), &[Ok(own)]);
    let Kind::Consent(signers) = &asker.kind else {
        panic!("{:?}", asker.kind);
    };
    let signed = signers.sign(&bob(), &house::signing_share("bob")).unwrap();
    let granted = asker.release(&bob(), &cloud()).await.unwrap();
    assert_eq!(granted.share, signed);

    let asker = in_cloud(group("bls-reveal-v1"), &[Ok(own), Ok(own)]);
    let granted = asker.release(&bob(), &cloud()).await.unwrap();
    let revealed = Contribution::Revealed(house::signing_share("bob"));
    assert_eq!(granted.share, revealed);
    asker.renew(&cloud(), &granted.lease).await.unwrap();
}

#[tokio::test]
async fn whoever_is_denied_has_no_consent_and_whoever_is_kept_waiting_may_ask_again() {
    for (reason, is_final) in [("denied", true), ("unavailable", false)] {
        let asker = in_cloud(Kind::Share, &[Err(reason), Ok(SHARE), Err(reason)]);
        let failure = asker.release(&bob(), &cloud()).await.unwrap_err();
        assert_eq!(failure.reason(), reason);
        assert_eq!(failure.is_final(), is_final);
        let granted = asker.release(&bob(), &cloud()).await.unwrap();
        let failure = asker.renew(&cloud(), &granted.lease).await.unwrap_err();
        assert_eq!(failure.ends_consent(), is_final);
        assert_eq!(failure.is_refusal(), is_final);
    }
}

#[test]
fn nothing_of_a_share_is_shown() {
    let text = ShareText::copied_from(SHARE.as_bytes());
    assert_eq!(format!("{text:?}"), "ShareText(..)");
    assert_eq!(format!("{:?}", Fingerprint::of(&text)), "Fingerprint(..)");
}
