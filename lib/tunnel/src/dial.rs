//! Connecting to one of several places.

use std::fmt;
use std::io;

use tokio::net::TcpStream;

use crate::target::Target;

/// Somewhere to connect to: several places that all do.
#[derive(Clone, Debug)]
pub struct Upstream {
    targets: Vec<Target>,
}

impl Upstream {
    pub fn new(targets: Vec<Target>) -> Self {
        Self { targets }
    }

    pub async fn dial(&self) -> Result<TcpStream, Unreachable> {
        let mut last = None;
        for target in &self.targets {
            let address = match target {
                Target::Address(address) => *address,
                _ => continue,
            };
            match TcpStream::connect(address).await {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) => last = Some(error),
            }
        }
        Err(Unreachable { last })
    }
}

/// No place could be reached.
#[derive(Debug)]
pub struct Unreachable {
    last: Option<io::Error>,
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no server could be reached")
    }
}

impl std::error::Error for Unreachable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.last.as_ref().map(|error| error as _)
    }
}
