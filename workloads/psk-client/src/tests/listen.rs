use crate::testing::{SOON, Servers, client_of, rest_of};
use mcbn_endpoint::client::listen::Tunnel;
use mcbn_psk::Witness;
use mcbn_runtime::shutdown::Trigger;
use mcbn_tunnel::metrics::Metrics;
use mcbn_tunnel::settings::ListenConfig;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

struct Running {
    address: SocketAddr,
    metrics: Metrics,
    trigger: Trigger,
    cut: oneshot::Sender<()>,
    witness: Witness,
    task: JoinHandle<Option<()>>,
}

async fn start(servers: &[&str], more: &[&str]) -> Running {
    let running = client_of(servers, more).await;
    let metrics = running.client.metrics.clone();
    let config = ListenConfig {
        address: "127.0.0.1:0".parse().unwrap(),
        max_connections: NonZeroUsize::new(10).unwrap(),
    };
    let tunnel = Tunnel::open(running.client, config).unwrap();
    let (cut, is_cut) = oneshot::channel();
    let is_cut = async { is_cut.await.expect("the test cuts or keeps it") };
    Running {
        address: tunnel.address,
        metrics,
        trigger: running.trigger,
        cut,
        witness: running.witness,
        task: tokio::spawn(tunnel.run(running.shutdown, is_cut)),
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

#[tokio::test]
async fn it_tunnels_and_passes_each_end_on() {
    let mut servers = Servers::start().await;
    let running = start(&[&servers.address()], &[]).await;

    // The local side is done first.
    let (mut near, far) = tokio::join!(running.connect(), servers.accept());
    let mut far = far.unwrap();
    near.write_all(b"question").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut far).await.unwrap(), "question");
    far.write_all(b"answer").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut near).await.unwrap(), "answer");

    // The server is done first.
    let (mut near, far) = tokio::join!(running.connect(), servers.accept());
    let mut far = far.unwrap();
    far.write_all(b"greeting").await.unwrap();
    far.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut near).await.unwrap(), "greeting");
    near.write_all(b"late").await.unwrap();
    drop(near);
    assert_eq!(rest_of(&mut far).await.unwrap(), "late");
}

#[tokio::test]
async fn a_server_that_breaks_off_is_no_end_for_the_local_side() {
    let mut servers = Servers::start().await;
    let running = start(&[&servers.address()], &[]).await;
    let (mut near, far) = tokio::join!(running.connect(), servers.accept());
    drop(far.unwrap());
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn a_local_side_that_breaks_off_is_no_end_for_the_server() {
    let mut servers = Servers::start().await;
    let running = start(&[&servers.address()], &[]).await;
    let (near, far) = tokio::join!(running.connect(), servers.accept());
    near.set_zero_linger().unwrap();
    drop(near);
    let error = rest_of(&mut far.unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[tokio::test]
async fn without_a_server_the_local_side_is_reset() {
    let closed = Servers::closed().await;
    let running = start(&[&closed], &["--connect-timeout=200ms"]).await;
    let mut near = running.connect().await;
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn the_second_server_is_used_when_the_first_is_down_or_has_another_key() {
    let mut good = Servers::start().await;
    let other = Servers::with_another_key().await;
    for first in [Servers::closed().await, other.address()] {
        let running = start(&[&first, &good.address()], &[]).await;
        let (mut near, far) = tokio::join!(running.connect(), good.accept());
        far.unwrap().write_all(b"hello").await.unwrap();
        let mut got = [0; 5];
        near.read_exact(&mut got).await.unwrap();
        assert_eq!(&got, b"hello");
    }
}

#[tokio::test]
async fn a_drain_lets_open_tunnels_finish() {
    let mut servers = Servers::start().await;
    let running = start(&[&servers.address()], &[]).await;
    let (mut near, far) = tokio::join!(running.connect(), servers.accept());
    let mut far = far.unwrap();
    running.trigger.drain();
    near.write_all(b"still here").await.unwrap();
    near.shutdown().await.unwrap();
    assert_eq!(rest_of(&mut far).await.unwrap(), "still here");
    far.shutdown().await.unwrap();
    rest_of(&mut near).await.unwrap();
    timeout(SOON, running.task).await.expect("it ends").unwrap();
    drop(running.metrics);
}

#[tokio::test]
async fn a_cut_closes_every_tunnel_at_once_and_wipes_the_key() {
    let mut servers = Servers::start().await;
    let running = start(&[&servers.address()], &[]).await;
    let (mut near, far) = tokio::join!(running.connect(), servers.accept());
    let mut far = far.unwrap();
    near.write_all(b"x").await.unwrap();
    far.read_exact(&mut [0]).await.unwrap();

    assert!(!running.witness.key_is_wiped());
    running.cut.send(()).unwrap();
    let cut = timeout(SOON, running.task).await.expect("it ends");
    assert_eq!(cut.unwrap(), Some(()));
    assert!(running.witness.key_is_wiped());
    let error = rest_of(&mut near).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let error = rest_of(&mut far).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}
