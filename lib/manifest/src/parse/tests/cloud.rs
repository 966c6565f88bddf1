//! Participants whose shares are in Google Cloud.

use super::{UNANIMOUS, assert_refused, digest, parse};
use crate::*;

const CLOUD: &str = include_str!("../../../testdata/cloud.toml");

const SECRET: &str = "\"gcp-secret:projects/100200300/secrets/mcbn-share/versions/1\"";
const KEY: &str =
    "\"gcp-kms:projects/carols-house/locations/europe-west3/keyRings/mcbn/cryptoKeys/share\"";
const CIPHERTEXT: &str = "ciphertext = \"TCbZB0wn2J7eWScMCsFLceBxsVI5UZ91R0svO6Y0gfU\"";

#[test]
fn a_mixed_network_is_read() {
    let manifest = parse(CLOUD).unwrap();
    let [alice, bob, carol] = manifest.participants() else {
        panic!("{manifest:?}");
    };
    assert_eq!(alice.keeper().unwrap().pin, Pin(digest("alice")));
    assert_eq!(alice.cloud(), None);
    let identity = |number: u32| {
        let name = format!(
            "projects/{number}/locations/global/workloadIdentityPools/mcbn/providers/attested"
        );
        name.parse().unwrap()
    };
    let secret = "projects/100200300/secrets/mcbn-share/versions/1";
    let bobs = Cloud {
        share: CloudShare::Secret(secret.parse().unwrap()),
        identity: identity(100_200_300),
    };
    assert_eq!(bob.asked, Asked::Cloud(bobs));
    assert_eq!(bob.keeper(), None);
    let Cloud {
        share:
            CloudShare::Sealed {
                key,
                ciphertext,
                label,
            },
        identity: carols,
    } = carol.cloud().unwrap()
    else {
        panic!("{carol:?}");
    };
    assert_eq!(key.location(), "europe-west3");
    assert_eq!(ciphertext.as_bytes(), digest("carol"));
    assert_eq!(label, "mcbn share of carol in house");
    assert_eq!(*carols, identity(400_500_600));
    let endpoints = manifest.endpoints();
    let kms = endpoints.kms.as_ref().map(Endpoint::as_str);
    assert_eq!(kms, Some("https://kms-house.p.googleapis.com"));
    let sts = endpoints.sts.as_ref().map(Endpoint::as_str);
    assert_eq!(sts, Some("https://sts-house.p.googleapis.com:8443"));
    assert_eq!(*parse(UNANIMOUS).unwrap().endpoints(), Endpoints::default());
}

#[test]
fn shares_are_shown_as_they_are_written() {
    let manifest = parse(CLOUD).unwrap();
    let clouds = manifest.participants().iter().filter_map(Member::cloud);
    let shown: Vec<_> = clouds.map(|cloud| format!("\"{}\"", cloud.share)).collect();
    assert_eq!(shown, [SECRET, KEY]);
}

#[test]
fn keys_of_the_other_kind_are_refused() {
    let both = "a participant has a keeper and its pin, or a share in Google Cloud and an identity, not both";
    assert_refused(
        CLOUD,
        &[
            (
                "keeper = \"alice",
                "identity = 1\nciphertext = 2\nkeeper = \"alice",
            ),
            (
                "share = \"gcp-secret",
                "keeper = \"bob.example:7400\"\npin = 3\nciphertext = 4\nshare = \"gcp-secret",
            ),
        ],
        &[
            "10:1: 'identity' is for a share in Google Cloud: 'share' says where it is",
            "11:1: 'ciphertext' is for a share in Google Cloud: 'share' says which key opens it",
            &format!("17:1: {both}"),
            &format!("18:1: {both}"),
            "19:1: 'ciphertext' is for gcp-kms: a secret is the share itself",
        ],
    );
}

#[test]
fn half_a_share_in_the_cloud_is_refused() {
    assert_refused(
        CLOUD,
        &[
            (CIPHERTEXT, ""),
            ("identity = \"projects/1002", "# identity = \"projects/1002"),
        ],
        &[
            "13:1: 'identity' is missing",
            "18:1: 'ciphertext' is missing",
        ],
    );
    // What it is then, is not known.
    assert_refused(
        CLOUD,
        &[(&format!("share = {KEY}"), "")],
        &[
            "18:1: 'keeper' is missing",
            "18:1: 'pin' is missing",
            "21:1: 'ciphertext' is for a share in Google Cloud: 'share' says which key opens it",
            "22:1: 'identity' is for a share in Google Cloud: 'share' says where it is",
        ],
    );
}

