//! A TPM that is as slow as a chip: swtpm behind a relay that holds back each response. A chip's HMAC takes from some
//! milliseconds to some tens, where swtpm is done before a handshake's own arithmetic is.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use mcbn_tests_support::swtpm::execute;

/// The name of the relay's socket.
pub const SOCKET: &str = "chip";

/// From a command to its response.
pub const TIME: Duration = Duration::from_millis(10);

/// > tag(2) commandSize(4) commandCode(4)
const HEADER: usize = 10;

/// Relays to the TPM at `to`, one connection after another, at a new socket in `folder`.
pub fn slow_down(to: PathBuf, folder: &Path) -> io::Result<PathBuf> {
    let socket = folder.join(SOCKET);
    let listener = UnixListener::bind(&socket)?;
    // It ends with this process: whoever is connected ends sooner.
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            // One that breaks is for the server to report.
            let _ = relay(near, &to);
        }
    });
    Ok(socket)
}

fn relay(mut near: UnixStream, to: &Path) -> io::Result<()> {
    let mut tpm = UnixStream::connect(to)?;
    loop {
        let mut command = vec![0; HEADER];
        near.read_exact(&mut command)?;
        let start = Instant::now();
        let size: [u8; 4] = *command[2..].first_chunk().expect("ten bytes");
        let size = usize::try_from(u32::from_be_bytes(size)).map_err(io::Error::other)?;
        command.resize(size.max(HEADER), 0);
        near.read_exact(&mut command[HEADER..])?;
        let response = execute(&mut tpm, &command)?;
        thread::sleep(TIME.saturating_sub(start.elapsed()));
        near.write_all(&response)?;
    }
}
