use super::*;
use crate::keeper::ledger::entry::{Event, Finding, Time};
use crate::keeper::ledger::instance::{Instance, InstanceId, LeaseId};
use crate::keeper::ledger::state::{self, Placed};
use mcbn_consent::message::Lease;
use mcbn_manifest::ImageDigest;
use mcbn_runtime::shutdown::Trigger;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

mod door;
mod orders;
mod pages;
mod port;

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

const START: u64 = 1_800_000_000_000;

/// A page on loopback, over a ledger of its own.
struct Running {
    folder: TempDir,
    address: SocketAddr,
    page: Page,
    clock: Arc<AtomicU64>,
    trigger: Trigger,
}

/// The page of Alice's keeper, which asks her.
fn setup(ledger: PathBuf, clock: Clock) -> Setup {
    Setup {
        about: About {
            network: "house".parse().unwrap(),
            participant: "alice".parse().unwrap(),
            pin: Pin([7; 32]),
            manifest: ManifestDigest([1; 32]),
            lease: Duration::from_secs(300),
            ask: true,
        },
        ledger,
        clock,
    }
}

async fn start() -> Running {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    Ledger::open(&path, Open::OrCreate).unwrap();
    let clock = Arc::new(AtomicU64::new(START));
    let now = Arc::clone(&clock);
    let setup = setup(
        path.clone(),
        Arc::new(move || Time(now.load(Ordering::SeqCst))),
    );
    let (trigger, shutdown) = Shutdown::manual();
    let address = "127.0.0.1:0".parse().unwrap();
    let page = Page::open(address, setup, shutdown).await.unwrap();
    let url = fs::read_to_string(path.with_added_extension("page")).unwrap();
    let (host, _) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    Running {
        address: host.parse().unwrap(),
        folder,
        page,
        clock,
        trigger,
    }
}

fn instance(subject: &str) -> Instance {
    Instance {
        manifest: ManifestDigest([1; 32]),
        subject: subject.into(),
        image: ImageDigest([2; 32]),
        workload: "psk-server".parse().unwrap(),
    }
}

fn finding(holds: bool, demanded: &str, found: &str) -> Finding {
    Finding {
        demand: "hardware".parse().unwrap(),
        holds,
        demanded: demanded.into(),
        found: found.into(),
    }
}

fn pending(subject: &str) -> Event {
    Event::Pending {
        instance: instance(subject),
        findings: vec![finding(true, "GCP_INTEL_TDX", "GCP_INTEL_TDX")],
    }
}

fn lease() -> LeaseId {
    Lease([5; 16]).into()
}

/// For five minutes from the start.
fn released(subject: &str) -> Event {
    Event::Released {
        instance: instance(subject),
        lease: lease(),
        until: Time(START + 300_000),
        findings: vec![finding(true, "GCP_INTEL_TDX", "GCP_INTEL_TDX")],
    }
}

fn by(via: Via) -> By {
    By { via, uid: 1000 }
}

impl Running {
    fn path(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    fn url(&self) -> String {
        let file = self.path().with_added_extension("page");
        fs::read_to_string(file).unwrap().trim().to_owned()
    }

    /// Writes what a keeper or a command in another process would.
    fn write(&self, events: impl IntoIterator<Item = Event>) {
        let mut ledger = Ledger::open(&self.path(), Open::Existing).unwrap();
        let now = Time(self.clock.load(Ordering::SeqCst));
        let written = ledger.append(now, |page| {
            events
                .into_iter()
                .try_for_each(|event| page.write(event).map(drop))
        });
        written.unwrap();
    }

    fn entries(&self) -> Vec<Event> {
        let ledger = Ledger::open(&self.path(), Open::Existing).unwrap();
        let entries = state::after(ledger.read(), 0, 1000).unwrap();
        let event = |placed: Placed| placed.entry.event;
        entries.into_iter().map(event).collect()
    }

    fn kinds(&self) -> Vec<&'static str> {
        let entries = self.entries();
        entries.iter().map(|event| event.kind().as_str()).collect()
    }

    fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A request as a browser writes it.
    fn request(&self, method: &str, path: &str) -> Request {
        Request {
            address: self.address,
            method: method.into(),
            path: path.into(),
            headers: vec![("host".into(), self.address.to_string())],
            body: String::new(),
        }
    }

    /// Shows the token.
    async fn enter(&self) -> Visitor<'_> {
        let url = self.url();
        let path = url.strip_prefix(&self.origin()).unwrap();
        let answer = self.request("GET", path).send().await;
        assert_eq!(answer.status, 303);
        let cookie = answer.header("set-cookie").unwrap();
        Visitor {
            running: self,
            cookie: cookie.split(';').next().unwrap().into(),
            base: answer.header("location").unwrap().into(),
        }
    }
}

/// A browser that was let in.
struct Visitor<'r> {
    running: &'r Running,
    cookie: String,
    base: String,
}

impl Visitor<'_> {
    fn request(&self, method: &str, path: &str) -> Request {
        let path = format!("{}{path}", self.base);
        let request = self.running.request(method, &path);
        request.with("cookie", &self.cookie)
    }

    async fn get(&self, path: &str) -> Answer {
        self.request("GET", path).send().await
    }

    /// A form as a page of the visitor's carries it, sent as a browser does.
    fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request {
        let request = self.request("POST", path);
        let request = request
            .with("origin", &self.running.origin())
            .with("sec-fetch-site", "same-origin")
            .with("content-type", "application/x-www-form-urlencoded");
        let fields: Vec<_> = fields.iter().map(|(n, v)| format!("{n}={v}")).collect();
        request.body(&fields.join("&"))
    }

    async fn key(&self) -> String {
        // The one of the two questions that has an answer now.
        let pages = self.get("/withdraw").await.body + &self.get("/restore").await.body;
        let (_, rest) = pages.split_once("name=\"key\" value=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let key = self.key().await;
        let all = [&[("key", key.as_str())], fields].concat();
        self.form(path, &all).send().await
    }

    async fn approve(&self, instance: InstanceId, seen: u64) -> Answer {
        let (id, seen) = (instance.to_string(), seen.to_string());
        self.send("/approve", &[("instance", &id), ("seen", &seen)])
            .await
    }
}

struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn with(self, name: &str, value: &str) -> Request {
        let mut request = self.without(name);
        request.headers.push((name.into(), value.into()));
        request
    }

    fn and(mut self, name: &str, value: &str) -> Request {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(other, _)| other != name);
        self
    }

    fn body(mut self, body: &str) -> Request {
        self.body = body.into();
        self
    }

    async fn send(self) -> Answer {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if self.method == "POST" {
            text += &format!("content-length: {}\r\n", self.body.len());
        }
        text += &format!("connection: close\r\n\r\n{}", self.body);
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // What is refused early is answered before all of it is read.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let read = timeout(SOON, stream.read_to_end(&mut answer)).await;
        let _ = read.expect("it answers in time");
        Answer::parse(&String::from_utf8(answer).unwrap())
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Answer {
            status: status.parse().unwrap(),
            headers: lines.map(header).collect(),
            body: body.into(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(other, _)| other == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// What a person reads: no tags, and spaces as they are drawn.
    fn text(&self) -> String {
        let (_, body) = self.body.split_once("<body>").expect("a page");
        let mut text = String::new();
        for part in body.split('<') {
            let (tag, shown) = part.split_once('>').unwrap_or(("", part));
            let inline = ["strong", "code", "span", "bdi", "a", "time"];
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            if !inline.contains(&name) {
                text.push(' ');
            }
            text += shown;
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
    }
}
