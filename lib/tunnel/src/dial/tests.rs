use super::*;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, SRV};
use hickory_resolver::proto::rr::{Name as DnsName, RData, Record};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

const LIMIT: Duration = Duration::from_secs(5);

/// Says its name to everyone who connects.
async fn server(name: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    server_on(name, listener)
}

fn server_on(name: u8, listener: TcpListener) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(&[name]).await;
        }
    });
    address
}

async fn closed_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

fn upstream(targets: &[SocketAddr]) -> Upstream {
    let targets = targets.iter().map(|address| Target::Address(*address));
    Upstream::new(targets.collect(), None, LIMIT)
}

async fn name_of(mut stream: TcpStream) -> u8 {
    stream.read_u8().await.unwrap()
}

async fn reached(upstream: &Upstream) -> char {
    name_of(upstream.dial().await.unwrap()).await.into()
}

/// What an establishing step says.
#[derive(Clone, Copy, PartialEq, Debug)]
enum No {
    ForNow,
    ForGood,
}

impl MayPass for No {
    fn may_pass(&self) -> bool {
        *self == Self::ForNow
    }
}

impl fmt::Display for No {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no: {self:?}")
    }
}

#[tokio::test]
async fn the_first_that_can_be_reached_is_taken() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    assert_eq!(reached(&upstream(&[a, b])).await, 'a');
    assert_eq!(reached(&upstream(&[closed_port().await, b])).await, 'b');
}

#[tokio::test]
async fn one_that_failed_is_tried_last_until_it_has_rested() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    let upstream = upstream(&[a, b]);
    let refuse_a = |stream: TcpStream| async move {
        match name_of(stream).await {
            b'a' => Err(No::ForNow),
            name => Ok(name),
        }
    };
    assert_eq!(upstream.connect(refuse_a).await.unwrap(), b'b');
    assert_eq!(reached(&upstream).await, 'b', "a rests");
    let (targets, _) = &*upstream.0.rests();
    let rest = targets.until(&Target::Address(a), Instant::now());
    assert!(rest.is_some());
}

#[tokio::test(start_paused = true)]
async fn after_its_rest_the_first_is_the_first_again() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    let upstream = upstream(&[a, b]);
    let refuse_a = |stream: TcpStream| async move {
        match name_of(stream).await {
            b'a' => Err(No::ForNow),
            name => Ok(name),
        }
    };
    upstream.connect(refuse_a).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(reached(&upstream).await, 'a');
}

#[tokio::test(start_paused = true)]
async fn what_may_pass_is_tried_again_until_the_limit() {
    let address = server(b'a').await;
    let upstream = upstream(&[address]);
    let times = AtomicUsize::new(0);
    let start = Instant::now();
    let refuse = |_| {
        times.fetch_add(1, Ordering::Relaxed);
        ready(Err::<(), No>(No::ForNow))
    };
    let unreachable = upstream.connect(refuse).await.unwrap_err();
    assert!(start.elapsed() <= LIMIT);
    // Rests of 0.1 to 0.2 s, doubled each time, in 5 s, and once more at the end.
    let times = times.load(Ordering::Relaxed);
    assert!((6..=7).contains(&times), "{times} times");
    assert_eq!(unreachable.failures().len(), 1);
    assert!(matches!(
        unreachable.failures()[0].cause,
        Cause::Establish(No::ForNow)
    ));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_comes_up_late_is_reached() {
    let address = closed_port().await;
    let upstream = upstream(&[address]);
    let late = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        server_on(b'l', TcpListener::bind(address).await.unwrap());
        std::future::pending::<()>().await
    };
    tokio::select! {
        name = reached(&upstream) => assert_eq!(name, 'l'),
        () = late => {}
    }
}

#[tokio::test]
async fn one_round_tries_each_place_once() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    let upstream = upstream(&[closed_port().await, a, b]);
    let tries = AtomicUsize::new(0);
    let refuse = |_| {
        tries.fetch_add(1, Ordering::Relaxed);
        ready(Err::<(), _>(No::ForNow))
    };
    let failures = upstream.connect_once(refuse).await.unwrap_err();
    assert_eq!(failures.failures().len(), 3);
    assert_eq!(tries.load(Ordering::Relaxed), 2);
    let accept = |stream| ready(Ok::<_, No>(stream));
    name_of(upstream.connect_once(accept).await.unwrap()).await;
}

#[tokio::test(start_paused = true)]
async fn one_round_ends_with_the_limit() {
    let upstream = upstream(&[server(b'a').await]);
    let never = |_| std::future::pending::<Result<(), No>>();
    let failures = upstream.connect_once(never).await.unwrap_err();
    let [failure] = failures.failures() else {
        panic!("{failures}");
    };
    assert!(matches!(failure.cause, Cause::NoAnswer(Step::Handshake)));
}

