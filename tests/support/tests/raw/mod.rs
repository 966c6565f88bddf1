//! A client of the simulator that shares nothing with it: HTTP written by hand, and tokens verified with OpenSSL.

// Each test program uses its part.
#![allow(dead_code)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::confidential_space::{Machine, TokenRequest};
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{HasPublic, PKey, PKeyRef, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::{X509, X509StoreContext};
use serde_json::Value;

pub const AUDIENCE: &str = "mcbn/v1/release/pin";
pub const NONCES: [&str; 3] = ["nonce-number-one", "nonce-number-two", "nonce-number-three"];
/// The life of a token, in seconds.
pub const HOUR: u64 = 3600;

/// A token of the machine for this audience and these nonces.
pub fn oidc(machine: &Machine) -> Token {
    let request = TokenRequest::oidc(AUDIENCE, NONCES);
    Token::parse(&machine.token(&request).unwrap())
}

pub fn pki(machine: &Machine) -> Token {
    let request = TokenRequest::pki(AUDIENCE, NONCES);
    Token::parse(&machine.token(&request).unwrap())
}

/// What a service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("the answer is JSON")
    }

    /// The body of an answer that must be this.
    pub fn expect(self, status: u16) -> String {
        assert_eq!(self.status, status, "{self:?}");
        self.body
    }
}

/// Sends one request and reads the answer, to the length that it states.
pub fn exchange(mut stream: impl Read + Write, request: &str) -> std::io::Result<Answer> {
    stream.write_all(request.as_bytes())?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let status = head[9..12].parse().expect("a status is three digits");
    let length = head
        .to_lowercase()
        .split_once("content-length: ")
        .and_then(|(_, rest)| rest.split_once('\r')?.0.parse().ok())
        .expect("an answer states its length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body).expect("the body is text");
    Ok(Answer { status, head, body })
}

pub fn unix(socket: &Path) -> std::io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(stream)
}

pub fn tcp(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    Ok(stream)
}

pub fn request(method: &str, path: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub fn get(address: SocketAddr, path: &str) -> std::io::Result<Answer> {
    exchange(tcp(address)?, &request("GET", path, ""))
}

/// Asks a token service.
pub fn ask(socket: &Path, method: &str, path: &str, body: &str) -> Answer {
    let stream = unix(socket).expect("the token service is there");
    exchange(stream, &request(method, path, body)).expect("the token service answers")
}

/// A token, taken apart and not verified.
pub struct Token {
    pub header: Value,
    pub claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Token {
    pub fn parse(text: &str) -> Self {
        let parts: Vec<_> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            panic!("not three parts: {text}");
        };
        let decode = |part| Base64UrlUnpadded::decode_vec(part).expect("a part is base64url");
        let json = |part| serde_json::from_slice(&decode(part)).expect("a part is JSON");
        Self {
            header: json(header),
            claims: json(claims),
            signed: format!("{header}.{claims}"),
            signature: decode(signature),
        }
    }

    pub fn has_signature(&self) -> bool {
        !self.signature.is_empty()
    }

    /// Whether it is signed, with RS256, by this key.
    pub fn is_signed_by<T: HasPublic>(&self, key: &PKeyRef<T>) -> bool {
        assert_eq!(self.header["typ"], "JWT");
        self.header["alg"] == "RS256"
            && Verifier::new(MessageDigest::sha256(), key)
                .unwrap()
                .verify_oneshot(&self.signature, self.signed.as_bytes())
                .unwrap_or(false)
    }

    /// Whether the HMAC with this secret is its signature.
    pub fn is_hmac_with(&self, secret: &[u8]) -> bool {
        let key = PKey::hmac(secret).unwrap();
        let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
        self.header["alg"] == "HS256"
            && signer.sign_oneshot_to_vec(self.signed.as_bytes()).unwrap() == self.signature
    }

    pub fn kid(&self) -> &str {
        self.header["kid"].as_str().expect("a token names its key")
    }

    /// Whether the key that it names stands in this set, and signed it.
    pub fn is_valid_under(&self, jwks: &str) -> bool {
        key_of(jwks, self.kid()).is_some_and(|key| self.is_signed_by(&key))
    }

    /// The certificates of a PKI token, leaf first.
    pub fn x5c(&self) -> Vec<X509> {
        let certificates = self.header["x5c"].as_array().expect("a chain is a list");
        certificates
            .iter()
            .map(|text| Base64::decode_vec(text.as_str().unwrap()).expect("it is base64"))
            .map(|der| X509::from_der(&der).expect("it is a certificate"))
            .collect()
    }

    /// Whether its chain leads to this root, now, and its leaf signed it.
    pub fn is_valid_under_root(&self, root: &str) -> bool {
        let chain = self.x5c();
        let Some((leaf, others)) = chain.split_first() else {
            return false;
        };
        let mut store = X509StoreBuilder::new().unwrap();
        store
            .add_cert(X509::from_pem(root.as_bytes()).unwrap())
            .unwrap();
        let mut untrusted = Stack::new().unwrap();
        for certificate in others {
            untrusted.push(certificate.clone()).unwrap();
        }
        let leads = X509StoreContext::new()
            .unwrap()
            .init(&store.build(), leaf, &untrusted, |context| {
                context.verify_cert()
            })
            .unwrap();
        leads && self.is_signed_by(&leaf.public_key().unwrap())
    }
}

/// The key of this name in a JWK set.
pub fn key_of(jwks: &str, kid: &str) -> Option<PKey<Public>> {
    let jwks: Value = serde_json::from_str(jwks).expect("a JWK set is JSON");
    let keys = jwks["keys"].as_array().expect("a JWK set has keys");
    let jwk = keys.iter().find(|key| key["kid"] == kid)?;
    assert_eq!(
        [&jwk["kty"], &jwk["alg"], &jwk["use"]],
        ["RSA", "RS256", "sig"]
    );
    let number = |name: &str| {
        let text = jwk[name].as_str().expect("a number is text");
        BigNum::from_slice(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap()
    };
    let rsa = Rsa::from_public_components(number("n"), number("e")).unwrap();
    Some(PKey::from_rsa(rsa).unwrap())
}
