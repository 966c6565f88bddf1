//! A TPM 2.0 in software, `swtpm`, of a test's own.
//!
//! Its state is in a private folder and outlives the process, so that a test can take the TPM away from whoever uses it and
//! give it back: [`Swtpm::kill`] and [`Swtpm::start_again`], [`Swtpm::pause`] and [`Swtpm::resume`]. It can show each byte
//! that went over its socket, as somebody on a TPM's bus sees them ([`Swtpm::log`]).
//!
//! It serves one connection at a time and has no resource manager: three sessions and three objects, as a bare chip.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};

use crate::DEADLINE;
use crate::folder::Folder;
use crate::peer::peer;
use crate::process::{Ended, Process};

/// The socket of the data channel.
const SOCKET: &str = "tpm";

/// The socket of the control channel. tpm2-tss looks for it under this name.
const CONTROL: &str = "tpm.ctrl";

/// `CMD_GET_CAPABILITY` of the control channel: it has no effect.
const GET_CAPABILITY: [u8; 4] = [0, 0, 0, 1];

/// The header of an answer: tag, length, code.
const HEADER: usize = 10;

/// A TPM that runs, unless it was killed. It is killed when it is dropped.
pub struct Swtpm {
    process: Option<Process>,
    /// What those wrote that were killed.
    written: String,
    level: u32,
    folder: Folder,
}

impl Swtpm {
    /// A new TPM that was started up (`TPM2_Startup`), with empty hierarchies.
    pub fn start() -> Self {
        Self::start_at(1)
    }

    /// The same, whose log has every byte.
    pub fn start_with_log() -> Self {
        Self::start_at(20)
    }

    fn start_at(level: u32) -> Self {
        let folder = Folder::for_a_socket(CONTROL);
        std::fs::create_dir(folder.path().join("state")).expect("a new folder is empty");
        let mut new = Self {
            process: None,
            written: String::new(),
            level,
            folder,
        };
        new.start_again();
        new
    }

    /// Starts it with the state of the one that was killed, on the same socket. It is as after a loss of power: objects and
    /// sessions are gone, persistent keys are not.
    ///
    /// # Panics
    ///
    /// Where it runs already.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the TPM runs already");
        let control = self.path(CONTROL);
        // A process that was killed leaves it behind.
        let _ = std::fs::remove_file(&control);
        // Whoever connects before the TPM is ready waits in this socket.
        let listener = UnixListener::bind(&control).expect("the folder is ours");
        let mut command = peer("swtpm");
        command
            .args(["socket", "--tpm2", "--flags=not-need-init,startup-clear"])
            .arg(format!("--log=level={}", self.level))
            .arg(format!("--tpmstate=dir={}", self.path("state").display()))
            .arg(format!(
                "--server=type=unixio,path={}",
                self.path(SOCKET).display()
            ))
            .arg("--ctrl=type=unixio,fd=0");
        let process = Process::start_between(command, listener_as_stdin(listener), Stdio::piped());
        // It answers once both sockets are there.
        if let Err(error) = ask(&control) {
            panic!("swtpm does not answer: {error}: {}", process.end());
        }
        self.process = Some(process);
    }

    /// The socket for commands. Its path is short enough for any client.
    pub fn socket(&self) -> PathBuf {
        self.path(SOCKET)
    }

    /// How tpm2-tss is told to use it.
    pub fn tcti(&self) -> String {
        format!("swtpm:path={}", self.socket().display())
    }

    /// A connection for raw commands. Nobody else is served meanwhile.
    pub fn connect(&self) -> io::Result<UnixStream> {
        connect(&self.socket())
    }

    /// Executes one command, as raw bytes, and gives the answer, whatever it is.
    pub fn execute(&self, command: &[u8]) -> io::Result<Vec<u8>> {
        execute(&mut self.connect()?, command)
    }

    /// Takes it away without notice.
    pub fn kill(&mut self) {
        let process = self.process.take().expect("the TPM runs");
        process.signal(Signal::KILL);
        let Ended { stderr, .. } = process.end();
        self.written += &String::from_utf8_lossy(&stderr);
    }

    /// Stops it, so that it takes connections and commands and answers none. Returns once it has stopped.
    pub fn pause(&self) {
        self.running().signal(Signal::STOP);
        waitid(
            WaitId::Pid(self.number()),
            WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
        )
        .expect("it is a child of this process");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.running().signal(Signal::CONT);
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Ends it, and gives all that it logged since the first start.
    pub fn log(mut self) -> Log {
        if self.process.is_some() {
            self.kill();
        }
        Log::parse(&self.written)
    }

    fn running(&self) -> &Process {
        self.process.as_ref().expect("the TPM runs")
    }

    fn number(&self) -> Pid {
        let number = i32::try_from(self.pid()).ok();
        number.and_then(Pid::from_raw).expect("Linux's are")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Sends a command over a connection, and reads the answer to its end.
pub fn execute(connection: &mut UnixStream, command: &[u8]) -> io::Result<Vec<u8>> {
    connection.write_all(command)?;
    let mut answer = vec![0; HEADER];
    connection.read_exact(&mut answer)?;
    let length = u32::from_be_bytes(answer[2..6].try_into().expect("four bytes"));
    let length = usize::try_from(length).expect("of 64-bit machines");
    answer.resize(length.max(HEADER), 0);
    connection.read_exact(&mut answer[HEADER..])?;
    Ok(answer)
}

fn connect(socket: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}

fn ask(control: &Path) -> io::Result<()> {
    let mut stream = connect(control)?;
    stream.write_all(&GET_CAPABILITY)?;
    stream.read_exact(&mut [0; 8])
}

fn listener_as_stdin(listener: UnixListener) -> Stdio {
    std::os::fd::OwnedFd::from(listener).into()
}

/// What went over the sockets of a TPM, in order.
#[derive(Debug)]
pub struct Log {
    messages: Vec<Vec<u8>>,
}

impl Log {
    /// The log has a heading for each message and below it sixteen bytes a line.
    fn parse(text: &str) -> Self {
        let mut messages = Vec::<Vec<u8>>::new();
        let mut is_open = false;
        for line in text.lines() {
            match (bytes(line), messages.last_mut()) {
                (Some(bytes), Some(message)) if is_open => message.extend(bytes),
                _ => {
                    is_open = line.contains(": length ");
                    messages.extend(is_open.then(Vec::new));
                }
            }
        }
        assert!(!messages.is_empty(), "the log has no messages: {text:?}");
        Self { messages }
    }

    /// Each command and each answer, of both channels.
    pub fn messages(&self) -> &[Vec<u8>] {
        &self.messages
    }

    /// Whether a message has these bytes in it.
    pub fn shows(&self, bytes: &[u8]) -> bool {
        self.messages
            .iter()
            .any(|message| crate::process::contains(message, bytes))
    }
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    line.split_whitespace()
        .map(|digits| u8::from_str_radix(digits, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_of_a_log_is_read_whole() {
        let log = Log::parse(
            " Ctrl Cmd: length 4\n 00 00 00 01 \nData client disconnected\n SWTPM_IO_Read: length 17\n \
             80 01 00 00 00 0C 00 00 01 7B 00 08 01 02 03 04 \n 05 \n",
        );
        assert_eq!(log.messages().len(), 2);
        assert!(log.shows(&[0x03, 0x04, 0x05]));
        // Not from one message into the next.
        assert!(!log.shows(&[0x01, 0x80]));
    }

    #[test]
    #[should_panic(expected = "the log has no messages")]
    fn a_log_without_messages_is_refused() {
        Log::parse("swtpm says something else\n");
    }
}
