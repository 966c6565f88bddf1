//! What may be wrong with a token, one thing at a time.

use serde_json::{Value, json};

use super::claims::{Frame, claims};
use super::issuer::Authority;
use super::jwt::{self, Signature};
use super::key::SigningKey;
use super::profile::Profile;
use super::request::TokenType;

/// What is wrong with the tokens that a machine hands out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Forgery {
    /// Its time ended an hour ago.
    Expired,
    /// Its time begins in an hour.
    NotYetValid,
    /// It lives for three hours.
    LongLived,
    /// Signed by a key that the issuer no longer publishes; a PKI token, by one whose certificate has ended.
    ExpiredKey,
    /// Signed by a key that the issuer never had, under its own name; a PKI token, by another than its leaf's.
    UnknownKey,
    /// Signed by a key that the issuer never had, under the name of one that it publishes.
    BorrowedKid,
    /// The last nonce is missing.
    NonceDropped,
    /// The first nonce is another one.
    NonceReplaced,
    /// The nonces stand in reverse order. Asks for two or more.
    NoncesReordered,
    /// For another reader.
    OtherAudience,
    /// By another issuer, as it says.
    OtherIssuer,
    /// Not signed at all.
    AlgNone,
    /// Signed with the public key, taken as a secret.
    HmacWithPublicKey,
    /// Signed well, then changed to speak of another image.
    TamperedPayload,
    /// A PKI token, whatever was asked for, with only so many certificates, of three.
    TruncatedChain(usize),
    /// A PKI token, whatever was asked for, of a chain that is right in itself, under a root of its own.
    SelfMadeRoot,
}

impl Forgery {
    pub const ALL: [Self; 18] = [
        Self::Expired,
        Self::NotYetValid,
        Self::LongLived,
        Self::ExpiredKey,
        Self::UnknownKey,
        Self::BorrowedKid,
        Self::NonceDropped,
        Self::NonceReplaced,
        Self::NoncesReordered,
        Self::OtherAudience,
        Self::OtherIssuer,
        Self::AlgNone,
        Self::HmacWithPublicKey,
        Self::TamperedPayload,
        Self::TruncatedChain(0),
        Self::TruncatedChain(1),
        Self::TruncatedChain(2),
        Self::SelfMadeRoot,
    ];
}

/// How long a token lives.
pub(super) const LIFETIME: u64 = HOUR;

const HOUR: u64 = 60 * 60;

/// A hook that changes the claims of every token.
pub(super) type Edit = dyn Fn(&mut Value) + Send + Sync;

/// Makes a token, with what is to be wrong with it.
pub(super) fn mint(
    authority: &Authority,
    profile: &Profile,
    token_type: TokenType,
    mut frame: Frame,
    edit: Option<&Edit>,
    forgery: Option<Forgery>,
) -> String {
    if let Some(forgery) = forgery {
        forge_frame(&mut frame, forgery);
    }
    let mut claims = claims(&frame, profile);
    if let Some(edit) = edit {
        edit(&mut claims);
    }
    let payload = claims.to_string();

    let is_pki = matches!(token_type, TokenType::Pki)
        || matches!(
            forgery,
            Some(Forgery::TruncatedChain(_) | Forgery::SelfMadeRoot)
        );
    let sign = |header: Value, key: &SigningKey| match forgery {
        Some(Forgery::AlgNone) => jwt::encode(
            &with_algorithm(header, "none"),
            payload.as_bytes(),
            &Signature::None,
        ),
        Some(Forgery::HmacWithPublicKey) => jwt::encode(
            &with_algorithm(header, "HS256"),
            payload.as_bytes(),
            &Signature::Hs256(&key.public_pem()),
        ),
        _ => jwt::encode(&header, payload.as_bytes(), &Signature::Rs256(key)),
    };
    let token = if is_pki {
        let pki = match forgery {
            Some(Forgery::SelfMadeRoot) => authority.stranger_pki(),
            _ => authority.pki(),
        };
        let x5c = match forgery {
            Some(Forgery::ExpiredKey) => pki.expired_x5c(),
            Some(Forgery::TruncatedChain(length)) => &pki.x5c()[..length],
            _ => pki.x5c(),
        };
        let key = match forgery {
            Some(Forgery::UnknownKey | Forgery::BorrowedKid) => authority.stranger(),
            _ => pki.key(),
        };
        let mut header = header(pki.key().kid());
        header["x5c"] = json!(x5c);
        sign(header, key)
    } else {
        let published = authority.signing_key();
        match forgery {
            Some(Forgery::ExpiredKey) => {
                let retired = authority.retired_key();
                sign(header(retired.kid()), &retired)
            }
            Some(Forgery::UnknownKey) => {
                let stranger = authority.stranger();
                sign(header(stranger.kid()), stranger)
            }
            Some(Forgery::BorrowedKid) => sign(header(published.kid()), authority.stranger()),
            _ => sign(header(published.kid()), &published),
        }
    };
    match forgery {
        Some(Forgery::TamperedPayload) => {
            claims["submods"]["container"]["image_digest"] =
                json!(format!("sha256:{}", "0".repeat(64)));
            jwt::with_payload(&token, claims.to_string().as_bytes())
        }
        _ => token,
    }
}

fn forge_frame(frame: &mut Frame, forgery: Forgery) {
    match forgery {
        Forgery::Expired => {
            frame.issued -= 2 * HOUR;
            frame.not_before -= 2 * HOUR;
            frame.expires = frame.issued + LIFETIME;
        }
        Forgery::NotYetValid => {
            frame.not_before += HOUR;
            frame.expires += HOUR;
        }
        Forgery::LongLived => frame.expires += 2 * HOUR,
        Forgery::NonceDropped => drop(frame.nonces.pop()),
        Forgery::NonceReplaced => {
            if let Some(nonce) = frame.nonces.first_mut() {
                *nonce = "another-nonce-of-a-valid-length-and-alphabet".to_owned();
            }
        }
        Forgery::NoncesReordered => frame.nonces.reverse(),
        Forgery::OtherAudience => frame.audience.push_str("-of-another"),
        Forgery::OtherIssuer => frame.issuer = "https://issuer.example".to_owned(),
        Forgery::ExpiredKey
        | Forgery::UnknownKey
        | Forgery::BorrowedKid
        | Forgery::AlgNone
        | Forgery::HmacWithPublicKey
        | Forgery::TamperedPayload
        | Forgery::TruncatedChain(_)
        | Forgery::SelfMadeRoot => {}
    }
}

fn header(kid: &str) -> Value {
    json!({ "alg": "RS256", "kid": kid, "typ": "JWT" })
}

fn with_algorithm(mut header: Value, algorithm: &str) -> Value {
    header["alg"] = json!(algorithm);
    header
}
