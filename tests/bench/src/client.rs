//! The client that loads every server.

use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mcbn_tests_support::shares::{IDENTITY, KEY};
use openssl::ssl::{
    Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use socket2::SockRef;

pub const SUITE: &str = "TLS_AES_128_GCM_SHA256";
pub const GROUP: &str = "X25519";

/// No step of a healthy server takes so long, on however busy a machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Connects with the key of the published shares.
pub struct Client {
    context: SslContext,
}

impl Client {
    pub fn new() -> io::Result<Self> {
        let mut context = SslContext::builder(SslMethod::tls_client())?;
        context.set_min_proto_version(Some(SslVersion::TLS1_3))?;
        context.set_ciphersuites(SUITE)?;
        context.set_groups_list(GROUP)?;
        // No root is trusted: a server that has only a certificate fails.
        context.set_verify(SslVerifyMode::PEER);
        answer_with(&mut context, IDENTITY, KEY);
        Ok(Self {
            context: context.build(),
        })
    }

    /// A full handshake. What was agreed on is looked at, so that all servers do the same work.
    pub fn connect(&self, to: SocketAddr) -> io::Result<Tunnel> {
        let stream = handshake(&self.context, to, "TLSv1.3", SUITE)?;
        let ssl = stream.ssl();
        if !ssl.session_reused() || ssl.peer_certificate().is_some() {
            return Err(io::Error::other("the handshake did not use the key"));
        }
        Ok(Tunnel::Tls(stream))
    }
}

/// A handshake that agrees on this.
pub fn handshake(
    context: &SslContext,
    to: SocketAddr,
    version: &str,
    suite: &str,
) -> io::Result<SslStream<Gathered>> {
    let mut ssl = Ssl::new(context)?;
    ssl.set_connect_state();
    let mut stream = SslStream::new(ssl, Gathered::new(dial(to)?))?;
    stream.do_handshake().map_err(io::Error::other)?;
    stream.get_mut().send()?;
    let ssl = stream.ssl();
    let agreed = ssl
        .current_cipher()
        .map_or("no suite", |suite| suite.name());
    if ssl.version_str() != version || agreed != suite {
        let other = format!("agreed on {} with {agreed}", ssl.version_str());
        return Err(io::Error::other(other));
    }
    Ok(stream)
}

/// A connection to the service, by whatever way.
pub enum Tunnel {
    Tls(SslStream<Gathered>),
    Plain(TcpStream),
}

impl Tunnel {
    pub fn plain(to: SocketAddr) -> io::Result<Self> {
        dial(to).map(Self::Plain)
    }

    pub fn socket(&self) -> &TcpStream {
        match self {
            Self::Tls(stream) => &stream.get_ref().stream,
            Self::Plain(stream) => stream,
        }
    }

    /// Sends a line to an echo, which must give it back.
    pub fn ask(&mut self, line: &[u8], room: &mut [u8]) -> io::Result<()> {
        self.write_all(line)?;
        let room = &mut room[..line.len()];
        self.read_exact(room)?;
        if room != line {
            return Err(io::Error::other("what came back is not what was sent"));
        }
        Ok(())
    }

    /// Says goodbye. What the server says to that is not waited for.
    pub fn close(self) {
        if let Self::Tls(mut stream) = self {
            let _ = stream.shutdown();
            let _ = stream.get_mut().send();
        }
    }
}

impl Read for Tunnel {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tls(stream) => stream.read(room),
            Self::Plain(stream) => stream.read(room),
        }
    }
}

impl Write for Tunnel {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tls(stream) => {
                let n = stream.write(bytes)?;
                stream.get_mut().send()?;
                Ok(n)
            }
            Self::Plain(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A socket that gets the records of one write in one call, so that the client is not what is measured.
pub struct Gathered {
    stream: TcpStream,
    records: Vec<u8>,
}

impl Gathered {
    fn new(stream: TcpStream) -> Self {
        let records = Vec::new();
        Self { stream, records }
    }

    fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.records)?;
        self.records.clear();
        Ok(())
    }
}

impl Read for Gathered {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        // Whoever waits for an answer has asked.
        self.send()?;
        self.stream.read(room)
    }
}

impl Write for Gathered {
    fn write(&mut self, records: &[u8]) -> io::Result<usize> {
        self.records.extend_from_slice(records);
        Ok(records.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Uses this key, in hexadecimal, whatever the server's hint is.
pub fn answer_with(context: &mut SslContextBuilder, identity: &'static str, key: &str) {
    let key = digits(key);
    context.set_psk_client_callback(move |_, _, name, room| {
        name[..identity.len()].copy_from_slice(identity.as_bytes());
        name[identity.len()] = 0;
        room[..key.len()].copy_from_slice(&key);
        Ok(key.len())
    });
}

/// Takes what has arrived off a socket without looking at it: the kernel does not even copy it (`MSG_TRUNC` in tcp(7)).
pub fn discard(socket: &SockRef<'_>) -> io::Result<usize> {
    const MSG_TRUNC: i32 = 0x20;
    let mut nowhere = [MaybeUninit::uninit(); 256 * 1024];
    socket.recv_with_flags(&mut nowhere, MSG_TRUNC)
}

fn dial(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// The bytes that this writes in hexadecimal.
pub fn digits(hex: &str) -> Vec<u8> {
    let nibble = |digit: u8| {
        (digit as char)
            .to_digit(16)
            .expect("a constant in hexadecimal") as u8
    };
    hex.as_bytes()
        .chunks(2)
        .map(|pair| nibble(pair[0]) << 4 | nibble(pair[1]))
        .collect()
}
