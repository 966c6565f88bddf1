//! Opening a port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that may wait to be accepted; the kernel's own limit may be lower.
const BACKLOG: i32 = 1024;

/// Listens on `address`. The wildcard `[::]` takes IPv4 as well, and where the machine has no IPv6 it falls back to
/// `0.0.0.0`.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    on_wildcard_or_ipv4(address, bind)
}

/// Binds `address`; where that is the wildcard `[::]` and the machine has no IPv6, `0.0.0.0`.
pub(crate) fn on_wildcard_or_ipv4<S>(
    address: SocketAddr,
    bind: impl Fn(SocketAddr) -> io::Result<S>,
) -> io::Result<S> {
    match bind(address) {
        Err(error)
            if address.ip() == std::net::Ipv6Addr::UNSPECIFIED && is_without_ipv6(&error) =>
        {
            bind((Ipv4Addr::UNSPECIFIED, address.port()).into())
        }
        done => done,
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM.nonblocking().cloexec(),
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A restarted server does not wait for the old connections' last states to time out.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// The kernel has no IPv6 (EAFNOSUPPORT), or none that is switched on (EADDRNOTAVAIL).
fn is_without_ipv6(error: &io::Error) -> bool {
    const EAFNOSUPPORT: i32 = 97;
    error.raw_os_error() == Some(EAFNOSUPPORT) || error.kind() == io::ErrorKind::AddrNotAvailable
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpStream;

    #[tokio::test]
    async fn the_wildcard_takes_ipv4() {
        let listener = listen("[::]:0".parse().unwrap()).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (near, far) = tokio::join!(
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)),
            listener.accept()
        );
        near.unwrap();
        assert!(far.unwrap().1.ip().to_canonical().is_ipv4());
    }

    #[test]
    fn a_machine_without_ipv6_is_recognised() {
        assert!(is_without_ipv6(&io::Error::from_raw_os_error(97)));
        assert!(!is_without_ipv6(&io::ErrorKind::AddrInUse.into()));
    }

    #[tokio::test]
    async fn a_taken_port_is_refused() {
        let first = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let again = listen(first.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
