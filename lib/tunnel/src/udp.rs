//! UDP sockets that never have their packets cut up on the way.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::listen::on_wildcard_or_ipv4;

/// What the kernel may keep of what arrives until the program reads it, in bytes; its own limit may be lower.
const RECEIVE_BUFFER: usize = 4 << 20;

/// Takes datagrams at `address`. The wildcard `[::]` takes IPv4 as well, and where the machine has no IPv6 it falls back
/// to `0.0.0.0`.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    on_wildcard_or_ipv4(address, |address| {
        let socket = Socket::new(
            Domain::for_address(address),
            Type::DGRAM.nonblocking().cloexec(),
            Some(Protocol::UDP),
        )?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        // A smaller one only loses more under load.
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.bind(&address.into())?;
        let socket = UdpSocket::from_std(socket.into())?;
        never_fragment(&socket)?;
        Ok(socket)
    })
}

/// A socket that sends to this address and hears nobody else.
pub async fn connect(peer: SocketAddr) -> io::Result<UdpSocket> {
    let any: SocketAddr = match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    never_fragment(&socket)?;
    socket.connect(peer).await?;
    // Until tokio has seen that it can be written to, nothing is sent without waiting.
    socket.writable().await?;
    Ok(socket)
}

/// Waits until there may be something to read. Fails when the machine of a connected socket's peer says that it takes no
/// datagrams: that alone makes no socket readable.
pub async fn readable(socket: &UdpSocket) -> io::Result<()> {
    loop {
        let ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
        if ready.is_error() {
            // Says that the error was seen, so that the next wait is one.
            let seen = || Err::<(), io::Error>(io::ErrorKind::WouldBlock.into());
            let _ = socket.try_io(Interest::ERROR, seen);
            if let Some(error) = socket.take_error()? {
                return Err(error);
            }
        }
        if ready.is_readable() {
            return Ok(());
        }
    }
}

/// Has the kernel refuse what is too large for a path, in place of cutting it up.
///
/// Fragments are lost together, are dropped by many firewalls, and let a stranger mix in others.
fn never_fragment(socket: &UdpSocket) -> io::Result<()> {
    if socket.local_addr()?.is_ipv6() {
        set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::DO)?;
    }
    // For IPv4 peers of an IPv6 socket, too.
    set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::DO)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::sockopt::{ip_mtu_discover, ipv6_mtu_discover};

    #[tokio::test]
    async fn the_wildcard_takes_ipv4() {
        let socket = bind("[::]:0".parse().unwrap()).unwrap();
        let port = socket.local_addr().unwrap().port();
        let near = connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap();
        near.send(b"x").await.unwrap();
        let (_, from) = socket.recv_from(&mut [0; 8]).await.unwrap();
        assert!(from.ip().to_canonical().is_ipv4());
    }

    #[tokio::test]
    async fn a_taken_port_is_refused() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let again = bind(first.local_addr().unwrap());
        assert_eq!(again.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_is_an_error_once() {
        let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let near = connect(gone.local_addr().unwrap()).await.unwrap();
        let address = gone.local_addr().unwrap();
        drop(gone);
        near.send(b"x").await.unwrap();
        let error = readable(&near).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        // Whoever comes later is heard.
        let far = UdpSocket::bind(address).await.unwrap();
        near.send(b"y").await.unwrap();
        let (_, from) = far.recv_from(&mut [0; 8]).await.unwrap();
        far.send_to(b"z", from).await.unwrap();
        readable(&near).await.unwrap();
        assert_eq!(near.try_recv(&mut [0; 8]).unwrap(), 1);
    }

    #[tokio::test]
    async fn no_packet_is_cut_up() {
        let both = bind("[::]:0".parse().unwrap()).unwrap();
        assert_eq!(ip_mtu_discover(&both).unwrap(), Ipv4PathMtuDiscovery::DO);
        if both.local_addr().unwrap().is_ipv6() {
            assert_eq!(ipv6_mtu_discover(&both).unwrap(), Ipv6PathMtuDiscovery::DO);
        }
        let near = connect("127.0.0.1:9".parse().unwrap()).await.unwrap();
        assert_eq!(ip_mtu_discover(&near).unwrap(), Ipv4PathMtuDiscovery::DO);
    }
}
