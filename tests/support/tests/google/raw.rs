//! Requests that no client of Google would send.

use std::io::{Read, Write};
use std::net::TcpStream;

use mcbn_tests_support::DEADLINE;
use serde_json::Value;

pub struct Reply {
    pub status: u16,
    pub headers: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    /// The code and the status of an error in Google's shape.
    pub fn refusal(&self) -> (u16, String) {
        let error = &self.json()["error"];
        assert_eq!(error["code"], self.status);
        assert!(error["message"].is_string() && error["details"].is_array());
        (self.status, error["status"].as_str().unwrap().to_owned())
    }
}

/// One request to a service of plain HTTP.
pub fn ask(endpoint: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Reply {
    let host = endpoint.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (headers, body) = reply.split_once("\r\n\r\n").expect("an answer has a head");
    Reply {
        status: headers.split(' ').nth(1).unwrap().parse().unwrap(),
        headers: headers.to_ascii_lowercase(),
        body: body.to_owned(),
    }
}

/// A request with an access token and JSON.
pub fn ask_json(endpoint: &str, line: &str, token: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    ask(endpoint, line, &headers, body)
}
