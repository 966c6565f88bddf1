//! A real registry server, and a wire to it that can be cut.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// `docker-registry`, which must be installed, on a free loopback port with storage of its own.
pub struct Registry {
    server: Child,
    pub host: String,
    folder: TempDir,
}

impl Registry {
    pub fn start() -> Self {
        Self::with("", &[])
    }

    /// With more settings below `http:` or beside it, and files that they name as `FOLDER/…`.
    pub fn with(settings: &str, files: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().to_str().unwrap().to_owned();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let storage = format!("storage:\n  filesystem:\n    rootdirectory: {root}/storage\n");
        let http = "http:\n  addr: 127.0.0.1:0\n";
        let settings = settings.replace("FOLDER", &root);
        let configuration = format!("version: 0.1\n{storage}{http}{settings}");
        let path = folder.path().join("config.yml");
        fs::write(&path, configuration).unwrap();
        let mut server = Command::new("docker-registry")
            .arg("serve")
            .arg(&path)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("docker-registry (a Debian package): {error}"));
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut said = String::new();
        let host = loop {
            let mut line = String::new();
            let read = log.read_line(&mut line).unwrap();
            assert!(read > 0, "docker-registry ended: {said}");
            said.push_str(&line);
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split([',', '"', ' ']).next().unwrap().to_owned();
            }
        };
        // Its log is read to the end, so that it never waits for a reader.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self {
            server,
            host,
            folder,
        }
    }

    /// Every tag in the registry's storage, as `REPOSITORY:TAG`.
    pub fn tags(&self) -> Vec<String> {
        let repositories = self
            .folder
            .path()
            .join("storage/docker/registry/v2/repositories");
        let list = |path: &std::path::Path| -> Vec<String> {
            let entries = fs::read_dir(path).into_iter().flatten();
            entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect()
        };
        let mut tags = Vec::new();
        for repository in list(&repositories) {
            for tag in list(&repositories.join(&repository).join("_manifests/tags")) {
                tags.push(format!("{repository}:{tag}"));
            }
        }
        tags.sort();
        tags
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.server
            .kill()
            .expect("the registry that this test started can be stopped");
        self.server
            .wait()
            .expect("a stopped registry can be waited for");
    }
}

/// Passes connections on to a registry, and cuts each once so many bytes went there.
pub struct Wire {
    pub host: String,
}

impl Wire {
    pub fn cut_after(registry: &Registry, limit: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let target = registry.host.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let server = TcpStream::connect(&target).unwrap();
                let (mut down, mut back) =
                    (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut down, &mut back);
                    let _ = back.shutdown(Shutdown::Both);
                });
                thread::spawn(move || pass(client, server, limit));
            }
        });
        Self { host }
    }
}

fn pass(mut client: TcpStream, mut server: TcpStream, limit: usize) {
    let mut buffer = [0; 4096];
    let mut left = limit;
    while let Ok(read @ 1..) = client.read(&mut buffer) {
        let passed = read.min(left);
        if server.write_all(&buffer[..passed]).is_err() || passed < read {
            break;
        }
        left -= passed;
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
