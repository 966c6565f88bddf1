//! What strangers on the network send, and where an operator says that the network is.

use crate::share::with_text;
use mcbn_dtls::{self as dtls, Endpoint, Mtu, Suites};
use mcbn_psk::{Acceptor, Connector, HandshakeError, Identity, PskStream, Versions};
use mcbn_secret::Psk;
use mcbn_tunnel::datagram::{Gate, Losses};
use mcbn_tunnel::target::Target;
use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, LazyLock};
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::{Builder, Runtime};

pub fn target_text(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(target) = text.parse::<Target>() {
            assert_eq!(target.to_string().parse(), Ok(target.clone()));
            assert!(!target.is_loopback() || !target.needs_lookup());
        }
    });
}

pub fn psk_identity(data: &[u8]) {
    with_text(data, |text| {
        if let Ok(identity) = text.parse::<Identity>() {
            assert_eq!(identity.as_str(), text);
            assert!((1..=Identity::MAX_LEN).contains(&text.len()) && !text.contains('\0'));
        }
    });
}

static KEY: [u8; 32] = [7; 32];

/// What a server reads before it knows anything about its peer.
pub fn client_flight(data: &[u8]) {
    static ACCEPTOR: LazyLock<Acceptor> = LazyLock::new(|| {
        Acceptor::new(identity(), Psk::copied_from(&KEY), Versions::Tls12And13).unwrap()
    });
    never_enough(data, |stream| ACCEPTOR.accept(stream));
}

/// What a client reads before it knows anything about its peer.
pub fn server_flight(data: &[u8]) {
    static CONNECTOR: LazyLock<Connector> = LazyLock::new(|| {
        Connector::new(identity(), Psk::copied_from(&KEY), Versions::Tls12And13).unwrap()
    });
    never_enough(data, |stream| CONNECTOR.connect(stream));
}

/// What a server of datagrams hears from anyone: none of it lets anybody in, since no replayed cookie is this server's.
pub fn dtls_datagram(data: &[u8]) {
    /// A server, an address that hears its answers, and what drives both.
    struct Scene {
        endpoint: Endpoint,
        from: SocketAddr,
        far: UdpSocket,
        _runtime: Runtime,
    }
    fn scene() -> io::Result<Scene> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        far.set_nonblocking(true)?;
        let near = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        near.set_nonblocking(true)?;
        let guard = runtime.enter();
        let near = Arc::new(tokio::net::UdpSocket::from_std(near)?);
        drop(guard);
        // From here on it is known to take what is sent, without anybody who drives the runtime.
        runtime.block_on(near.writable())?;
        let key = Psk::copied_from(&KEY);
        let acceptor = dtls::Acceptor::new(identity(), key, Suites::AndCcm8, Mtu::SAFE).unwrap();
        Ok(Scene {
            endpoint: Endpoint::new(near, acceptor, Losses::default()).unwrap(),
            from: far.local_addr()?,
            far,
            _runtime: runtime,
        })
    }
    thread_local!(static SCENE: RefCell<Scene> = RefCell::new(scene().unwrap()));
    SCENE.with_borrow_mut(|scene| {
        let taken = scene.endpoint.take(data, scene.from, || panic!("let in"));
        assert!(taken.is_none());
        let mut answer = [0; 2048];
        while let Ok(length) = scene.far.recv(&mut answer) {
            assert!(length <= data.len(), "an answer larger than its question");
        }
    });
}

fn identity() -> Identity {
    "Client1".parse().unwrap()
}

/// A handshake ends by itself when the bytes do, and one flight never makes a stream: whoever only replays bytes has no
/// answer to what is random in this handshake.
fn never_enough<F>(data: &[u8], handshake: impl FnOnce(DuplexStream) -> F)
where
    F: Future<Output = Result<PskStream<DuplexStream>, HandshakeError>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(async {
        let (near, mut far) = duplex(1 << 16);
        far.write_all(data).await.unwrap();
        far.shutdown().await.unwrap();
        let error = handshake(near).await.expect_err("a stream");
        assert!(!matches!(error, HandshakeError::Local(_)), "{error}");
    });
}
