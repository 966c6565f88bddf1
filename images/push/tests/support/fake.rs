//! A server that answers each request as a test says, and remembers what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With its query.
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub fn reply(status: u16) -> Reply {
    Reply {
        status,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

impl Reply {
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

pub struct Fake {
    pub host: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(&stream.unwrap(), &*answer, &log));
            }
        });
        Self { host, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: &TcpStream, answer: &dyn Fn(&Asked) -> Reply, log: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read(&mut reader) {
        let reply = answer(&asked);
        let head = asked.method == "HEAD";
        log.lock().unwrap().push(asked);
        let mut text = format!("HTTP/1.1 {} x\r\n", reply.status);
        for (name, value) in &reply.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
        let mut bytes = text.into_bytes();
        if !head {
            bytes.extend(reply.body);
        }
        let mut stream = stream;
        if stream.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let header = line()?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header.split_once(": ")?;
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        path,
        headers,
        body,
    })
}

/// A registry in memory, of one repository: what is put is there, referrers API included.
#[derive(Default)]
pub struct Store(Mutex<BTreeMap<String, Vec<u8>>>);

impl Store {
    pub fn answer(&self, asked: &Asked) -> Reply {
        let mut kept = self.0.lock().unwrap();
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        match asked.method.as_str() {
            "GET" if path == "/v2/" => reply(200),
            "GET" if path.contains("/referrers/") => reply(200).body("{}"),
            "GET" | "HEAD" => match kept.get(path) {
                Some(content) => reply(200).body(content.clone()),
                None => reply(404),
            },
            "POST" => reply(202).header("Location", "/v2/one/blobs/uploads/1?state=x"),
            "PUT" if path.contains("/uploads/") => {
                let digest = query
                    .split('&')
                    .find_map(|part| part.strip_prefix("digest="));
                let digest = digest.expect("an upload names its digest");
                kept.insert(format!("/v2/one/blobs/{digest}"), asked.body.clone());
                reply(201)
            }
            "PUT" => {
                kept.insert(path.to_owned(), asked.body.clone());
                reply(201)
            }
            other => panic!("no client sends {other} here"),
        }
    }
}