#[tokio::test]
async fn a_judgement_is_final() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    let upstream = upstream(&[a, b]);
    let times = AtomicUsize::new(0);
    let refuse = |_| {
        times.fetch_add(1, Ordering::Relaxed);
        ready(Err::<(), No>(No::ForGood))
    };
    let unreachable = upstream.connect(refuse).await.unwrap_err();
    assert_eq!(times.load(Ordering::Relaxed), 2, "each is asked once");
    assert_eq!(
        unreachable.to_string(),
        format!("{a}: no: ForGood; {b}: no: ForGood")
    );
}

#[tokio::test(start_paused = true)]
async fn a_judgement_of_one_does_not_end_the_wait_for_another() {
    let [judge, later] = [server(b'j').await, closed_port().await];
    let upstream = upstream(&[judge, later]);
    let start = Instant::now();
    let refuse = |_| ready(Err::<(), No>(No::ForGood));
    upstream.connect(refuse).await.unwrap_err();
    assert!(start.elapsed() >= LIMIT * 9 / 10);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_gets_no_answer_is_told_with_its_server() {
    let [silent, closed] = [server(b's').await, closed_port().await];
    let wait = |_| std::future::pending::<Result<(), No>>();
    let unreachable = upstream(&[silent]).connect(wait).await.unwrap_err();
    let told = format!("{silent}: connected, but the handshake got no answer in time");
    assert_eq!(unreachable.to_string(), told);
    // What else was met is told as well.
    let unreachable = upstream(&[closed, silent]).connect(wait).await.unwrap_err();
    let all = unreachable.to_string();
    assert!(all.starts_with(&format!("{closed}: Connection refused")));
    assert!(all.ends_with(&format!("; {told}")), "{all}");
}

#[test]
fn a_round_that_is_cut_short_keeps_what_the_one_before_met() {
    let [a, b, c]: [Target; 3] =
        ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"].map(|text| text.parse().unwrap());
    let met = |target: &Target, cause| Failure {
        target: target.clone(),
        address: None,
        cause,
    };
    let before = |targets: &[&Target]| -> Vec<Failure<No>> {
        let all = targets.iter();
        all.map(|target| met(target, Cause::Establish(No::ForGood)))
            .collect()
    };
    let cut = |earlier: &[&Target]| {
        let mut round = Round::new();
        round.failed(&a, None, Cause::Establish(No::ForNow));
        round.begin(&b, None, Step::Connect);
        let failures = round.cut_short(before(earlier));
        Unreachable { failures }.to_string()
    };
    assert_eq!(
        cut(&[]),
        "127.0.0.1:1: no: ForNow; 127.0.0.1:2: no connection in time"
    );
    assert_eq!(
        cut(&[&a, &b, &c]),
        "127.0.0.1:1: no: ForNow; 127.0.0.1:2: no: ForGood; 127.0.0.1:3: no: ForGood"
    );
}

/// A DNS server that knows a few names and counts what it is asked.
struct Dns {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

async fn dns(records: &[(&str, RData)]) -> Dns {
    let records: Vec<(DnsName, RData)> = records
        .iter()
        .map(|(name, data)| (name.parse().unwrap(), data.clone()))
        .collect();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut packet = [0; 512];
        loop {
            let (n, from) = socket.recv_from(&mut packet).await.unwrap();
            count.fetch_add(1, Ordering::Relaxed);
            let question = Message::from_vec(&packet[..n]).unwrap();
            let query = question.queries[0].clone();
            let mut answer = question.into_response();
            let of_name = || records.iter().filter(|(name, _)| name == query.name());
            for (name, data) in
                of_name().filter(|(_, data)| data.record_type() == query.query_type())
            {
                answer.add_answer(Record::from_rdata(name.clone(), 60, data.clone()));
            }
            if of_name().next().is_none() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            socket
                .send_to(&answer.to_vec().unwrap(), from)
                .await
                .unwrap();
        }
    });
    Dns { address, asked }
}

impl Dns {
    fn upstream(&self, targets: &[&str]) -> Upstream {
        let targets: Vec<Target> = targets
            .iter()
            .map(|target| target.parse().unwrap())
            .collect();
        let names = Names::needed_by(&targets, Some(self.address)).unwrap();
        Upstream::new(targets, names, LIMIT)
    }
}

fn v4(address: &str) -> RData {
    RData::A(A(address.parse().unwrap()))
}

fn v6(address: &str) -> RData {
    RData::AAAA(AAAA(address.parse().unwrap()))
}

fn srv(priority: u16, port: u16, target: &str) -> RData {
    RData::SRV(SRV::new(priority, 0, port, target.parse().unwrap()))
}

#[tokio::test]
async fn a_name_is_looked_up() {
    let server = server(b'a').await;
    let dns = dns(&[("a.example.", v4("127.0.0.1")), ("a.example.", v6("::1"))]).await;
    let target = format!("a.example:{}", server.port());
    let upstream = dns.upstream(&[&target]);
    assert_eq!(reached(&upstream).await, 'a');
    let asked = dns.asked.load(Ordering::Relaxed);
    assert_eq!(asked, 2, "once for each family");
    assert_eq!(reached(&upstream).await, 'a');
    assert_eq!(dns.asked.load(Ordering::Relaxed), asked, "answers are kept");
}

