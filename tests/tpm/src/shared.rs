//! A TPM that several programs use at one time, one command after another, as a test looks on.
//!
//! A swtpm serves one connection at a time. Who comes by this way is served beside others; each command can be held back
//! before it gets to the TPM, and is counted.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use mcbn_tests_support::DEADLINE;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::swtpm::{self, Swtpm};
use mcbn_tpm::Tcti;

/// As a swtpm names its two sockets, which tpm2-tools look for.
const SOCKET: &str = "tpm";
const CONTROL: &str = "tpm.ctrl";

/// > tag(2) commandSize(4) commandCode(4)
const HEADER: usize = 10;

/// The way to a TPM.
pub struct Shared {
    folder: Folder,
    desk: Arc<Desk>,
}

struct Desk {
    tpm: PathBuf,
    state: Mutex<State>,
    changed: Condvar,
    /// Whose command the TPM is at.
    turn: Mutex<()>,
}

#[derive(Default)]
struct State {
    connections: usize,
    /// Codes of the commands that came.
    commands: Vec<u32>,
    /// Commands with this code wait.
    held: Option<u32>,
    waiting: usize,
    /// How many of them may go nevertheless.
    free: usize,
}

impl Shared {
    pub fn to(tpm: &Swtpm) -> Self {
        let folder = Folder::for_a_socket(CONTROL);
        let listener = |name| UnixListener::bind(folder.path().join(name)).expect("it is ours");
        let (data, control) = (listener(SOCKET), listener(CONTROL));
        let desk = Arc::new(Desk {
            tpm: tpm.socket(),
            state: Mutex::default(),
            changed: Condvar::new(),
            turn: Mutex::new(()),
        });
        let here = Arc::clone(&desk);
        each(data, move |stream| {
            here.change(|state| state.connections += 1);
            // Whichever side it was that ended it.
            let _ = here.serve(stream);
        });
        let there = format!("{}.ctrl", tpm.socket().display());
        each(control, move |stream| {
            let _ = pass(stream, &there);
        });
        Self { folder, desk }
    }

    /// For tpm2-tools.
    pub fn words(&self) -> String {
        format!("swtpm:path={}", self.folder.path().join(SOCKET).display())
    }

    pub fn tcti(&self) -> Tcti {
        self.words().parse().expect("one for both")
    }

    /// Holds commands with this code back from now on.
    pub fn hold(&self, code: u32) {
        self.desk.change(|state| state.held = Some(code));
    }

    /// Waits until a command is held back.
    pub fn wait_until_held(&self) {
        self.desk.wait("a command", |state| state.waiting > 0);
    }

    /// Lets one go of those that are held back.
    pub fn let_one_go(&self) {
        self.desk.change(|state| state.free += 1);
    }

    /// Lets go what was held back, and whatever comes.
    pub fn let_go(&self) {
        self.desk.change(|state| state.held = None);
    }

    /// How many commands with this code came so far, those that are held back too.
    pub fn commands(&self, code: u32) -> usize {
        let state = self.desk.lock();
        state
            .commands
            .iter()
            .filter(|known| **known == code)
            .count()
    }

    /// How often somebody connected so far.
    pub fn connections(&self) -> usize {
        self.desk.lock().connections
    }
}

impl Desk {
    /// One connection: a command comes and a response goes, until one side ends it.
    fn serve(&self, mut stream: UnixStream) -> io::Result<()> {
        loop {
            let command = read(&mut stream)?;
            self.register(&command);
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            let mut tpm = UnixStream::connect(&self.tpm)?;
            tpm.set_read_timeout(Some(DEADLINE))?;
            let answer = swtpm::execute(&mut tpm, &command)?;
            drop((tpm, turn));
            stream.write_all(&answer)?;
        }
    }

    fn register(&self, command: &[u8]) {
        let code = u32::from_be_bytes(*command[6..].first_chunk().expect("four of ten bytes"));
        let mut is_held = false;
        self.change(|state| {
            state.commands.push(code);
            is_held = state.held == Some(code);
            state.waiting += usize::from(is_held);
        });
        if is_held {
            let may_go = |state: &State| state.held != Some(code) || state.free > 0;
            self.wait("the test to let go", may_go);
            self.change(|state| {
                state.waiting -= 1;
                state.free = state.free.saturating_sub(1);
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn wait(&self, what: &str, until: impl Fn(&State) -> bool) {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), DEADLINE, |state| !until(state));
        let waited = waited.unwrap_or_else(PoisonError::into_inner).1;
        assert!(!waited.timed_out(), "waited too long for {what}");
    }
}

fn read(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut command = vec![0; HEADER];
    stream.read_exact(&mut command)?;
    let size = u32::from_be_bytes(*command[2..].first_chunk().expect("four of ten bytes"));
    let size = usize::try_from(size).expect("of 64-bit machines");
    command.resize(size.max(HEADER), 0);
    stream.read_exact(&mut command[HEADER..])?;
    Ok(command)
}

/// Copies both directions to their ends.
fn pass(stream: UnixStream, to: &str) -> io::Result<()> {
    let there = UnixStream::connect(to)?;
    let mut up = (stream.try_clone()?, there.try_clone()?);
    let mut down = (there, stream);
    thread::spawn(move || {
        let _ = io::copy(&mut up.0, &mut up.1);
        up.1.shutdown(Shutdown::Write)
    });
    io::copy(&mut down.0, &mut down.1)?;
    down.1.shutdown(Shutdown::Write)
}

/// The TPM on a port of loopback, for one connection.
pub fn over_tcp(tpm: &Swtpm) -> Tcti {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let tpm = tpm.socket();
    thread::spawn(move || {
        let (here, _) = listener.accept()?;
        let there = UnixStream::connect(tpm)?;
        let mut up = (here.try_clone()?, there.try_clone()?);
        let mut down = (there, here);
        thread::spawn(move || {
            let _ = io::copy(&mut up.0, &mut up.1);
            up.1.shutdown(Shutdown::Both)
        });
        io::copy(&mut down.0, &mut down.1)
    });
    let words = format!("swtpm:host=127.0.0.1,port={port}");
    words.parse().expect("it is swtpm's")
}

/// Serves each connection on a thread of its own, until the program ends.
pub(crate) fn each(listener: UnixListener, serve: impl Fn(UnixStream) + Send + Sync + 'static) {
    let serve = Arc::new(serve);
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
}
