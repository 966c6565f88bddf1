//! A program that runs, and all that it writes.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde_json::Value;

use crate::DEADLINE;

/// A running program. It is killed when it is dropped, and at the deadline.
pub struct Process {
    name: String,
    child: Child,
    stdin: Option<ChildStdin>,
    output: Arc<Output>,
    readers: Vec<JoinHandle<()>>,
    /// Dropped with the process, which ends the thread that watches the deadline.
    watched: Option<Sender<()>>,
    started: Instant,
    deadline: Duration,
}

/// What a program has written so far.
#[derive(Clone, Default)]
pub struct Captured {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    closed: u8,
    killed_at_deadline: bool,
}

/// How a program ended, and all that it wrote.
pub struct Ended {
    pub name: String,
    /// None where a signal ended it.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

#[derive(Default)]
struct Output {
    captured: Mutex<Captured>,
    changed: Condvar,
}

impl Process {
    /// Starts a program with all three streams piped. The last part of its path becomes its name in messages.
    pub fn start(command: Command) -> Self {
        Self::start_between(command, Stdio::piped(), Stdio::piped())
    }

    /// The same for a program that works for longer than most: the deadline is so long after its start.
    pub fn start_for(command: Command, deadline: Duration) -> Self {
        Self::start_with(command, Stdio::piped(), Stdio::piped(), deadline)
    }

    /// Starts a program with its input and output elsewhere, where they are not pipes.
    pub fn start_between(command: Command, stdin: Stdio, stdout: Stdio) -> Self {
        Self::start_with(command, stdin, stdout, DEADLINE)
    }

    fn start_with(mut command: Command, stdin: Stdio, stdout: Stdio, deadline: Duration) -> Self {
        let path = command.get_program().to_string_lossy().into_owned();
        let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
        command.stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {path}: {error}"));

        let output = Arc::new(Output::default());
        let stderr = child.stderr.take().expect("it is piped");
        let mut readers = vec![output.read(stderr, |captured| &mut captured.stderr)];
        match child.stdout.take() {
            Some(stdout) => readers.push(output.read(stdout, |captured| &mut captured.stdout)),
            // Somebody else sees its end.
            None => output.lock().closed += 1,
        }
        let watched = watch(&child, Arc::clone(&output), deadline);
        Self {
            name,
            stdin: child.stdin.take(),
            child,
            output,
            readers,
            watched: Some(watched),
            started: Instant::now(),
            deadline,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes to its standard input. A program that no longer reads is no failure here: what it answers will show.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(bytes).and_then(|()| stdin.flush());
        }
    }

    pub fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        // The child is not reaped yet, so the number is still its own.
        rustix::process::kill_process(pid, signal).expect("the program was started by this test");
    }

