//! A network of the run's own. The settings of the machine's are not what is measured: with BBR, which paces what is
//! sent, server and client both wait for a fifth of the time of a single stream over loopback.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;

use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;

use crate::failure::Failure;

/// What Linux does unless it is told otherwise, and what every namespace may have.
const CONGESTION_CONTROLS: [&str; 2] = ["cubic", "reno"];
const SETTING: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// What is added to the arguments where the program starts itself anew.
pub const INSIDE: &str = "in-own-network";

/// Starts this program anew in new user and network namespaces, for which no rights are needed. Returns only to say
/// why it cannot.
pub fn enter() -> Failure {
    let own = match std::env::current_exe() {
        Ok(own) => own,
        Err(source) => return Failure::Machine("find this program".into(), source),
    };
    let failed = peer("unshare")
        .args(["--user", "--map-root-user", "--net", "--"])
        .arg(own)
        .args(std::env::args_os().skip(1))
        .arg(format!("--{INSIDE}"))
        .envs(std::env::vars_os())
        .exec();
    Failure::Machine("make a network of its own".into(), failed)
}

/// Loopback, with the congestion control that is named in the table.
pub fn set_up() -> Result<(), Failure> {
    let mut command = peer("ip");
    command.args(["link", "set", "lo", "up"]);
    Process::start(command).end().expect_code(0);
    let [usual, everywhere] = CONGESTION_CONTROLS;
    let set = match fs::write(SETTING, usual) {
        // A machine whose own is another one may keep it from namespaces (tcp_allowed_congestion_control).
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            fs::write(SETTING, everywhere)
        }
        set => set,
    };
    set.map_err(Failure::machine("set the congestion control"))
}

/// The congestion control that all connections of the run have.
pub fn congestion_control() -> Result<String, Failure> {
    let text =
        fs::read_to_string(SETTING).map_err(Failure::machine("ask for the congestion control"))?;
    Ok(text.trim().to_owned())
}
