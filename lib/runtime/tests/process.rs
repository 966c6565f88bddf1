//! A real process from its first line to its exit code.
//!
//! This test is also the program that it tests: hardening, signals and panic hooks belong to a whole process, so each
//! scenario starts this executable again with a role in [`ROLE`]. That is why it has its own `main`.

use mcbn_runtime::exit::{Exit, Failure};
use mcbn_runtime::process::{self, Process};
use mcbn_runtime::settings::{Given, Port, Program, Reported, Setting};
use mcbn_runtime::suite::{Command, Suite};
use rustix::process::{
    Pid, Resource, Rlimit, Signal, dumpable_behavior, getrlimit, kill_process, setrlimit,
};
use serde_json::Value;
use std::convert::Infallible;
use std::error::Error;
use std::fmt::{self, Display};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, ChildStdin, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

const ROLE: &str = "PROCESS_TEST_ROLE";

/// Stands for a secret: it must never be seen in what a process writes.
const SECRET: &str = "2c6f63f8c0f53a565db041b91c0a95ad";

const SCENARIOS: &[(&str, fn())] = &[
    (
        "a_signal_drains_and_ends_in_order",
        a_signal_drains_and_ends_in_order,
    ),
    ("an_interrupt_drains_too", an_interrupt_drains_too),
    (
        "work_past_the_drains_deadline_is_cut",
        work_past_the_drains_deadline_is_cut,
    ),
    ("a_second_signal_ends_at_once", a_second_signal_ends_at_once),
    (
        "a_blocked_thread_does_not_hold_up_the_end",
        a_blocked_thread_does_not_hold_up_the_end,
    ),
    (
        "a_process_is_hardened_before_it_serves",
        a_process_is_hardened_before_it_serves,
    ),
    (
        "a_failure_becomes_an_error_a_hint_and_an_exit_code",
        a_failure_becomes_an_error_a_hint_and_an_exit_code,
    ),
    (
        "a_panic_is_a_bug_and_its_message_is_kept_back",
        a_panic_is_a_bug_and_its_message_is_kept_back,
    ),
    (
        "a_wrong_configuration_never_serves",
        a_wrong_configuration_never_serves,
    ),
    (
        "an_admin_port_that_is_taken_is_refused",
        an_admin_port_that_is_taken_is_refused,
    ),
    (
        "a_tool_reads_what_stands_after_its_command",
        a_tool_reads_what_stands_after_its_command,
    ),
    (
        "a_tools_failure_and_panic_have_their_exit_codes",
        a_tools_failure_and_panic_have_their_exit_codes,
    ),
    (
        "a_program_with_commands_beside_it_serves_without_a_word",
        a_program_with_commands_beside_it_serves_without_a_word,
    ),
    (
        "the_table_goes_to_standard_output",
        the_table_goes_to_standard_output,
    ),
];

fn main() -> ExitCode {
    if let Ok(role) = std::env::var(ROLE) {
        return program(&role);
    }
    for (name, scenario) in SCENARIOS {
        println!("test {name}");
        scenario();
    }
    println!("{} passed", SCENARIOS.len());
    ExitCode::SUCCESS
}

// The program.

static PROGRAM: Program = Program::new(
    "demo",
    "1.2.3",
    "A program for tests.",
    &[NUMBER],
    &[Port::tcp(1)],
);
const NUMBER: Setting = Setting::value("number", "N", "any number").default("1");

static TOOL: Program =
    Program::tool("demo", "1.2.3", "A command for tests.", &[NUMBER]).under("show number", &[]);

static SUITE: Suite = Suite {
    name: "demo",
    version: "1.2.3",
    about: "A suite for tests.",
    default: None,
    commands: COMMANDS,
};

const COMMANDS: &[Command] = &[Command {
    program: &TOOL,
    main: || {
        process::once(&TOOL, read, |number| match number {
            0 => Err(ShareRefused),
            1 => panic!("{SECRET}"),
            number => {
                println!("number {number}");
                show();
                Ok(())
            }
        })
    },
}];

static LED: Suite = Suite::of(Command {
    program: &WITH_COMMANDS,
    main: || {
        process::main(&WITH_COMMANDS, read, async |number, _| {
            println!("served {number}");
            Ok::<_, Infallible>(())
        })
    },
});

static WITH_COMMANDS: Program = PROGRAM.with_commands(COMMANDS);

fn read(given: &mut Given) -> Result<u16, Reported> {
    given.one(&NUMBER)
}

