//! An issuer of tokens whose every part can be wrong, and machines of every model.

#![allow(dead_code)] // Each test file uses its part.

pub mod authority;
pub mod judging;

use std::sync::LazyLock;
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use mcbn_attest::{
    Expected, Issuer, Jwks, Leeway, Refused, TokenFault, UnixTime, VerifiedToken, Verifier,
};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use serde_json::{Value, json};

pub const NOW: u64 = 1_790_000_000;
pub const AUDIENCE: &str = "mcbn/v1/release/K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA";
pub const NONCES: [&str; 3] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA",
    "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA",
];
pub const IMAGE: &str = "sha256:38506197449fb101820f5704c51ed40af3cd41742a1fce27a01ba3ba0f689cc7";

/// The issuer's key, and one that is not its own.
pub static KEY: LazyLock<Key> = LazyLock::new(|| Key::new("first", 2048));
pub static OTHER_KEY: LazyLock<Key> = LazyLock::new(|| Key::new("second", 2048));

pub struct Key {
    pub id: &'static str,
    pub rsa: Rsa<Private>,
}

impl Key {
    pub fn new(id: &'static str, bits: u32) -> Key {
        Key {
            id,
            rsa: Rsa::generate(bits).unwrap(),
        }
    }

    pub fn pkey(&self) -> PKey<Private> {
        PKey::from_rsa(self.rsa.clone()).unwrap()
    }

    pub fn jwk(&self) -> Value {
        json!({
            "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id,
            "n": encode(&self.rsa.n().to_vec()), "e": encode(&self.rsa.e().to_vec()),
        })
    }

    pub fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.id, "typ": "JWT"})
    }

    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of(&header.to_string(), &claims.to_string())
    }

    /// Of these very texts.
    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(claims.as_bytes())
        );
        let signature = self.sign(signed.as_bytes(), MessageDigest::sha256());
        format!("{signed}.{}", encode(&signature))
    }

    pub fn sign(&self, signed: &[u8], digest: MessageDigest) -> Vec<u8> {
        let key = self.pkey();
        let mut signer = Signer::new(digest, &key).unwrap();
        signer.sign_oneshot_to_vec(signed).unwrap()
    }
}

pub fn encode(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

pub fn key_set(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys }).to_string().into_bytes()
}

pub fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

pub const EXPECTED: Expected<'static> = Expected {
    audience: AUDIENCE,
    nonces: &NONCES,
    now: UnixTime::since_unix_epoch(Duration::from_secs(NOW)),
};

/// Knows the issuer's key, from an offline copy.
pub fn verifier() -> Verifier {
    let keys = Jwks::parse(&key_set(&[KEY.jwk()])).unwrap();
    Verifier::offline(Issuer::google(), keys, Leeway::MAX)
}

pub fn verify(token: &str) -> Result<VerifiedToken, Refused> {
    verifier().verify(token, &EXPECTED)
}

/// What is wrong with a token, by the verifier that knows the issuer's key.
#[track_caller]
pub fn fault(token: &str) -> TokenFault {
    token_fault(verify(token))
}

#[track_caller]
pub fn token_fault(outcome: Result<VerifiedToken, Refused>) -> TokenFault {
    match outcome {
        Err(Refused::Token(fault)) => fault,
        Err(other) => panic!("not the token's fault: {other:?}"),
        Ok(_) => panic!("verified"),
    }
}

/// What is wrong with a token of these claims, well signed.
#[track_caller]
pub fn fault_of(claims: &Value) -> TokenFault {
    fault(&KEY.token(claims))
}

/// A production image on AMD SEV-SNP, as its token is shaped.
pub fn claims() -> Value {
    json!({
        "aud": AUDIENCE,
        "exp": NOW + 3600,
        "iat": NOW,
        "iss": "https://confidentialcomputing.googleapis.com",
        "nbf": NOW,
        "sub": "https://www.googleapis.com/compute/v1/projects/house/zones/us-central1-a/instances/one",
        "eat_nonce": NONCES,
        "eat_profile": "https://cloud.google.com/confidential-computing/confidential-space/docs/reference/token-claims",
        "secboot": true,
        "oemid": 11129,
        "hwmodel": "GCP_AMD_SEV_SNP",
        "swname": "CONFIDENTIAL_SPACE",
        "swversion": ["240900"],
        "attester_tcb": ["AMD"],
        "dbgstat": "disabled-since-boot",
        "google_service_accounts": ["runner@house.iam.gserviceaccount.com"],
        "submods": {
            "confidential_space": {
                "monitoring_enabled": {"memory": false},
                "support_attributes": ["LATEST", "STABLE", "USABLE"]
            },
            "container": {
                "image_reference": "registry.example/psk-server@sha256:38506197449fb101820f5704c51ed40af3cd41742a1fce27a01ba3ba0f689cc7",
                "image_digest": IMAGE,
                "image_id": "sha256:f2484d4358ebe74b0b9e1051d8852389d5f5481681a4933fd58a61817aee76da",
                "restart_policy": "Never",
                "args": ["/psk-server"],
                "env": {"HOSTNAME": "one", "PATH": "/bin"},
                "cmd_override": null,
                "env_override": null
            },
            "gce": {
                "zone": "us-central1-a",
                "project_id": "house",
                "project_number": "1234567890",
                "instance_name": "one",
                "instance_id": "987654321"
            }
        }
    })
}

pub fn debug_claims() -> Value {
    let claims = with(claims(), "/dbgstat", json!("enabled"));
    without(claims, "/submods/confidential_space/support_attributes")
}

pub fn tdx_claims() -> Value {
    let claims = with(claims(), "/hwmodel", json!("GCP_INTEL_TDX"));
    let claims = with(claims, "/attester_tcb", json!(["INTEL"]));
    with(
        claims,
        "/tdx",
        json!({
            "gcp_attester_tcb_status": "UpToDate",
            "gcp_attester_tcb_date": "2024-03-13T00:00:00Z"
        }),
    )
}

/// Sets what is at a JSON pointer; the object around it must be there.
pub fn with(mut claims: Value, pointer: &str, value: Value) -> Value {
    let (around, name) = pointer.rsplit_once('/').unwrap();
    let around = claims.pointer_mut(around).unwrap();
    around.as_object_mut().unwrap().insert(name.into(), value);
    claims
}

pub fn without(mut claims: Value, pointer: &str) -> Value {
    let (around, name) = pointer.rsplit_once('/').unwrap();
    let around = claims.pointer_mut(around).unwrap();
    around.as_object_mut().unwrap().remove(name).unwrap();
    claims
}
