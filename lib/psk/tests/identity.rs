//! What a stranger learns about identities: nothing.

mod support;

use std::io::{self, Read, Write};
use std::net::TcpStream;

use mcbn_psk::{PeerFault, Versions};
use openssl::ssl::{Ssl, SslStream, SslVersion};
use support::*;

#[tokio::test]
async fn an_unknown_identity_looks_like_a_wrong_key() {
    for (versions, version) in BOTH {
        let server = acceptor(versions);
        let mut seen = Vec::new();
        for (identity, key) in [
            ("Client1", OTHER_KEY),
            ("nobody", KEY),
            ("nobody", OTHER_KEY),
            ("client1", KEY),
            ("Client1 ", KEY),
            ("Client11", KEY),
            ("Client", KEY),
        ] {
            let mut ctx = foreign_client(version, None);
            ctx.set_psk_client_callback(move |_, _, name, out| {
                name[..identity.len()].copy_from_slice(identity.as_bytes());
                name[identity.len()] = 0;
                out[..key.len()].copy_from_slice(&key);
                Ok(key.len())
            });
            let ctx = ctx.build();
            let (foreign, ours) = against_server(&server, move |s| connect(&ctx, s, None)).await;
            seen.push((alert_seen(foreign), fault(ours)));
        }
        seen.dedup();
        let expected = if version == SslVersion::TLS1_3 {
            51
        } else {
            20
        };
        assert_eq!(seen, [(expected, PeerFault::WrongKey)]);
    }
}

/// The identities of TLS 1.3 in a ClientHello of TLS 1.2 do not change what the server says to the one that is used.
#[tokio::test]
async fn a_hello_of_tls12_is_no_way_to_try_identities() {
    let mut seen = Vec::new();
    for tried in ["Client1", "Client2"] {
        let mut ctx = foreign_client(SslVersion::TLS1_2, None);
        ctx.set_psk_client_callback(move |_, _, name, out| {
            name[..7].copy_from_slice(b"nobody\0");
            out[..KEY.len()].copy_from_slice(&KEY);
            Ok(KEY.len())
        });
        let ctx = ctx.build();
        let (foreign, ours) = against_server(&acceptor(Versions::Tls12And13), move |stream| {
            let mut tls = SslStream::new(Ssl::new(&ctx).unwrap(), Offering { tried, stream });
            let tls = tls.as_mut().unwrap();
            let error = tls.connect().unwrap_err();
            error.ssl_error().unwrap().errors()[0].reason_code() - 1000
        })
        .await;
        seen.push((foreign, fault(ours)));
    }
    assert_eq!(seen, [(20, PeerFault::WrongKey), (20, PeerFault::WrongKey)]);
}

/// Adds an identity, as of TLS 1.3, to the ClientHello that passes.
struct Offering {
    tried: &'static str,
    stream: TcpStream,
}

impl Read for Offering {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.stream.read(out)
    }
}

impl Write for Offering {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut sent = data.to_vec();
        // A handshake record with a ClientHello.
        if data[0] == 22 && data[5] == 1 {
            let length = self.tried.len() as u8;
            // psk_key_exchange_modes, without which the other one, pre_shared_key, is refused.
            let mut added = vec![0, 45, 0, 2, 1, 1];
            added.extend([0, 41, 0, length + 8 + 35]);
            added.extend([0, length + 6, 0, length]);
            added.extend(self.tried.as_bytes());
            added.extend([0; 4]); // age
            added.extend([0, 33, 32]);
            added.extend([7; 32]); // binder
            // Session, suites and compression stand between the randoms and the list of extensions.
            let session = 43;
            let suites = session + 1 + usize::from(sent[session]);
            let methods =
                suites + 2 + usize::from(sent[suites]) * 256 + usize::from(sent[suites + 1]);
            let extensions = methods + 1 + usize::from(sent[methods]);
            // Of the record, of the message (its two lower bytes), and of the list.
            for at in [3, 7, extensions] {
                let length = u16::from_be_bytes([sent[at], sent[at + 1]]) + added.len() as u16;
                sent[at..at + 2].copy_from_slice(&length.to_be_bytes());
            }
            sent.extend(added);
        }
        self.stream.write_all(&sent)?;
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[tokio::test]
async fn the_random_key_of_an_unknown_identity_is_not_a_known_one() {
    for guess in [[0; 32], KEY] {
        let (client, server) = meet(
            &connector("nobody", guess, Versions::Tls13),
            &acceptor(Versions::Tls13),
        )
        .await;
        assert!(client.is_err() && server.is_err());
    }
}
