//! The plain TCP service behind every tunnel. The first byte says what a connection is for.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::client::discard;

/// From here on everything is swallowed.
pub const SINK: u8 = b'<';
/// From here on bytes come for ever.
pub const SOURCE: u8 = b'>';

/// Runs until it is dropped.
pub struct Service {
    address: SocketAddr,
    moved: Arc<AtomicU64>,
    runtime: Option<Runtime>,
}

impl Service {
    /// On a port of its own, so that no connection meets the remains of another server's.
    pub fn start(threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_io()
            .build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let moved = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&moved);
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let count = Arc::clone(&count);
                // A connection that breaks is for its client to report.
                tokio::spawn(async move { serve(stream, &count).await.ok() });
            }
        });
        Ok(Self {
            address,
            moved,
            runtime: Some(runtime),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes of all sources and sinks so far.
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn serve(mut stream: TcpStream, moved: &AtomicU64) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut first = [0; 512];
    let n = stream.read(&mut first).await?;
    match first.first() {
        _ if n == 0 => Ok(()),
        Some(&SINK) => swallow(&stream, moved).await,
        Some(&SOURCE) => pour(&stream, moved).await,
        _ => {
            stream.write_all(&first[..n]).await?;
            echo(stream).await
        }
    }
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    // Small, since a thousand idle connections each have one.
    let mut buffer = [0; 512];
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

async fn swallow(stream: &TcpStream, moved: &AtomicU64) -> io::Result<()> {
    loop {
        stream.readable().await?;
        match stream.try_io(Interest::READABLE, || discard(&SockRef::from(stream))) {
            Ok(0) => return Ok(()),
            Ok(n) => moved.fetch_add(n as u64, Ordering::Relaxed),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
    }
}

async fn pour(stream: &TcpStream, moved: &AtomicU64) -> io::Result<()> {
    static BLOCK: [u8; 256 * 1024] = [b'.'; 256 * 1024];
    loop {
        stream.writable().await?;
        match stream.try_write(&BLOCK) {
            Ok(n) => moved.fetch_add(n as u64, Ordering::Relaxed),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
    }
}
