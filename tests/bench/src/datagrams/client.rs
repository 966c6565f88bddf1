//! The client that loads every server of datagrams.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslMethod, SslStream, SslVersion,
};

use crate::client::PATIENCE;

/// What all servers have. GnuTLS and the others name it in their own way.
pub const SUITE: &str = "PSK-AES128-GCM-SHA256";

/// For an answer on loopback. A server that takes one peer after another does not hear a hello that comes too early.
const SOON: Duration = Duration::from_millis(5);

/// For a whole handshake on loopback. What answers an earlier hello can lead a later one astray, and then it is begun anew.
const ATTEMPT: Duration = Duration::from_millis(500);

/// Payload of a datagram that goes one way.
pub const LENGTH: usize = 1000;

/// Payload of one that is given back: gnutls-serv takes 254 bytes.
pub const ECHO: usize = 200;

/// Of a packet: no path is narrower.
const MTU: u32 = 1280;

pub struct Client {
    context: SslContext,
}

impl Client {
    /// A client that this gives its identity and its key.
    pub fn new(answer: impl FnOnce(&mut SslContextBuilder)) -> io::Result<Self> {
        let mut context = SslContext::builder(SslMethod::dtls_client())?;
        context.set_min_proto_version(Some(SslVersion::DTLS1_2))?;
        // No suite with a certificate.
        context.set_cipher_list(SUITE)?;
        answer(&mut context);
        Ok(Self {
            context: context.build(),
        })
    }

    /// A full handshake, asked for again where the first hello is not answered soon.
    pub fn connect(&self, socket: &UdpSocket) -> io::Result<Peer> {
        socket.set_read_timeout(Some(SOON))?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let attempt = Instant::now();
            let mut ssl = Ssl::new(&self.context)?;
            ssl.set_mtu(MTU)?;
            ssl.set_connect_state();
            let datagrams = Datagrams {
                socket: socket.try_clone()?,
                heard: false,
            };
            let mut stream = SslStream::new(ssl, datagrams)?;
            forget(socket)?;
            loop {
                match stream.do_handshake() {
                    Ok(()) => return Peer::of(stream),
                    // It does not listen yet.
                    Err(error) if is_refused(&error) => {
                        thread::sleep(SOON);
                        break;
                    }
                    Err(error) if error.code() != ErrorCode::WANT_READ => {
                        return Err(io::Error::other(error));
                    }
                    // OpenSSL sends its flight again when it is time.
                    Err(_) if stream.get_ref().heard && attempt.elapsed() < ATTEMPT => {}
                    Err(_) => break,
                }
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }
}

/// Takes off a socket what came for an earlier handshake.
fn forget(socket: &UdpSocket) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    while socket.recv(&mut [0; 2 * LENGTH]).is_ok() {}
    socket.set_nonblocking(false)
}

fn is_refused(error: &openssl::ssl::Error) -> bool {
    let kind = error.io_error().map(io::Error::kind);
    kind == Some(io::ErrorKind::ConnectionRefused)
}

/// A socket whose datagrams go to this server. s_server serves one such socket in its life.
pub fn socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(to)?;
    Ok(socket)
}

/// A connection.
pub struct Peer(SslStream<Datagrams>);

impl Peer {
    fn of(stream: SslStream<Datagrams>) -> io::Result<Self> {
        let ssl = stream.ssl();
        let suite = ssl
            .current_cipher()
            .map_or("no suite", |suite| suite.name());
        if ssl.version_str() != "DTLSv1.2" || suite != SUITE || ssl.session_reused() {
            let other = format!("agreed on {} with {suite}", ssl.version_str());
            return Err(io::Error::other(other));
        }
        stream.get_ref().socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(stream))
    }

    /// How long a datagram is waited for.
    pub fn wait_at_most(&self, time: Duration) -> io::Result<()> {
        self.0.get_ref().socket.set_read_timeout(Some(time))
    }

    pub fn send<const LENGTH: usize>(&mut self) -> io::Result<()> {
        self.0
            .ssl_write(&[b'.'; LENGTH])
            .map_err(io::Error::other)?;
        Ok(())
    }

    /// Takes the next datagram off the socket without looking at it.
    pub fn discard(&self) -> io::Result<()> {
        self.0.get_ref().socket.recv(&mut [0; 2 * LENGTH])?;
        Ok(())
    }

    /// False where none came in time.
    pub fn receive_echo(&mut self) -> io::Result<bool> {
        match self.0.ssl_read(&mut [0; 2 * ECHO]) {
            Ok(ECHO) => Ok(true),
            Ok(length) => Err(io::Error::other(format!("{length} bytes came back"))),
            Err(error) if error.code() == ErrorCode::WANT_READ => Ok(false),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    pub fn close(mut self) {
        // The server's goodbye is not waited for.
        let _ = self.0.shutdown();
    }
}

/// A socket of which a call takes or gives one datagram.
struct Datagrams {
    socket: UdpSocket,
    heard: bool,
}

impl Read for Datagrams {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.socket.recv(room)?;
        self.heard = true;
        Ok(length)
    }
}

impl Write for Datagrams {
    fn write(&mut self, datagram: &[u8]) -> io::Result<usize> {
        self.socket.send(datagram)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
