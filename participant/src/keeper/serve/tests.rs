use super::*;
use crate::keeper::key::Key;
use crate::keeper::ledger::Ledger;
use crate::keeper::ledger::decide::{self, Word, say};
use crate::keeper::ledger::entry::{By, Event, Finding, Via};
use crate::keeper::ledger::file::Open;
use crate::keeper::ledger::state::{self, Placed};
use crate::keeper::ledger::writer;
use crate::keeper::verify::{Doubt, Vouched};
use client::{Client, Token};
use mcbn_attest::{Expected, KeysFault, UnixTime};
use mcbn_consent::message::Lease;
use mcbn_manifest::ImageDigest;
use mcbn_runtime::shutdown::Trigger;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::task::JoinHandle as Task;

mod client;
mod people;
mod release;
mod strangers;

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

/// Longer than anything here takes, so that a test that goes wrong ends.
const SOON: Duration = Duration::from_secs(20);

/// Stands in for the issuer: takes a [`Token`] for what it says, if it says what is expected.
#[derive(Default)]
struct Credulous(AtomicU64);

impl Verify for Credulous {
    fn verify(&self, token: &str, expected: &Expected<'_>) -> Result<Vouched, Doubt> {
        let fault = |reason: &str| Err(Doubt::Token(reason.parse().unwrap()));
        let Some(token) = Token::parse(token) else {
            return fault("malformed");
        };
        if token.audience != expected.audience {
            return fault("audience");
        }
        if token.nonces != expected.nonces {
            return fault("nonces");
        }
        let image = ImageDigest([2; 32]);
        let holds = !token.subject.starts_with("debug");
        let findings = vec![Finding {
            demand: "debug".parse().unwrap(),
            holds,
            demanded: "disabled-since-boot".into(),
            found: "…".into(),
        }];
        match token.subject.as_str() {
            "keys-soon" if self.0.fetch_add(1, Ordering::SeqCst) == 0 => {
                Err(Doubt::KeysBusy("keys-busy".parse().unwrap()))
            }
            "keys-busy" => Err(Doubt::KeysBusy("keys-busy".parse().unwrap())),
            "keys-gone" => Err(Doubt::NoKeys("keys-unavailable".parse().unwrap())),
            "bug" => panic!("a bug"),
            _ if holds => Ok(Vouched {
                workload: "psk-server".parse().unwrap(),
                image,
                subject: token.subject,
                findings,
            }),
            _ => Err(Doubt::Policy {
                failed: vec!["debug".parse().unwrap()],
                subject: token.subject,
                image: Some(image),
                findings,
            }),
        }
    }

    fn warm(&self, _now: UnixTime) -> Result<(), KeysFault> {
        Ok(())
    }
}

/// A keeper that answers on loopback.
pub struct Running {
    folder: Folder,
    address: SocketAddr,
    pin: Pin,
    pub keeper: Arc<Keeper>,
    /// Milliseconds.
    clock: Arc<AtomicU64>,
    trigger: Trigger,
    task: Task<()>,
    thread: JoinHandle<Ledger>,
}

struct With {
    share: Contribution,
    ask: bool,
    limits: Limits,
}

impl Default for With {
    fn default() -> With {
        With {
            share: Contribution::Share(mcbn_share::text::share(SHARE.as_bytes()).unwrap()),
            ask: false,
            limits: LIMITS,
        }
    }
}

const LIMITS: Limits = Limits {
    connections: NonZeroUsize::new(64).unwrap(),
    connections_of_a_peer: NonZeroUsize::new(64).unwrap(),
    handshakes: NonZeroUsize::new(64).unwrap(),
    verifications: NonZeroUsize::new(2).unwrap(),
    tokens: NonZeroU32::new(100_000).unwrap(),
};

pub async fn start() -> Running {
    start_with(With::default()).await
}

