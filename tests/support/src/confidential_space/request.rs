//! What a workload asks the token service for, and what the service refuses.

use std::fmt;

use serde::Deserialize;

/// A request for a custom token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRequest {
    pub audience: String,
    pub nonces: Vec<String>,
    pub token_type: TokenType,
}

/// The kinds of token. The two for AWS are taken and answered as OIDC: what else they say, nobody here reads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenType {
    /// Signed by a key of the JWK set.
    Oidc,
    /// Signed by a key whose certificate chain it carries.
    Pki,
    LimitedAws,
    AwsPrincipalTags,
}

/// Why the service answers 400.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRequest(String);

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRequest {}

/// The longest audience, in bytes.
const AUDIENCE: usize = 512;

/// The most nonces.
const NONCES: usize = 6;

/// Bytes of a nonce. The current documents say 8 to 88, older ones 10 to 74, and a virtual machine may run an image of
/// either age: a service refuses what every one of them refuses, and a client must stay inside 10 to 74.
const NONCE: std::ops::RangeInclusive<usize> = 8..=88;

impl TokenRequest {
    pub fn oidc<T: Into<String>>(audience: &str, nonces: impl IntoIterator<Item = T>) -> Self {
        Self {
            audience: audience.to_owned(),
            nonces: nonces.into_iter().map(Into::into).collect(),
            token_type: TokenType::Oidc,
        }
    }

    pub fn pki<T: Into<String>>(audience: &str, nonces: impl IntoIterator<Item = T>) -> Self {
        Self {
            token_type: TokenType::Pki,
            ..Self::oidc(audience, nonces)
        }
    }

    pub(super) fn parse(body: &[u8]) -> Result<Self, BadRequest> {
        let body: Body = serde_json::from_slice(body)
            .map_err(|error| BadRequest(format!("cannot read the token options: {error}")))?;
        let request = Self {
            audience: body.audience.unwrap_or_default(),
            nonces: body.nonces.unwrap_or_default(),
            token_type: TokenType::parse(body.token_type.as_deref().unwrap_or_default())?,
        };
        request.check()?;
        Ok(request)
    }

    /// The limits, which hold without the socket too.
    pub(super) fn check(&self) -> Result<(), BadRequest> {
        let refuse = |why: String| Err(BadRequest(why));
        if self.audience.is_empty() {
            return refuse(
                "a custom token needs an audience; GET gives the default one".to_owned(),
            );
        }
        if self.audience.len() > AUDIENCE {
            return refuse(format!("the audience is longer than {AUDIENCE} bytes"));
        }
        if self.nonces.len() > NONCES {
            return refuse(format!("there are more than {NONCES} nonces"));
        }
        if !self.nonces.iter().all(|nonce| NONCE.contains(&nonce.len())) {
            return refuse(format!(
                "a nonce is not of {} to {} bytes",
                NONCE.start(),
                NONCE.end()
            ));
        }
        Ok(())
    }
}

impl TokenType {
    fn parse(text: &str) -> Result<Self, BadRequest> {
        match text {
            "OIDC" => Ok(Self::Oidc),
            "PKI" => Ok(Self::Pki),
            "LIMITED_AWS" => Ok(Self::LimitedAws),
            "AWS_PRINCIPALTAGS" => Ok(Self::AwsPrincipalTags),
            "" => Err(BadRequest("token_type is missing".to_owned())),
            _ => Err(BadRequest(
                "token_type is not one of those known".to_owned(),
            )),
        }
    }
}

/// The body, as the launcher decodes it: a null is a field that is not there, and a field that it does not know is
/// refused (`eat_nonce` for `nonces` is a known mistake). Go's decoder also takes names in another case and text after
/// the object; a client that relies on either is wrong, and is told so here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    audience: Option<String>,
    nonces: Option<Vec<String>>,
    token_type: Option<String>,
    #[serde(rename = "aws_principal_tag_options")]
    _principal_tags: Option<PrincipalTags>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PrincipalTags {
    #[serde(rename = "allowed_principal_tags")]
    _allowed: Option<AllowedTags>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllowedTags {
    #[serde(rename = "container_image_signatures")]
    _signatures: Option<Signatures>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signatures {
    #[serde(rename = "key_ids")]
    _key_ids: Option<Vec<String>>,
}