fn program(role: &str) -> ExitCode {
    match role {
        "serve" => process::main(&PROGRAM, read, async |_, process: Process| {
            tracing::info!("serving");
            process.shutdown.draining().await;
            Ok::<_, Infallible>(())
        }),
        "never-finish" => process::main(&PROGRAM, read, async |_, _| {
            tracing::info!("serving");
            std::future::pending::<Result<(), Infallible>>().await
        }),
        "block" => process::main(&PROGRAM, read, async |_, _| {
            let read = tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0]));
            tracing::info!("serving");
            let _ = read.await;
            Ok::<_, Infallible>(())
        }),
        "show" => {
            lower_the_limit_of_files();
            process::main(&PROGRAM, read, async |_, _| {
                show();
                Ok::<_, Infallible>(())
            })
        }
        "suite" => SUITE.main(),
        "led" => LED.main(),
        "fail" => process::main(&PROGRAM, read, async |_, _| Err(ShareRefused)),
        "panic" => process::main(&PROGRAM, read, async |_, _| {
            let value: Result<u8, &str> = Err(SECRET);
            value.map(drop).expect("a literal before the value");
            Ok::<_, Infallible>(())
        }),
        _ => panic!("no such role"),
    }
}

/// As a container often starts a program: the soft limit below the hard one.
fn lower_the_limit_of_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = Some(64);
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

fn show() {
    let file = std::env::temp_dir().join(format!("mode-{}", std::process::id()));
    std::fs::write(&file, "").unwrap();
    let mode = std::fs::metadata(&file).unwrap().permissions().mode();
    std::fs::remove_file(&file).unwrap();
    println!("mode {:o}", mode & 0o777);
    println!("dumpable {:?}", dumpable_behavior().unwrap());
    println!("core {:?}", getrlimit(Resource::Core));
    println!("files {:?}", getrlimit(Resource::Nofile));
}

#[derive(Debug)]
struct ShareRefused;

impl Display for ShareRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the share of alice is refused")
    }
}

impl Error for ShareRefused {}

impl Failure for ShareRefused {
    fn exit(&self) -> Exit {
        Exit::Refused
    }
    fn hint(&self) -> Option<String> {
        Some("ask alice for another one".into())
    }
}

// The scenarios.

fn a_signal_drains_and_ends_in_order() {
    let mut demo = Demo::start("serve", &[]);
    demo.wait_for("serving");
    demo.signal(Signal::TERM);
    let line = demo.wait_for("draining");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["deadline_ms"], 10_000);
    let stamp = line["timestamp"].as_str().unwrap();
    assert!(
        stamp.ends_with('Z') && stamp.as_bytes()[10] == b'T',
        "{stamp}"
    );
    assert_eq!(demo.end(), 0);
}

fn an_interrupt_drains_too() {
    let mut demo = Demo::start("serve", &[]);
    demo.wait_for("serving");
    demo.signal(Signal::INT);
    demo.wait_for("draining");
    assert_eq!(demo.end(), 0);
}

fn work_past_the_drains_deadline_is_cut() {
    let mut demo = Demo::start("never-finish", &["--drain-timeout=1ms"]);
    demo.wait_for("serving");
    demo.signal(Signal::TERM);
    demo.wait_for("the drain's deadline has passed");
    demo.wait_for("open work was cut");
    assert_eq!(demo.end(), 0);
}

fn a_second_signal_ends_at_once() {
    let mut demo = Demo::start("never-finish", &["--drain-timeout=1h"]);
    demo.wait_for("serving");
    demo.signal(Signal::TERM);
    demo.wait_for("draining");
    demo.signal(Signal::TERM);
    demo.wait_for("a second signal ends the drain");
    assert_eq!(demo.end(), 0);
}

fn a_blocked_thread_does_not_hold_up_the_end() {
    let mut demo = Demo::start("block", &["--drain-timeout=1ms"]);
    demo.wait_for("serving");
    demo.signal(Signal::TERM);
    demo.wait_for("open work was cut");
    assert_eq!(demo.end(), 0);
}

fn a_process_is_hardened_before_it_serves() {
    let (code, out, err) = output("show", &[]);
    assert_eq!(code, 0, "{err}");
    let maximum = getrlimit(Resource::Nofile).maximum;
    for line in [
        "mode 600",
        "dumpable NotDumpable",
        "core Rlimit { current: Some(0), maximum: Some(0) }",
        &format!("files Rlimit {{ current: {maximum:?}, maximum: {maximum:?} }}"),
    ] {
        assert!(out.lines().any(|l| l == line), "no {line:?} in {out}");
    }
}

