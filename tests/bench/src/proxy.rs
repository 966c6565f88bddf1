//! A plain TCP proxy: what a tunnel costs without TLS.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};

use crate::failure::Failure;

/// As much as psk-server moves at a time.
const CHUNK: usize = 128 * 1024;

/// Prints its address and forwards every connection, until it is killed.
pub fn serve(forward: SocketAddr) -> Result<(), Failure> {
    tokio::runtime::Runtime::new()
        .and_then(|runtime| runtime.block_on(forward_all(forward)))
        .map_err(Failure::machine("run the plain proxy"))
}

async fn forward_all(forward: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    loop {
        let (mut near, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut far = TcpStream::connect(forward).await?;
            near.set_nodelay(true)?;
            far.set_nodelay(true)?;
            copy_bidirectional_with_sizes(&mut near, &mut far, CHUNK, CHUNK).await
        });
    }
}
