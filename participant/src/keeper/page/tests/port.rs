//! The port, and what strangers may use of it.

use super::*;
use mcbn_runtime::admin::NotLoopback;

#[test]
fn an_address_that_others_reach_is_refused() {
    for address in [
        "0.0.0.0:0",
        "192.0.2.1:80",
        "[::]:0",
        "[2001:db8::1]:80",
        "10.0.0.1:80",
    ] {
        let parsed: Result<Loopback, _> = address.parse();
        assert_eq!(parsed, Err(NotLoopback::Reachable), "{address}");
    }
}

#[tokio::test]
async fn it_answers_on_the_other_loopback_too() {
    let running = start().await;
    let setup = setup(running.path(), Arc::new(|| Time(START)));
    let (_trigger, shutdown) = Shutdown::manual();
    let address = "[::1]:0".parse().unwrap();
    let page = Page::open(address, setup, shutdown).await.unwrap();
    let url = running.url();
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let request = Request {
        address: host.parse().unwrap(),
        method: "GET".into(),
        path: format!("/{path}"),
        headers: vec![("host".into(), host.into())],
        body: String::new(),
    };
    assert_eq!(request.send().await.status, 303);
    drop(page);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let running = start().await;
    let visitor = running.enter().await;
    let large = visitor.request("GET", "").with("x", &"x".repeat(20_000));
    assert_eq!(large.send().await.status, 431);
    let mut many = visitor.request("GET", "");
    for i in 0..100 {
        many = many.with(&format!("x{i}"), "x");
    }
    assert_eq!(many.send().await.status, 431);
    assert_eq!(visitor.get("").await.status, 200);
}

/// As many as [`server`] lets in.
const CONNECTIONS: usize = 32;

#[tokio::test]
async fn one_connection_too_many_waits_until_another_ends() {
    let running = start().await;
    let mut idle = Vec::new();
    for _ in 1..CONNECTIONS {
        idle.push(TcpStream::connect(running.address).await.unwrap());
    }
    let ask = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", running.address);
    let mut last = TcpStream::connect(running.address).await.unwrap();
    let mut late = TcpStream::connect(running.address).await.unwrap();
    late.write_all(ask.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    for _ in 0..20 {
        last.write_all(ask.as_bytes()).await.unwrap();
        let read = timeout(SOON, last.read(&mut answer)).await.unwrap();
        assert!(answer[..read.unwrap()].starts_with(b"HTTP/1.1 403"));
        let early = late.try_read(&mut answer).map_err(|error| error.kind());
        assert_eq!(early, Err(std::io::ErrorKind::WouldBlock));
    }
    drop(last);
    let read = timeout(SOON, late.read(&mut answer)).await.unwrap();
    assert!(answer[..read.unwrap()].starts_with(b"HTTP/1.1 403"));
    drop(idle);
}

#[tokio::test(start_paused = true)]
async fn whoever_says_nothing_is_hung_up_on() {
    let running = start().await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut slow = TcpStream::connect(running.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    for stream in [&mut silent, &mut slow] {
        let mut rest = Vec::new();
        let ended = timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "the connection stays open");
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn it_ends_with_its_keeper_and_takes_its_address_back() {
    let running = start().await;
    let visitor = running.enter().await;
    assert_eq!(visitor.get("").await.status, 200);
    let address = running.address;
    let file = running.path().with_added_extension("page");
    running.trigger.drain();
    let closed = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, closed).await.expect("the port closes");
    assert!(file.exists());
    drop(running.page);
    assert!(!file.exists());
}

#[tokio::test]
async fn the_address_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let running = start().await;
    let file = running.path().with_added_extension("page");
    let mode = file.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (_, token) = running
        .url()
        .split_once("token=")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    assert_eq!(token.len(), 43);
    assert!(!format!("{:?}", running.page).contains(&token));
}