#[test]
fn an_odd_place_of_a_share_is_refused() {
    let kind =
        "15:9: a share is gcp-secret: and the version of a secret, or gcp-kms: and a key, not ";
    let secret = "15:9: a secret's version is projects/P/secrets/S/versions/N or projects/P/locations/L/secrets/S/versions/N, and N is a number, not ";
    let key = "15:9: a key is projects/P/locations/L/keyRings/R/cryptoKeys/K, not ";
    for (place, expected) in [
        ("", kind),
        ("file:/etc/share", kind),
        ("projects/100200300/secrets/a/versions/1", kind),
        ("gcp-secret", kind),
        ("gcp-secret:", secret),
        (
            "gcp-secret:projects/100200300/secrets/a/versions/latest",
            secret,
        ),
        ("gcp-secret:projects/100200300/secrets/a", secret),
        (
            "gcp-secret:projects/100200300/secrets/%2e%2e/versions/1",
            secret,
        ),
        ("gcp-kms:projects/100200300/secrets/a/versions/1", key),
        (
            "gcp-kms:projects/house-1/locations/us/keyRings/a/cryptoKeys/b/cryptoKeyVersions/1",
            key,
        ),
    ] {
        let text = CLOUD.replace(SECRET, &format!("{place:?}"));
        let found = parse(&text).unwrap_err().to_string();
        assert!(found.starts_with(expected), "{found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
}

#[test]
fn an_odd_ciphertext_or_identity_is_refused() {
    let long = format!("ciphertext = \"{}\"", "A".repeat(1367));
    let expected = format!(
        "21:14: a ciphertext is 1 to 1024 bytes in base64url without padding, not '{}...'",
        "A".repeat(40)
    );
    assert_refused(CLOUD, &[(CIPHERTEXT, &long)], &[&expected]);
    assert_refused(
        CLOUD,
        &[(
            "\"projects/100200300/locations",
            "\"projects/bobs-house/locations",
        )],
        &[
            "16:12: a provider is projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, not 'projects/bobs-house/locations/global/wor...'",
        ],
    );
}

#[test]
fn one_secret_for_two_participants_is_refused() {
    let other_version = SECRET.replace("/1\"", "/2\"");
    assert_refused(
        CLOUD,
        &[(KEY, &other_version), (CIPHERTEXT, "")],
        &["20:9: the same secret already stands in line 15"],
    );
}

#[test]
fn one_key_for_two_participants_is_refused() {
    let bobs = format!("{KEY}\nciphertext = \"AAAA\"");
    assert_refused(
        CLOUD,
        &[(SECRET, &bobs)],
        &["21:9: the same key already stands in line 15"],
    );
}

#[test]
fn an_odd_endpoint_is_refused() {
    let rule = "an endpoint is https://HOST or https://HOST:PORT in lower case, with nothing behind it (http:// for a loopback address alone)";
    assert_refused(
        CLOUD,
        &[
            (
                "\"https://kms-house.p.googleapis.com\"",
                "\"http://kms.example\"",
            ),
            ("sts = ", "stz = "),
        ],
        &[
            &format!("33:7: {rule}, not 'http://kms.example'"),
            "35:1: unknown key 'stz' (did you mean 'sts'?)",
        ],
    );
}

#[test]
fn an_endpoint_that_is_not_googles_is_refused() {
    for elsewhere in [
        "https://kms.example",
        "https://kms-house.p.googleapis.com.example",
        "https://192.0.2.1:8443",
    ] {
        assert_refused(
            CLOUD,
            &[("https://kms-house.p.googleapis.com", elsewhere)],
            &[&format!(
                "33:7: an endpoint is below googleapis.com, or a loopback address, not '{}'",
                match elsewhere.len() {
                    ..=40 => elsewhere.to_owned(),
                    _ => format!("{}...", &elsewhere[..40]),
                }
            )],
        );
    }
    let loopback = CLOUD.replace(
        "https://kms-house.p.googleapis.com",
        "http://127.0.0.1:4000",
    );
    parse(&loopback).unwrap();
}

#[test]
fn endpoints_that_nobody_asks_are_refused() {
    let text = format!("{UNANIMOUS}\n[google-cloud]\n");
    let found = parse(&text).unwrap_err().to_string();
    let why =
        "'google-cloud' is for participants whose share is in Google Cloud, and there is none";
    assert!(found.ends_with(why), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
}
