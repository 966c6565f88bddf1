//! The real network, on loopback: an issuer that answers in clear, and in ways that it must not.

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};

use mcbn_attest::{Expected, Https, Issuer, KeysFault, Leeway, MAX_ANSWER, Unfetched, Verifier};
use serde_json::json;
use support::*;

/// Answers one connection each, with these bytes, and gives the requests that it got.
fn serve(answers: Vec<Vec<u8>>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serving = thread::spawn(move || {
        let answer = |answer: Vec<u8>| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut buffer).unwrap();
                assert_ne!(read, 0, "a whole request");
                request.extend_from_slice(&buffer[..read]);
            }
            // A client that has read enough may be gone.
            let _ = stream.write_all(&answer);
            String::from_utf8(request).unwrap()
        };
        answers.into_iter().map(answer).collect()
    });
    (address, serving)
}

fn response(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A verifier for an issuer that gives this answer when it is asked for its keys.
fn issuer_with(keys: Vec<u8>) -> (Verifier, Issuer, JoinHandle<Vec<String>>) {
    let (key_server, keys_served) = serve(vec![keys]);
    // The issuer must know its own address before it can say it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let discovery = json!({"issuer": url, "jwks_uri": format!("http://{key_server}/set?v=1")});
    let serving = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            let read = stream.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "a whole request");
            request.extend_from_slice(&buffer[..read]);
        }
        let discovery = discovery.to_string();
        stream
            .write_all(&response("200 OK", discovery.as_bytes()))
            .unwrap();
        let mut requests = vec![String::from_utf8(request).unwrap()];
        requests.extend(keys_served.join().unwrap());
        requests
    });
    let issuer = Issuer::insecure(&url).unwrap();
    let verifier = Verifier::discovering(issuer.clone(), Box::new(Https::new()), Leeway::MAX);
    (verifier, issuer, serving)
}

#[test]
fn keys_are_fetched_over_the_network() {
    let (verifier, issuer, serving) = issuer_with(response("200 OK", &key_set(&[KEY.jwk()])));
    let token = KEY.token(&with(claims(), "/iss", json!(issuer.as_str())));
    let expected = Expected { ..EXPECTED };
    assert!(verifier.verify(&token, &expected).is_ok());
    let requests = serving.join().unwrap();
    assert!(requests[0].starts_with("GET /.well-known/openid-configuration HTTP/1.1\r\n"));
    assert!(requests[1].starts_with("GET /set?v=1 HTTP/1.1\r\n"));
}

#[track_caller]
fn unfetched(keys: Vec<u8>) -> Unfetched {
    let (verifier, _, serving) = issuer_with(keys);
    let fault = verifier.warm(at(NOW)).unwrap_err();
    serving.join().unwrap();
    match fault {
        KeysFault::Fetch(_, unfetched) => unfetched,
        other => panic!("fetched: {other:?}"),
    }
}

#[test]
fn another_status_is_refused() {
    let keys = key_set(&[KEY.jwk()]);
    for status in ["404 Not Found", "500 Oops", "204 No Content", "206 Partial"] {
        let number = status[..3].parse().unwrap();
        let body = if number == 204 { &[][..] } else { &keys };
        let unfetched = unfetched(response(status, body));
        assert_eq!(unfetched, Unfetched::Status(number));
    }
}

#[test]
fn a_redirect_is_refused() {
    let elsewhere =
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(unfetched(elsewhere.to_vec()), Unfetched::Status(302));
}

#[test]
fn an_endless_answer_is_refused() {
    let body = b" ".repeat(2 * MAX_ANSWER);
    assert_eq!(unfetched(response("200 OK", &body)), Unfetched::TooLong);
    // It is not waited for.
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
    assert_eq!(unfetched([head, &body[..]].concat()), Unfetched::TooLong);
}

#[test]
fn a_broken_answer_is_refused() {
    for answer in [
        &b""[..],
        b"keys",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{",
    ] {
        assert!(matches!(
            unfetched(answer.to_vec()),
            Unfetched::Unreachable(_)
        ));
    }
}

#[test]
fn nobody_listening_is_told() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    let issuer = Issuer::insecure(&url).unwrap();
    let verifier = Verifier::discovering(issuer, Box::new(Https::new()), Leeway::MAX);
    let fault = verifier.warm(at(NOW)).unwrap_err();
    assert!(matches!(
        fault,
        KeysFault::Fetch(_, Unfetched::Unreachable(_))
    ));
}

/// A certificate that nobody vouches for, from whoever answers at the issuer's address.
#[test]
fn an_impostor_is_refused() {
    use openssl::ssl::{SslAcceptor, SslMethod};
    let key = KEY.pkey();
    let mut builder = openssl::x509::X509::builder().unwrap();
    builder.set_pubkey(&key).unwrap();
    let now = openssl::asn1::Asn1Time::days_from_now(0).unwrap();
    let end = openssl::asn1::Asn1Time::days_from_now(1).unwrap();
    builder.set_not_before(&now).unwrap();
    builder.set_not_after(&end).unwrap();
    builder
        .sign(&key, openssl::hash::MessageDigest::sha256())
        .unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_certificate(&builder.build()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    let acceptor = acceptor.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let serving = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        acceptor.accept(stream).is_err()
    });
    let issuer = Issuer::insecure(&url).unwrap();
    let verifier = Verifier::discovering(issuer, Box::new(Https::new()), Leeway::MAX);
    let fault = verifier.warm(at(NOW)).unwrap_err();
    let KeysFault::Fetch(_, Unfetched::Unreachable(why)) = fault else {
        panic!("{fault:?}");
    };
    assert!(why.contains("certificate"), "{why}");
    assert!(serving.join().unwrap(), "the handshake must not end well");
}