async fn start_with(With { share, ask, limits }: With) -> Running {
    let folder = TempDir::new().unwrap();
    let key = Key::create(&folder.path().join("key")).unwrap();
    let pin = key.pin();
    let ledger = Ledger::open(&folder.path().join("ledger"), Open::OrCreate).unwrap();
    let clock = Arc::new(AtomicU64::new(1_800_000_000_000));
    let now: Clock = {
        let clock = Arc::clone(&clock);
        Arc::new(move || Time(clock.load(Ordering::SeqCst)))
    };
    let terms = decide::Terms {
        lease: Duration::from_secs(300),
        ask,
    };
    let (writer, thread) = writer::start(ledger, terms, Arc::clone(&now)).unwrap();
    let keeper = Arc::new(Keeper {
        terms: Terms {
            manifest: ManifestDigest([1; 32]),
            audience: audience(&pin),
            seconds: NonZeroU32::new(300).unwrap(),
        },
        share,
        verify: Arc::new(Credulous::default()),
        writer,
        clock: now,
        verifications: Arc::new(semaphore(limits.verifications)),
        rates: limits.rates(),
        refusals: Refusals::new(),
        metrics: Metrics::default(),
        random: SystemRandom::new(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server {
        listener,
        acceptor: tls::acceptor(key).unwrap(),
        limits,
        keeper: Arc::clone(&keeper),
    };
    let (trigger, shutdown) = Shutdown::manual();
    Running {
        folder: Folder(folder),
        address,
        pin,
        keeper,
        clock,
        trigger,
        task: tokio::spawn(server.run(shutdown)),
        thread,
    }
}

impl Running {
    async fn connect(&self) -> Client {
        Client::connect(self.address, self.pin).await
    }

    /// A token of this machine, for a challenge of this connection.
    async fn token(&self, client: &mut Client, subject: &str) -> Token {
        let challenge = client.challenge(self.keeper.terms.manifest).await;
        Token::new(subject, self, client, &challenge)
    }

    async fn release(&self, subject: &str) -> client::Answer {
        let mut client = self.connect().await;
        let token = self.token(&mut client, subject).await;
        client.release(&token).await
    }

    async fn renew(&self, subject: &str, lease: Lease) -> client::Answer {
        let mut client = self.connect().await;
        let token = self.token(&mut client, subject).await;
        client.renew(&token, lease).await
    }

    fn pass(&self, time: Duration) {
        let milliseconds = time.as_millis() as u64;
        self.clock.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Waits until everything that one client sent was read, and has begun to be answered.
    async fn has_read(&self, client: &Client) {
        self.comes_to_show(&format!("bytes_up_total {}", client.sent))
            .await;
    }

    /// Waits until the metrics have this line.
    async fn comes_to_show(&self, line: &str) {
        let mut registry = Registry::default();
        self.keeper.metrics.register(&mut registry);
        let mut text = String::new();
        let shown = timeout(SOON, async {
            loop {
                text.clear();
                encode(&mut text, &registry).unwrap();
                if text.lines().any(|shown| shown == line) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        let shown = shown.await;
        assert!(shown.is_ok(), "never {line}: {text}");
    }

    /// Ends in order: what was counted is then in the ledger.
    async fn end(self) -> Folder {
        self.trigger.drain();
        timeout(SOON, self.task).await.expect("it ends").unwrap();
        drop(self.keeper);
        self.thread.join().unwrap();
        self.folder
    }
}

/// Where the ledger is.
pub struct Folder(TempDir);

impl Folder {
    fn path(&self) -> PathBuf {
        self.0.path().join("ledger")
    }

    /// As a person says it, in another process.
    fn say(&self, word: &Word) {
        let mut ledger = Ledger::open(&self.path(), Open::Existing).unwrap();
        let by = By {
            via: Via::Command,
            uid: 0,
        };
        let said = ledger.append(Time(0), |page| say(page, word, by)).unwrap();
        said.unwrap();
    }

    fn entries(&self) -> Vec<Event> {
        let ledger = Ledger::open(&self.path(), Open::Existing).unwrap();
        let entries = state::after(ledger.read(), 0, 1000).unwrap();
        let event = |placed: Placed| placed.entry.event;
        entries.into_iter().map(event).collect()
    }

    /// The kinds of the entries, and of refusals the code and the reasons.
    fn log(&self) -> Vec<String> {
        let reasons = |reasons: &[mcbn_consent::message::Reason]| -> String {
            reasons.iter().map(|reason| format!(" {reason}")).collect()
        };
        let line = |event: Event| match &event {
            Event::Refused {
                code, reasons: all, ..
            } => format!("refused {code}{}", reasons(all)),
            Event::Counted {
                code,
                reasons: all,
                count,
                ..
            } => format!("{count} {code}{}", reasons(all)),
            other => other.kind().as_str().to_owned(),
        };
        self.entries().into_iter().map(line).collect()
    }
}
