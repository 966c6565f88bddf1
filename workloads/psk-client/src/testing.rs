//! Servers to connect to, and the client as it is configured, for the tests of each mode.

use std::io::{self, Write};
use std::os::fd::IntoRawFd;
use std::time::Duration;

use mcbn_endpoint::client::{self, Client};
use mcbn_psk::handshake::NoStream;
use mcbn_psk::settings::KeyConfig;
use mcbn_psk::{Acceptor, Connector, HandshakeError, PskStream, Witness};
use mcbn_runtime::admin::Admin;
use mcbn_runtime::process::Process;
use mcbn_runtime::shutdown::{Shutdown, Trigger};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::{Config, PROGRAM};

/// Longer than anything here takes, so that a test that goes wrong ends.
pub const SOON: Duration = Duration::from_secs(20);

const SHARE: &str = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";

pub fn config(arguments: &[&str]) -> Config {
    let (share, mut writer) = io::pipe().unwrap();
    writer.write_all(SHARE.as_bytes()).unwrap();
    let share = format!("--share=alice=fd:{}", share.into_raw_fd());
    let arguments = [&[share.as_str()][..], arguments].concat();
    PROGRAM.own_config(&arguments, Config::read).unwrap()
}

pub type Error = client::Error<NoStream>;

pub struct Running {
    pub client: Client<Connector>,
    pub shutdown: Shutdown,
    pub trigger: Trigger,
    pub witness: Witness,
}

/// A client of these servers; its mode is whatever the test does with it.
pub async fn client_of(servers: &[&str], more: &[&str]) -> Running {
    let servers: Vec<String> = servers
        .iter()
        .map(|server| format!("--server={server}"))
        .collect();
    let mut arguments: Vec<&str> = servers.iter().map(String::as_str).collect();
    arguments.push("--stdio");
    arguments.extend(more);
    let (trigger, shutdown) = Shutdown::manual();
    let process = Process {
        shutdown,
        admin: Admin::new(&PROGRAM),
    };
    let config = config(&arguments);
    let (key, _) = config.key.make(None, &process.admin).await.unwrap();
    let identity = config.key.identity().clone();
    let connector = Connector::new(identity, key, config.key.versions()).unwrap();
    let witness = connector.witness();
    Running {
        client: Client::new(config.client, connector, &process).unwrap(),
        shutdown: process.shutdown,
        trigger,
        witness,
    }
}

/// A server with the client's key, whose connections the test handles.
pub struct Servers {
    address: String,
    accepted: mpsc::UnboundedReceiver<Result<PskStream<TcpStream>, HandshakeError>>,
}

impl Servers {
    pub async fn start() -> Self {
        Self::with_key(config(&["--server=192.0.2.1:1", "--stdio"]).key).await
    }

    /// Another identity is another key.
    pub async fn with_another_key() -> Self {
        let arguments = ["--server=192.0.2.1:1", "--stdio", "--identity=another"];
        Self::with_key(config(&arguments).key).await
    }

    async fn with_key(key: KeyConfig) -> Self {
        let (psk, _) = key.make(None, &Admin::new(&PROGRAM)).await.unwrap();
        let acceptor = Acceptor::new(key.identity().clone(), psk, key.versions()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (send, accepted) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if send.send(acceptor.accept(stream).await).is_err() {
                    return;
                }
            }
        });
        Self { address, accepted }
    }

    pub fn address(&self) -> String {
        self.address.clone()
    }

    /// An address where nobody listens.
    pub async fn closed() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().to_string()
    }

    pub async fn accept(&mut self) -> Result<PskStream<TcpStream>, HandshakeError> {
        let accepted = timeout(SOON, self.accepted.recv()).await;
        accepted.expect("a connection").expect("the server runs")
    }
}

pub async fn rest_of(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<String> {
    let mut all = String::new();
    timeout(SOON, stream.read_to_string(&mut all))
        .await
        .expect("an end")?;
    Ok(all)
}