    /// Waits until `find` gives something. Called again whenever more was written, and when a stream ends.
    pub fn wait<T>(&self, mut find: impl FnMut(&Captured) -> Option<T>) -> T {
        let mut captured = self.output.lock();
        loop {
            if let Some(found) = find(&captured) {
                return found;
            }
            let left = self.deadline.saturating_sub(self.started.elapsed());
            if captured.is_over() || left.is_zero() {
                let seen = captured.clone();
                drop(captured);
                panic!(
                    "{} ended or took too long before what the test waits for: {seen}",
                    self.name
                );
            }
            (captured, _) = self
                .output
                .changed
                .wait_timeout(captured, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until standard output holds these bytes.
    pub fn wait_for_stdout(&self, wanted: impl AsRef<[u8]>) {
        let wanted = wanted.as_ref();
        self.wait(|seen| contains(&seen.stdout, wanted).then_some(()));
    }

    /// Waits until standard error holds these bytes.
    pub fn wait_for_stderr(&self, wanted: impl AsRef<[u8]>) {
        let wanted = wanted.as_ref();
        self.wait(|seen| contains(&seen.stderr, wanted).then_some(()));
    }

    /// Waits for a line of the JSON log that `pick` takes.
    pub fn wait_for_log<T>(&self, mut pick: impl FnMut(&Value) -> Option<T>) -> T {
        self.wait(|seen| log(&seen.stderr).find_map(|line| pick(&line)))
    }

    /// Waits for this event of the JSON log.
    pub fn wait_for_message(&self, message: &str) -> Value {
        self.wait_for_log(|line| (line["message"] == message).then(|| line.clone()))
    }

    /// What it has written so far.
    pub fn seen(&self) -> Captured {
        self.output.lock().clone()
    }

    /// Closes its standard input and waits for its end.
    pub fn end(mut self) -> Ended {
        self.close_stdin();
        let status = self.child.wait().expect("nobody else waits for it");
        self.watched = None;
        for reader in self.readers.drain(..) {
            reader.join().expect("a reader does not panic");
        }
        let captured = self.seen();
        assert!(
            !captured.killed_at_deadline,
            "{} did not end in time: {captured}",
            self.name
        );
        Ended {
            name: self.name.clone(),
            code: status.code(),
            stdout: captured.stdout,
            stderr: captured.stderr,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{} wrote: {}", self.name, self.seen());
        }
    }
}

impl Captured {
    /// Both streams have ended.
    pub fn is_over(&self) -> bool {
        self.closed == 2
    }
}

impl Ended {
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Both streams, one after the other.
    pub fn all(&self) -> String {
        self.stdout() + &self.stderr()
    }

    /// Fails the test unless it ended by itself with this code.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }
}

/// Processor time that a process has used so far, all threads, in seconds.
pub fn processor_time(pid: u32) -> io::Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15, in hundredths of a second.
    let fields = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split(' ');
    let ticks: u64 = fields
        .skip(12)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Ok(ticks as f64 / 100.0)
}

/// The lines of a JSON log. What is not JSON, such as an error for people, is left out.
pub fn log(stderr: &[u8]) -> impl Iterator<Item = Value> {
    stderr
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
}

/// Whether `wanted` stands somewhere in `bytes`.
pub fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

impl Output {
    fn lock(&self) -> MutexGuard<'_, Captured> {
        self.captured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Captured)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    fn read(
        self: &Arc<Self>,
        mut stream: impl Read + Send + 'static,
        side: fn(&mut Captured) -> &mut Vec<u8>,
    ) -> JoinHandle<()> {
        let output = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(n @ 1..) = stream.read(&mut buffer) {
                output.change(|captured| side(captured).extend_from_slice(&buffer[..n]));
            }
            output.change(|captured| captured.closed += 1);
        })
    }
}

/// Kills the child at the deadline, unless the sender is dropped before.
fn watch(child: &Child, output: Arc<Output>, deadline: Duration) -> Sender<()> {
    // A descriptor, unlike a number, never comes to mean another process.
    let child =
        pidfd_open(Pid::from_child(child), PidfdFlags::empty()).expect("it was just started");
    let (sender, dropped) = channel();
    thread::spawn(move || {
        if dropped.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
            output.change(|captured| captured.killed_at_deadline = true);
            let _ = pidfd_send_signal(&child, Signal::KILL);
        }
    });
    sender
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            // The end says why; a megabyte before it does not.
            let tail = &bytes[bytes.len().saturating_sub(4096)..];
            writeln!(f, "--- {name}\n{}", String::from_utf8_lossy(tail))?;
        }
        Ok(())
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ended with {:?}", self.name, self.code)?;
        let captured = Captured {
            stdout: self.stdout.clone(),
            stderr: self.stderr.clone(),
            ..Captured::default()
        };
        captured.fmt(f)
    }
}

impl fmt::Debug for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Process {
        let mut command = crate::peer::peer("sh");
        command.args(["-c", script]);
        Process::start(command)
    }

    #[test]
    fn what_a_program_writes_and_how_it_ends_is_seen() {
        let mut process = shell("read word; echo out $word; echo err >&2; exit 3");
        process.write(b"given\n");
        let ended = process.end();
        assert_eq!(
            (ended.code, ended.stdout(), ended.stderr()),
            (Some(3), "out given\n".into(), "err\n".into())
        );
    }

    #[test]
    #[should_panic(expected = "ended or took too long before what the test waits for")]
    fn an_end_before_what_is_waited_for_fails() {
        shell("echo other").wait_for_stdout("wanted");
    }

    #[test]
    fn a_dropped_program_is_gone() {
        let process = shell("echo started; exec cat");
        process.wait_for_stdout("started");
        let pid = process.pid();
        drop(process);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    #[should_panic(expected = "is not on the PATH")]
    fn a_missing_peer_fails() {
        crate::peer::peer("no-such-peer");
    }
}
