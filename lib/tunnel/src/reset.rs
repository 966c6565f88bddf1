//! A connection that does not look whole when it was cut.

use tokio::net::TcpStream;

/// Resets its connection when it is dropped, unless it ended in order: whoever drops a task in the middle of it has
/// nothing else to think of.
#[derive(Debug)]
pub struct ResetOnDrop {
    stream: TcpStream,
    ended: bool,
}

impl ResetOnDrop {
    pub fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            ended: false,
        }
    }

    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// All that was sent has arrived, or the kernel will see to it.
    pub fn ended_in_order(mut self) {
        self.ended = true;
    }
}

impl Drop for ResetOnDrop {
    fn drop(&mut self) {
        if !self.ended {
            // It fails where the connection is gone anyway.
            let _ = self.stream.set_zero_linger();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What the other side reads after `end`.
    async fn after(end: impl FnOnce(ResetOnDrop)) -> io::Result<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (near, far) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut near, mut far) = (ResetOnDrop::new(near?), far?.0);
        near.stream().write_all(b"half").await?;
        let mut all = vec![0; 4];
        far.read_exact(&mut all).await?;
        end(near);
        far.read_to_end(&mut all).await?;
        Ok(all)
    }

    #[tokio::test]
    async fn an_end_in_order_is_one() {
        assert_eq!(after(ResetOnDrop::ended_in_order).await.unwrap(), b"half");
    }

    #[tokio::test]
    async fn a_connection_that_is_dropped_is_reset() {
        let error = after(drop).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
