//! psk-server beside stunnel and `openssl s_server`, dtls-server beside other servers of DTLS, tpm-psk beside its TPM
//! alone, and kms-mtls beside the calls to Cloud KMS alone, on the same machine, in one run: `./bazelw run //tests/bench`.
//!
//! One client, written here, loads every server in the same way: TLS 1.3 with `psk_dhe_ke`, the one suite
//! TLS_AES_128_GCM_SHA256 and the one group X25519. The servers take turns, each time in a fresh process, so that what
//! else the machine does meets all of them; the ratios are medians of neighbours. Half of the processors are the
//! servers', half the client's. All of it is in a network of its own, with Linux's usual settings. The table on standard
//! output is what README.md shows.
//!
//! What it is not: a test of speed. A figure out of reach is printed as such, and only a failure ends it with another
//! code than 0.

#![forbid(unsafe_code)]

mod cli;
mod client;
mod datagrams;
mod failure;
mod figures;
mod image;
mod kms;
mod machine;
mod measure;
mod network;
mod plan;
mod proxy;
mod run;
mod server;
mod service;
mod table;
mod tpm;

use std::process::ExitCode;

use crate::cli::Task;
use crate::failure::Failure;

fn main() -> ExitCode {
    let outcome = match cli::read() {
        Ok(Task::Bench(asked)) if !asked.in_own_network => Err(network::enter()),
        Ok(Task::Bench(asked)) => run::all(&asked).map(|tables| {
            let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
            print!("{}", tables.join("\n"));
        }),
        Ok(Task::Proxy(asked)) => proxy::serve(asked),
        Ok(Task::TpmAlone(asked)) => tpm::alone(&asked),
        Ok(Task::CallsAlone(asked)) => kms::alone(&asked),
        Ok(Task::Help) => {
            print!("{}", cli::HELP);
            Ok(())
        }
        Err(usage) => Err(Failure::Usage(usage)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: error: {failure}");
            if let Failure::Usage(_) = failure {
                eprintln!("bench: hint: --help lists what it takes");
            }
            failure.code()
        }
    }
}
