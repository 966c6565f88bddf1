//! The client that loads tpm-psk over TCP, with the permanent key in memory. Over UDP it is that of [`crate::datagrams`].

use std::io;
use std::net::SocketAddr;

use mcbn_psk::Randoms;
use mcbn_secret::HmacKey;
use mcbn_tests_support::shares::{IDENTITY, TPM_KEY};
use mcbn_tpm::{KeyInMemory, Layout};
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslVersion};

use crate::client::{GROUP, Tunnel, digits, handshake};

pub const SUITE: &str = "ECDHE-PSK-CHACHA20-POLY1305";

pub struct Client {
    context: SslContext,
}

impl Client {
    pub fn new() -> io::Result<Self> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_min_proto_version(Some(SslVersion::TLS1_2))?;
        context.set_max_proto_version(Some(SslVersion::TLS1_2))?;
        // No suite with a certificate.
        context.set_cipher_list(SUITE)?;
        context.set_groups_list(GROUP)?;
        answer(&mut context);
        Ok(Self {
            context: context.build(),
        })
    }

    /// A full handshake.
    pub fn connect(&self, to: SocketAddr) -> io::Result<Tunnel> {
        let stream = handshake(&self.context, to, "TLSv1.2", SUITE)?;
        match stream.ssl().session_reused() {
            true => Err(io::Error::other("the handshake did not use the key")),
            false => Ok(Tunnel::Tls(stream)),
        }
    }
}

/// The permanent key of both ends.
pub fn permanent_key() -> HmacKey {
    let bytes = digits(TPM_KEY);
    HmacKey::copied_from(bytes.first_chunk().expect("32 bytes"))
}

/// Makes the key of each session of both randoms.
pub fn answer(context: &mut SslContextBuilder) {
    let key = KeyInMemory::new(permanent_key(), Layout::Random32);
    context.set_psk_client_callback(move |ssl, _, name, room| {
        let mut randoms = Randoms {
            client: [0; 32],
            server: [0; 32],
        };
        ssl.client_random(&mut randoms.client);
        ssl.server_random(&mut randoms.server);
        let key = key.hmac(&Layout::Random32.message(&randoms));
        // OpenSSL needs the bytes.
        let key = key.expose_secret();
        name[..IDENTITY.len()].copy_from_slice(IDENTITY.as_bytes());
        name[IDENTITY.len()] = 0;
        room[..key.len()].copy_from_slice(key);
        Ok(key.len())
    });
}
