use super::*;
use mcbn_secret::{ConsentSignature, Share, SigningShare};
use mcbn_share::{Contribution, text};
use std::fmt::Debug;

const MANIFEST: &str = "dbab12665d98aef021ba64953c61b0ed8a908cfb56a1c01e2fcb4b052b71a2a1";
const CHALLENGE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const LEASE: &str = "AAECAwQFBgcICQoLDA0ODw";
const SHARE: &str = "LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA";
const SHAMIR: &str = "ByxvY_jA9TpWXbBBuRwKla3YkT_BAmcFids5giKNv-2Q";

#[track_caller]
fn stands_as<'a, M>(message: M, body: &'a str)
where
    M: Serialize + Deserialize<'a> + PartialEq + Debug,
{
    assert_eq!(str::from_utf8(&write(&message)), Ok(body));
    assert_eq!(read(body.as_bytes()), Ok(message));
}

fn lease() -> Lease {
    Lease(std::array::from_fn(|i| i as u8))
}

fn seconds(seconds: u32) -> NonZeroU32 {
    seconds.try_into().unwrap()
}

fn released(share: Contribution) -> Released {
    Released {
        share,
        lease: lease(),
        seconds: seconds(300),
    }
}

#[test]
fn every_message_has_one_body() {
    let mut manifest = [0; 32];
    base16ct::lower::decode(MANIFEST, &mut manifest).unwrap();
    let ask = AskChallenge {
        manifest: ManifestDigest(manifest),
    };
    stands_as(ask, &format!(r#"{{"manifest":"{MANIFEST}"}}"#));
    let challenge = Challenge(std::array::from_fn(|i| i as u8));
    stands_as(
        Challenged { challenge },
        &format!(r#"{{"challenge":"{CHALLENGE}"}}"#),
    );
    stands_as(
        AskRelease {
            token: "e30.e30.AA",
        },
        r#"{"token":"e30.e30.AA"}"#,
    );
    stands_as(
        AskRenewal {
            token: "e30.e30.AA",
            lease: lease(),
        },
        &format!(r#"{{"token":"e30.e30.AA","lease":"{LEASE}"}}"#),
    );
    stands_as(
        Renewed {
            seconds: seconds(86400),
        },
        r#"{"seconds":86400}"#,
    );
    stands_as(
        Refusal {
            refused: Code::Policy,
            reasons: vec!["image-digest".parse().unwrap(), "debug".parse().unwrap()],
        },
        r#"{"refused":"policy","reasons":["image-digest","debug"]}"#,
    );
}

#[test]
fn a_share_of_each_kind_reaches_the_other_side() {
    type Make = fn() -> Contribution;
    let plain = || Contribution::Share(text::share(SHARE.as_bytes()).unwrap());
    let shamir = || Contribution::Shamir(text::shamir_share(SHAMIR.as_bytes()).unwrap());
    let consent = || {
        Contribution::Consent(ConsentSignature::copied_from(&std::array::from_fn(|i| {
            i as u8
        })))
    };
    let revealed = || Contribution::Revealed(text::signing_share(SHARE.as_bytes()).unwrap());
    let signature = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5f";
    let kinds: [(Make, &str, &str); 4] = [
        (plain, "share", SHARE),
        (shamir, "share", SHAMIR),
        (consent, "consent", signature),
        (revealed, "signing_share", SHARE),
    ];
    for (share, field, text) in kinds {
        let body = released(share()).expose_body();
        let expected = format!(r#"{{"{field}":"{text}","lease":"{LEASE}","seconds":300}}"#);
        assert_eq!(str::from_utf8(&body), Ok(expected.as_str()));
        assert_eq!(Released::read(&body), Ok(released(share())));
    }
}

#[test]
fn the_longest_body_with_a_share_fits_its_buffer() {
    let signature = ConsentSignature::copied_from(&[0xff; 96]);
    let body = Released {
        seconds: NonZeroU32::MAX,
        ..released(Contribution::Consent(signature))
    }
    .expose_body();
    // Grown, it would have left a copy behind.
    assert_eq!(body.capacity(), 128 + 128);
}

#[test]
fn a_share_is_not_shown() {
    for share in [
        Contribution::Share(Share::copied_from(&[0xa7; 32])),
        Contribution::Revealed(SigningShare::copied_from(&[0xa7; 32])),
    ] {
        let shown = format!("{:?}", released(share));
        assert!(!shown.contains("a7") && !shown.contains("167"), "{shown}");
    }
}

#[test]
fn a_share_written_otherwise_is_refused() {
    for share in [
        "",
        &SHARE[1..],
        &format!("{SHARE}="),
        &format!("\\u004c{}", &SHARE[1..]),
        &SHARE.replace('-', "+"),
        &format!(" {}", &SHARE[1..]),
        &format!("{} ", &SHARE[1..]),
        &format!("{SHARE} "),
        MANIFEST,
    ] {
        let body = format!(r#"{{"share":"{share}","lease":"{LEASE}","seconds":300}}"#);
        assert_eq!(Released::read(body.as_bytes()), Err(NotAMessage), "{body}");
    }
}

#[test]
fn anything_but_one_share_or_consent_is_refused() {
    let consent = "A".repeat(128);
    for fields in [
        "",
        &format!(r#""share":"{SHARE}","consent":"{consent}","#),
        &format!(r#""share":"{SHARE}","signing_share":"{SHARE}","#),
        &format!(r#""signing_share":"{SHARE}","consent":"{consent}","#),
        &format!(r#""signing_share":"{SHARE}","signing_share":"{SHARE}","#),
        &format!(r#""signing_share":"{SHAMIR}","#),
        &format!(r#""signing_share":"{consent}","#),
        &format!(r#""share":"{consent}","#),
        &format!(r#""consent":"{SHARE}","#),
        &format!(r#""consent":"{}=","#, &consent[1..]),
    ] {
        let body = format!(r#"{{{fields}"lease":"{LEASE}","seconds":300}}"#);
        assert_eq!(Released::read(body.as_bytes()), Err(NotAMessage), "{body}");
    }
}

#[test]
fn any_other_field_is_refused() {
    let body = format!(r#"{{"share":"{SHARE}","lease":"{LEASE}","seconds":300,"more":1}}"#);
    assert_eq!(Released::read(body.as_bytes()), Err(NotAMessage));
    let body = format!(r#"{{"manifest":"{MANIFEST}","more":1}}"#);
    assert_eq!(read::<AskChallenge>(body.as_bytes()), Err(NotAMessage));
    let body = format!(r#"{{"challenge":"{CHALLENGE}","more":1}}"#);
    assert_eq!(read::<Challenged>(body.as_bytes()), Err(NotAMessage));
    let body = br#"{"token":"a","nonces":[]}"#;
    assert_eq!(read::<AskRelease>(body), Err(NotAMessage));
    let body = format!(r#"{{"token":"a","lease":"{LEASE}","more":1}}"#);
    assert_eq!(read::<AskRenewal>(body.as_bytes()), Err(NotAMessage));
    let body = br#"{"seconds":1,"more":1}"#;
    assert_eq!(read::<Renewed>(body), Err(NotAMessage));
    let body = br#"{"refused":"policy","reasons":[],"more":1}"#;
    assert_eq!(read::<Refusal>(body), Err(NotAMessage));
}

#[test]
fn a_body_that_is_not_quite_the_message_is_refused() {
    for body in [
        "",
        "{}",
        "null",
        r#"{"token":1}"#,
        r#"{"token":null}"#,
        r#"{"token":"a"}x"#,
        r#"{"token":"a"}{"token":"a"}"#,
        r#"{"token":"a","token":"b"}"#,
        r#"{"token":"\u0061"}"#,
        r#"["a"]"#,
        "\u{feff}{\"token\":\"a\"}",
    ] {
        assert_eq!(
            read::<AskRelease>(body.as_bytes()),
            Err(NotAMessage),
            "{body}"
        );
    }
    assert_eq!(
        read::<AskRelease>(b"{\"token\":\"\xff\"}"),
        Err(NotAMessage)
    );
    let deep = "[".repeat(LARGEST_BODY);
    assert_eq!(read::<AskRelease>(deep.as_bytes()), Err(NotAMessage));
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let around = r#"{"token":""}"#.len();
    let body = |room: usize| format!(r#"{{"token":"{}"}}"#, "a".repeat(room));
    assert!(read::<AskRelease>(body(LARGEST_BODY - around).as_bytes()).is_ok());
    assert_eq!(
        read::<AskRelease>(body(LARGEST_BODY - around + 1).as_bytes()),
        Err(NotAMessage)
    );
    let mut body = released(Contribution::Share(text::share(SHARE.as_bytes()).unwrap()))
        .expose_body()
        .to_vec();
    body.resize(LARGEST_BODY, b' ');
    assert!(Released::read(&body).is_ok());
    body.push(b' ');
    assert_eq!(Released::read(&body), Err(NotAMessage));
}

#[test]
fn bytes_written_otherwise_are_refused() {
    for text in [
        "",
        &LEASE[1..],
        &format!("{LEASE}A"),
        &format!("{LEASE}=="),
        &format!("{LEASE} "),
        // Bits beyond the last byte.
        "AAECAwQFBgcICQoLDA0ODx",
    ] {
        assert!(text.parse::<Lease>().is_err(), "{text:?}");
    }
    let upper = MANIFEST.to_uppercase();
    for text in ["", &MANIFEST[2..], upper.as_str(), &format!("{MANIFEST}00")] {
        let body = format!(r#"{{"manifest":"{text}"}}"#);
        assert_eq!(read::<AskChallenge>(body.as_bytes()), Err(NotAMessage));
    }
    assert_eq!(read::<Renewed>(br#"{"seconds":0}"#), Err(NotAMessage));
    assert_eq!(read::<Renewed>(br#"{"seconds":1.5}"#), Err(NotAMessage));
}

#[test]
fn a_reason_that_could_not_be_shown_is_refused() {
    for reason in [
        "",
        "Image",
        "a b",
        "a\\u001b[2J",
        "\u{1b}",
        "ä",
        &"a".repeat(64),
    ] {
        let body = format!(r#"{{"refused":"policy","reasons":["{reason}"]}}"#);
        assert_eq!(read::<Refusal>(body.as_bytes()), Err(NotAMessage), "{body}");
    }
    let reasons = ["\"a\""; 65].join(",");
    let body = format!(r#"{{"refused":"policy","reasons":[{reasons}]}}"#);
    assert_eq!(read::<Refusal>(body.as_bytes()), Err(NotAMessage));
}

#[test]
fn every_code_has_a_name_and_a_status() {
    for code in Code::ALL {
        let body = format!(r#"{{"refused":"{code}","reasons":[]}}"#);
        let refusal = read::<Refusal>(body.as_bytes()).unwrap();
        assert_eq!(refusal.refused, *code);
        assert!(code.as_str().parse::<Reason>().is_ok());
        assert!((400..600).contains(&code.status()));
        assert!(!code.ends_consent() || code.is_final());
    }
    let body = br#"{"refused":"maybe","reasons":[]}"#;
    assert_eq!(read::<Refusal>(body), Err(NotAMessage));
}
