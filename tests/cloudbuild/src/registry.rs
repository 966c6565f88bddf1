//! A real registry server on this machine: `docker-registry`, empty, on a free port, gone when dropped.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

/// For the server to start, and for each answer.
const DEADLINE: Duration = Duration::from_secs(60);

pub struct Registry {
    server: Child,
    pub address: SocketAddr,
    _storage: TempDir,
}

impl Registry {
    pub fn start() -> io::Result<Self> {
        let storage = TempDir::new()?;
        let config = storage.path().join("config.json");
        // JSON is YAML.
        let settings = serde_json::json!({
            "version": 0.1,
            "log": { "level": "info", "accesslog": { "disabled": true } },
            "storage": { "filesystem": { "rootdirectory": storage.path().join("blobs") } },
            "http": { "addr": "127.0.0.1:0" },
        });
        std::fs::write(&config, settings.to_string())?;
        let mut server = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("docker-registry: {error}")))?;
        let log = server.stderr.take().expect("it is piped above");
        let (tell, told) = mpsc::channel();
        // Reads on for as long as the server runs: a full pipe would stop it.
        std::thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                if let Some(address) = listening(&line) {
                    let _ = tell.send(address);
                }
            }
        });
        match told.recv_timeout(DEADLINE) {
            Ok(address) => Ok(Self {
                server,
                address,
                _storage: storage,
            }),
            Err(error) => {
                let _ = server.kill();
                let _ = server.wait();
                Err(io::Error::other(format!("docker-registry: {error}")))
            }
        }
    }

    /// The tags of a repository, in order; none where there is no such repository.
    pub fn tags(&self, repository: &str) -> io::Result<Vec<String>> {
        #[derive(Deserialize)]
        struct List {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        let answer = self.get(&format!("/v2/{repository}/tags/list"))?;
        let list: List = serde_json::from_slice(&answer)?;
        let mut tags = list.tags.unwrap_or_default();
        tags.sort();
        Ok(tags)
    }

    fn get(&self, path: &str) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&self.address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.address
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .ok_or_else(|| io::Error::other("no HTTP answer"))?;
        Ok(answer.split_off(end + 4))
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The address in the log line that says where the server listens.
fn listening(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("listening on ")?;
    let end = rest
        .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':'))
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
