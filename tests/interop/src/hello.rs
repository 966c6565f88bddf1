//! A TLS 1.3 ClientHello by hand, for what no honest client sends ([RFC 8446 §4.1.2]).
//!
//! [RFC 8446 §4.1.2]: https://www.rfc-editor.org/rfc/rfc8446#section-4.1.2

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use mcbn_tests_support::DEADLINE;
use sha2::{Digest, Sha256};

use crate::Credentials;

/// `psk_ke`: the key alone, without forward secrecy.
pub const PSK_KE: u8 = 0;
/// `psk_dhe_ke`: the key and an ephemeral exchange.
pub const PSK_DHE_KE: u8 = 1;

/// A ClientHello whose binders are right, so that nothing but what a test changes can be wrong with it.
#[derive(Clone, Debug)]
pub struct Hello {
    pub key: [u8; 32],
    pub identities: Vec<Vec<u8>>,
    pub modes: Vec<u8>,
    pub early_data: bool,
    /// Bytes of the padding extension ([RFC 7685]).
    ///
    /// [RFC 7685]: https://www.rfc-editor.org/rfc/rfc7685
    pub padding: usize,
}

impl Hello {
    pub fn of(credentials: Credentials) -> Self {
        Self {
            key: unhex(credentials.key),
            identities: vec![credentials.identity.into()],
            modes: vec![PSK_DHE_KE],
            early_data: false,
            padding: 0,
        }
    }

    /// The handshake message.
    pub fn message(&self) -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([0x5a; 32]); // random: nothing here depends on it
        body.push(0); // no session
        vector16(&mut body, &[0x13, 0x01, 0x13, 0x03]);
        body.extend([1, 0]); // no compression
        let binders = 2 + self.identities.len() * (1 + 32);
        let extensions = self.extensions();
        body.extend(length16(extensions.len() + binders));
        body.extend(extensions);

        let mut message = vec![1];
        message.extend(
            &u32::try_from(body.len() + binders)
                .expect("it is short")
                .to_be_bytes()[1..],
        );
        message.extend(body);
        // The binders cover all that stands before them, lengths included ([RFC 8446 §4.2.11.2]).
        let binder = self.binder(&message);
        message.extend(length16(binders - 2));
        for _ in &self.identities {
            message.push(32);
            message.extend(binder);
        }
        message
    }

    /// The message in records of the largest size.
    pub fn records(&self) -> Vec<u8> {
        self.message()
            .chunks(1 << 14)
            .flat_map(|part| record(22, part))
            .collect()
    }

    /// All extensions but the binders at the end of the last one.
    fn extensions(&self) -> Vec<u8> {
        let mut all = Vec::new();
        extension(&mut all, 43, &[2, 3, 4]); // supported_versions: TLS 1.3
        extension(&mut all, 10, &[0, 2, 0, 0x1d]); // supported_groups: x25519
        extension(&mut all, 13, &[0, 2, 4, 3]); // signature_algorithms: ecdsa_secp256r1_sha256
        // key_share: the base point of x25519, a point like any other. Its secret is 1 on nobody's side.
        let mut share = vec![0, 36, 0, 0x1d, 0, 32, 9];
        share.extend([0; 31]);
        extension(&mut all, 51, &share);
        let mut modes = vec![u8::try_from(self.modes.len()).expect("they are few")];
        modes.extend(&self.modes);
        extension(&mut all, 45, &modes); // psk_key_exchange_modes
        if self.early_data {
            extension(&mut all, 42, &[]);
        }
        if self.padding > 0 {
            extension(&mut all, 21, &vec![0; self.padding]);
        }

        let mut identities = Vec::new();
        for identity in &self.identities {
            vector16(&mut identities, identity);
            identities.extend([0; 4]); // age: zero for an external key
        }
        // pre_shared_key, always the last one: its length counts the binders that follow.
        all.extend([0, 41]);
        all.extend(length16(
            2 + identities.len() + 2 + self.identities.len() * (1 + 32),
        ));
        vector16(&mut all, &identities);
        all
    }

    fn binder(&self, truncated: &[u8]) -> [u8; 32] {
        let (_, early) = Hkdf::<Sha256>::extract(None, &self.key);
        let empty = Sha256::digest([]);
        let binder_key = expand_label(&early, "ext binder", &empty);
        let binder_key = Hkdf::from_prk(&binder_key).expect("it is long enough");
        let finished_key = expand_label(&binder_key, "finished", &[]);
        let mut mac = Hmac::<Sha256>::new_from_slice(&finished_key).expect("any length");
        mac.update(&Sha256::digest(truncated));
        mac.finalize().into_bytes().into()
    }
}

/// What a server answers to these bytes, until it closes the connection.
pub fn exchange(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = send(server, bytes);
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => {
            panic!("{error} after {all:02x?}")
        }
        _ => all,
    }
}

/// The first record that a server answers to these bytes. The connection is dropped then.
pub fn first_record(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = send(server, bytes);
    let mut record = vec![0; 5];
    stream.read_exact(&mut record).expect("the server answers");
    let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
    record.resize(5 + length, 0);
    stream.read_exact(&mut record[5..]).expect("a whole record");
    record
}

/// Sends these bytes, and leaves the connection open.
pub fn send(server: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server).expect("the server listens");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("it is not zero");
    // A server may refuse before it has read all.
    let _ = stream.write_all(bytes);
    stream
}

pub fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind, 3, 3];
    vector16(&mut record, body);
    record
}

fn extension(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
    out.extend(kind.to_be_bytes());
    vector16(out, body);
}

fn vector16(out: &mut Vec<u8>, body: &[u8]) {
    out.extend(length16(body.len()));
    out.extend(body);
}

fn length16(length: usize) -> [u8; 2] {
    u16::try_from(length).expect("it is short").to_be_bytes()
}

/// `HKDF-Expand-Label` ([RFC 8446 §7.1]).
///
/// [RFC 8446 §7.1]: https://www.rfc-editor.org/rfc/rfc8446#section-7.1
fn expand_label(secret: &Hkdf<Sha256>, label: &str, context: &[u8]) -> [u8; 32] {
    let label = format!("tls13 {label}");
    let mut info = vec![0, 32, u8::try_from(label.len()).expect("it is short")];
    info.extend(label.into_bytes());
    info.push(u8::try_from(context.len()).expect("it is short"));
    info.extend(context);
    let mut out = [0; 32];
    secret.expand(&info, &mut out).expect("32 bytes can be had");
    out
}

fn unhex(text: &str) -> [u8; 32] {
    let byte = |i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("hexadecimal digits");
    std::array::from_fn(byte)
}