fn a_failure_becomes_an_error_a_hint_and_an_exit_code() {
    assert_eq!(
        output("fail", &[]),
        (
            77,
            String::new(),
            "demo: error: the share of alice is refused\ndemo: hint: ask alice for another one\n"
                .into()
        )
    );
}

fn a_panic_is_a_bug_and_its_message_is_kept_back() {
    let (code, out, err) = output("panic", &[]);
    assert_eq!((code, out.as_str()), (70, ""));
    let line: Value = serde_json::from_str(&err).expect("one line of JSON");
    assert!(
        line["place"].as_str().unwrap().contains("process.rs"),
        "{err}"
    );
    assert!(!err.contains(&SECRET[..8]), "{err}");
}

fn a_wrong_configuration_never_serves() {
    let (code, out, err) = output("serve", &["--number=many", "--admin=0.0.0.0:1"]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert_eq!(
        err,
        "demo: error: --admin: not a loopback address, and other machines could reach it (expected ADDR:PORT)\n\
         demo: error: --number: invalid digit found in string (expected N)\n\
         demo: hint: demo --help lists every flag and variable\n"
    );
}

fn an_admin_port_that_is_taken_is_refused() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("--admin={}", taken.local_addr().unwrap());
    let (code, _, err) = output("serve", &[&address]);
    assert_eq!(code, 74);
    assert!(
        err.starts_with("demo: error: cannot listen on the address of --admin: "),
        "{err}"
    );
}

fn a_tool_reads_what_stands_after_its_command() {
    let (code, out, err) = output("suite", &["show", "number", "--number", "7"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("number 7\nmode 600\n"), "{out}");
    assert!(out.contains("\ndumpable NotDumpable\n"), "{out}");
}

fn a_tools_failure_and_panic_have_their_exit_codes() {
    let (code, _, err) = output("suite", &["show", "number", "--number=0"]);
    assert_eq!(code, 77);
    assert!(
        err.starts_with("demo: error: the share of alice is refused\n"),
        "{err}"
    );
    let (code, _, err) = output("suite", &["show", "number", "--number=1"]);
    assert_eq!(code, 70);
    assert!(
        err.contains("a task panicked") && !err.contains(SECRET),
        "{err}"
    );
    let (code, out, _) = output("suite", &["show"]);
    assert_eq!((code, out.as_str()), (64, ""));
}

fn a_program_with_commands_beside_it_serves_without_a_word() {
    let (code, out, err) = output("led", &["--number", "7"]);
    assert_eq!((code, out.as_str()), (0, "served 7\n"), "{err}");
    let (code, out, err) = output("led", &["show", "number", "--number", "7"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("number 7\n"), "{out}");
    let (code, out, err) = output("led", &[SECRET]);
    assert_eq!((code, out.as_str()), (64, ""));
    assert!(!err.contains(SECRET), "{err}");
}

fn the_table_goes_to_standard_output() {
    let (code, out, err) = output("serve", &["--settings"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let table: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(table["name"], "demo");
}

// Running it.

fn command(role: &str, arguments: &[&str]) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(arguments).env(ROLE, role);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Exit code, standard output and standard error.
fn output(role: &str, arguments: &[&str]) -> (i32, String, String) {
    let output = command(role, arguments).output().unwrap();
    (
        output.status.code().expect("not killed by a signal"),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// A running program. It is killed with the test that started it, and when it takes too long.
struct Demo {
    child: Child,
    /// Kept open: waiting for a child would close it.
    _stdin: ChildStdin,
    log: BufReader<ChildStderr>,
    _alive: Sender<Infallible>,
}

impl Demo {
    fn start(role: &str, arguments: &[&str]) -> Demo {
        let mut child = command(role, arguments).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let _stdin = child.stdin.take().unwrap();
        let (_alive, gone) = channel();
        let pid = Pid::from_child(&child);
        std::thread::spawn(move || {
            if gone.recv_timeout(Duration::from_secs(30)) == Err(RecvTimeoutError::Timeout) {
                kill_process(pid, Signal::KILL).unwrap();
            }
        });
        Demo {
            child,
            _stdin,
            log,
            _alive,
        }
    }

    fn wait_for(&mut self, message: &str) -> Value {
        loop {
            let mut line = String::new();
            let read = self.log.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the log ended before {message:?}");
            let line: Value = serde_json::from_str(&line).expect("every line is JSON");
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(&mut self) -> i32 {
        let status = self.child.wait().unwrap();
        status.code().expect("not killed by a signal")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
