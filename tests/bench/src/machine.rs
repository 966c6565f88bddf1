//! What the run needs of the machine, and what it says about it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::Command;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::{self, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::failure::Failure;

/// Which processors are whose.
#[derive(Clone, Debug)]
pub struct Processors {
    servers: Vec<usize>,
    client: Vec<usize>,
}

impl Processors {
    /// Gives half of them to the servers, and keeps this process to the other half. A single one is shared.
    pub fn divide() -> Result<Self, Failure> {
        let status = fs::read_to_string("/proc/self/status")
            .map_err(Failure::machine("ask for this process's processors"))?;
        let all = status
            .lines()
            .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
            .map(parse_list)
            .unwrap_or_default();
        let (servers, client) = match all.len() {
            0 | 1 => (all.clone(), all),
            n => (all[..n / 2].to_vec(), all[n / 2..].to_vec()),
        };
        let divided = Self { servers, client };
        let pinned = Process::start({
            let mut taskset = peer("taskset");
            taskset.args(["-a", "-c", "-p", &list(&divided.client)]);
            taskset.arg(std::process::id().to_string());
            taskset
        });
        pinned.end().expect_code(0);
        Ok(divided)
    }

    pub fn of_client(&self) -> usize {
        self.client.len()
    }

    /// A command that runs on the servers' processors, with an environment that holds the PATH and nothing else.
    pub fn server(&self, program: impl AsRef<OsStr>) -> Command {
        // It becomes the program: the process's number stays.
        let mut command = peer("taskset");
        command.args(["-c", &list(&self.servers)]).arg(program);
        command
    }

    /// This program, in a process of its own where a server would run.
    pub fn own_server(&self) -> Result<Command, Failure> {
        let own = std::env::current_exe().map_err(Failure::machine("find this program"))?;
        Ok(self.server(own))
    }

    /// As [`Processors::server`], on the client's.
    pub fn client(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = peer("taskset");
        command.args(["-c", &list(&self.client)]).arg(program);
        command
    }

    pub fn sentence(&self) -> String {
        format!(
            "{} for the server, {} for the client and the service",
            self.servers.len(),
            self.client.len()
        )
    }
}

fn list(processors: &[usize]) -> String {
    let numbers: Vec<String> = processors.iter().map(usize::to_string).collect();
    numbers.join(",")
}

/// `0-2,5`
fn parse_list(text: &str) -> Vec<usize> {
    text.trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse().ok()?..=last.parse().ok()?)
        })
        .flatten()
        .collect()
}

/// Raises the limit of open files as far as it goes, for this process and what it starts.
pub fn allow_descriptors(needed: usize) -> Result<(), Failure> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    if maximum.is_some_and(|most| most < needed as u64) {
        let source = io::Error::other(format!("the hard limit is {}", maximum.unwrap_or_default()));
        return Err(Failure::Machine(
            format!("open {needed} files at a time"),
            source,
        ));
    }
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit)
        .map_err(io::Error::from)
        .map_err(Failure::machine("raise the limit of open files"))
}

/// Processor time that a process has used so far, all threads, in seconds.
pub fn processor_time(pid: u32) -> Result<f64, Failure> {
    process::processor_time(pid).map_err(Failure::machine(format!(
        "read the processor time of process {pid}"
    )))
}

/// Memory of a process that is in RAM, in bytes.
pub fn resident(pid: u32) -> Result<f64, Failure> {
    // The first is exact; the second lags by some pages, and may be read where the process is closed to its own user.
    let exact = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .map(|text| kibibytes(&text, "Rss:"));
    let found = match exact {
        Ok(Some(found)) => Ok(Some(found)),
        _ => {
            fs::read_to_string(format!("/proc/{pid}/status")).map(|text| kibibytes(&text, "VmRSS:"))
        }
    };
    found
        .and_then(|found| found.ok_or_else(|| io::Error::other("it is not listed")))
        .map(|found| found * 1024.0)
        .map_err(Failure::machine(format!(
            "read the memory of process {pid}"
        )))
}

fn kibibytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The kind of machine, in a line.
pub fn description() -> String {
    let first = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = first("/proc/cpuinfo");
    let field = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(": "))
            .map_or("unknown", |(_, value)| value)
    };
    let processors = cpuinfo
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    format!(
        "{processors} × {} (family {}, model {}), Linux {}, load average before the run {}",
        field("model name"),
        field("cpu family"),
        field("model\t"),
        first("/proc/sys/kernel/osrelease").trim(),
        first("/proc/loadavg").split(' ').next().unwrap_or_default(),
    )
}

/// What a program says of its version.
pub fn version(name: &str, argument: &str) -> String {
    let mut command = peer(name);
    command.arg(argument);
    version_in(name, &Process::start(command).end().all())
}

/// A line begins with the name, or somewhere it says which version this is.
fn version_in(name: &str, text: &str) -> String {
    let line = text
        .lines()
        .find(|line| line.to_lowercase().starts_with(name));
    if let Some(line) = line {
        return line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    }
    let (_, after) = text.split_once("version ").unwrap_or_default();
    let end = after.find([',', ' ', '\n']).unwrap_or(after.len());
    format!("{name} {}", &after[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_processors_are_read() {
        assert_eq!(parse_list("\t0-2,5\n"), [0, 1, 2, 5]);
        assert_eq!(parse_list("\t7\n"), [7]);
        assert_eq!(list(&[0, 3]), "0,3");
    }

    #[test]
    fn versions_are_read_as_programs_say_them() {
        for (name, text, version) in [
            (
                "openssl",
                "OpenSSL 3.6.5 1 Jan 2030 (Library: x)\n",
                "OpenSSL 3.6.5",
            ),
            (
                "swtpm",
                "TPM emulator version 0.7.1, Copyright (c) x\n",
                "swtpm 0.7.1",
            ),
        ] {
            assert_eq!(version_in(name, text), version);
        }
    }

    #[test]
    fn memory_is_read_by_its_name() {
        let text = "Pss:   5 kB\nRss:    1234 kB\n";
        assert_eq!(kibibytes(text, "Rss:"), Some(1234.0));
        assert_eq!(kibibytes(text, "VmRSS:"), None);
    }

    #[test]
    fn a_process_has_memory_and_its_time_does_not_go_back() {
        let own = std::process::id();
        assert!(resident(own).unwrap() > 0.0);
        assert!(processor_time(own).unwrap() <= processor_time(own).unwrap());
    }
}