#[tokio::test]
async fn every_address_of_a_name_is_tried_whatever_its_family() {
    let server = server(b'a').await;
    let dns = dns(&[
        ("a.example.", v6("::1")),
        ("a.example.", v4("127.0.0.2")),
        ("a.example.", v4("127.0.0.1")),
    ])
    .await;
    // Nobody listens on the first two.
    let target = format!("a.example:{}", server.port());
    assert_eq!(reached(&dns.upstream(&[&target])).await, 'a');
}

#[tokio::test]
async fn an_address_that_failed_comes_after_the_others_of_its_name() {
    let first = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let port = first.local_addr().unwrap().port();
    let second = TcpListener::bind(("127.0.0.3", port)).await.unwrap();
    server_on(b'a', first);
    server_on(b'b', second);
    let dns = dns(&[
        ("a.example.", v4("127.0.0.2")),
        ("a.example.", v4("127.0.0.3")),
    ])
    .await;
    let upstream = dns.upstream(&[&format!("a.example:{port}")]);

    let seen = Mutex::new(Vec::new());
    let refuse_the_first = |stream: TcpStream| {
        let seen = &seen;
        async move {
            let name = name_of(stream).await;
            let mut seen = seen.lock().unwrap();
            seen.push(name);
            if seen.len() == 1 {
                Err(No::ForNow)
            } else {
                Ok(())
            }
        }
    };
    upstream.connect(refuse_the_first).await.unwrap();
    let good = seen.lock().unwrap()[1];
    for _ in 0..4 {
        assert_eq!(
            reached(&upstream).await,
            char::from(good),
            "the other rests"
        );
    }
}

#[tokio::test]
async fn a_service_gives_hosts_and_ports_by_priority() {
    let [a, b] = [server(b'a').await, server(b'b').await];
    let closed = closed_port().await.port();
    for (first, expected) in [(a.port(), 'a'), (closed, 'b')] {
        let dns = dns(&[
            ("_mcbn._tcp.net.example.", srv(20, b.port(), "b.example.")),
            ("_mcbn._tcp.net.example.", srv(10, first, "a.example.")),
            ("a.example.", v4("127.0.0.1")),
            ("b.example.", v4("127.0.0.1")),
        ])
        .await;
        assert_eq!(reached(&dns.upstream(&["srv:net.example"])).await, expected);
    }
}

#[tokio::test]
async fn a_service_that_is_not_there_is_refused() {
    let dns = dns(&[("_mcbn._tcp.net.example.", srv(0, 0, "."))]).await;
    let upstream = dns.upstream(&["srv:net.example"]);
    let unreachable = upstream.dial().await.unwrap_err();
    assert_eq!(
        unreachable.to_string(),
        "srv:_mcbn._tcp.net.example: no such name"
    );
}

#[tokio::test]
async fn the_next_target_is_tried_when_a_name_is_unknown() {
    let server = server(b'a').await;
    let dns = dns(&[]).await;
    let address = server.to_string();
    let upstream = dns.upstream(&["unknown.example:1", &address]);
    assert_eq!(reached(&upstream).await, 'a');
}

#[tokio::test]
async fn an_unknown_name_is_final() {
    let dns = dns(&[]).await;
    let unreachable = dns
        .upstream(&["unknown.example:1"])
        .dial()
        .await
        .unwrap_err();
    assert_eq!(unreachable.to_string(), "unknown.example:1: no such name");
}

#[tokio::test]
async fn localhost_is_never_looked_up() {
    let server = server(b'a').await;
    let dns = dns(&[("localhost.", v4("192.0.2.1"))]).await;
    let target = format!("localhost:{}", server.port());
    // The second target makes the upstream need names at all.
    let upstream = dns.upstream(&[&target, "other.example:1"]);
    assert_eq!(reached(&upstream).await, 'a');
    assert_eq!(dns.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(start_paused = true)]
async fn a_silent_dns_server_does_not_outlast_the_limit() {
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let targets = vec!["a.example:1".parse().unwrap()];
    let names = Names::from_server(silent.local_addr().unwrap()).unwrap();
    let start = Instant::now();
    // Less than the resolver's own patience.
    let limit = Duration::from_secs(1);
    let upstream: Upstream = Upstream::new(targets, Some(names), limit);
    let unreachable = upstream.dial().await.unwrap_err();
    assert!(start.elapsed() <= limit + Duration::from_secs(1));
    assert_eq!(
        unreachable.to_string(),
        "a.example:1: its name was not looked up in time"
    );
}

#[test]
fn only_names_need_a_resolver() {
    let targets = |texts: &[&str]| -> Vec<Target> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let server = Some("127.0.0.1:53".parse().unwrap());
    for numeric in [&["127.0.0.1:1"][..], &["localhost:1", "[::1]:1"]] {
        assert!(
            Names::needed_by(&targets(numeric), server)
                .unwrap()
                .is_none()
        );
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _guard = runtime.enter();
    for named in [&["a.example:1"][..], &["127.0.0.1:1", "srv:a.example"]] {
        assert!(Names::needed_by(&targets(named), server).unwrap().is_some());
    }
}
