//! What was typed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use mcbn_gcp::CredentialSource;
use mcbn_gcp::name::{Endpoint, KeyVersionName};
use mcbn_tpm::Tcti;

use crate::network;
use crate::plan::Plan;
use crate::proxy::{Proxy, Tls};

pub const HELP: &str = "\
Usage: bench --psk-server FILE --dtls-server FILE --tpm-psk FILE --kms-mtls FILE --digests FILE
             [--quick|--smoke]

Measures psk-server beside stunnel and openssl s_server, dtls-server beside openssl s_server and gnutls-serv, which it
finds on the PATH, tpm-psk beside its TPM alone (swtpm, from the PATH) and beside itself with the key in memory, and
kms-mtls beside the calls to a double of Cloud KMS alone, beside rustls with the key in memory and beside itself without
resumption; and prints four tables.
`./bazelw run //tests/bench` gives the five files; `./bazelw run //tests/bench -- --quick` adds a flag.

  --psk-server FILE   the first program to measure
  --dtls-server FILE  the second
  --tpm-psk FILE      the third
  --kms-mtls FILE     the fourth
  --digests FILE      digests.lock, which has the size of psk-server's image
  --quick             about two minutes in place of fifteen, with more noise
  --only TEXT         only figures whose name has this text, such as upload
  --smoke             seconds, with figures that mean nothing: shows that it works
";

pub enum Task {
    Bench(Asked),
    /// A proxy, which this program starts as a process of its own.
    Proxy(Proxy),
    /// The TPM without TLS, in a process of its own as a server is.
    TpmAlone(TpmAlone),
    /// The calls without TLS, likewise.
    CallsAlone(CallsAlone),
    Help,
}

pub struct Asked {
    pub psk_server: PathBuf,
    pub dtls_server: PathBuf,
    pub tpm_psk: PathBuf,
    pub kms_mtls: PathBuf,
    pub digests: PathBuf,
    pub plan: Plan,
    /// What the names of the wanted figures have.
    pub only: String,
    /// Whether this process is already where the run belongs.
    pub in_own_network: bool,
}

/// A TPM, a key's file, and for how long.
pub struct TpmAlone {
    pub tcti: Tcti,
    pub key: PathBuf,
    pub warm_up: Duration,
    pub window: Duration,
}

/// Where Cloud KMS is, what is asked of it, by how many at a time, and for how long.
#[derive(Clone)]
pub struct CallsAlone {
    pub endpoint: Endpoint,
    pub key: KeyVersionName,
    pub credentials: CredentialSource,
    pub callers: usize,
    pub warm_up: Duration,
    pub window: Duration,
}

pub fn read() -> Result<Task, lexopt::Error> {
    let mut parser = lexopt::Parser::from_env();
    let (mut psk_server, mut dtls_server, mut tpm_psk) = (None, None, None);
    let (mut kms_mtls, mut digests) = (None, None);
    let (mut plan, mut only) = (Plan::FULL, String::new());
    let mut in_own_network = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("psk-server") => psk_server = Some(parser.value()?.into()),
            Long("dtls-server") => dtls_server = Some(parser.value()?.into()),
            Long("tpm-psk") => tpm_psk = Some(parser.value()?.into()),
            Long("kms-mtls") => kms_mtls = Some(parser.value()?.into()),
            Long("digests") => digests = Some(parser.value()?.into()),
            Long("quick") => plan = Plan::QUICK,
            Long("only") => only = parser.value()?.string()?,
            Long("smoke") => plan = Plan::SMOKE,
            Long(network::INSIDE) => in_own_network = true,
            Long("plain-proxy") => {
                return Ok(Task::Proxy(Proxy {
                    forward: parser.value()?.parse()?,
                    tls: None,
                }));
            }
            Long("tls-proxy") => {
                return Ok(Task::Proxy(Proxy {
                    forward: parser.value()?.parse()?,
                    tls: Some(Tls {
                        ca: parser.value()?.into(),
                        certificate: parser.value()?.into(),
                        key: parser.value()?.into(),
                    }),
                }));
            }
            Long("tpm-alone") => {
                return Ok(Task::TpmAlone(TpmAlone {
                    tcti: parser.value()?.parse()?,
                    key: parser.value()?.into(),
                    warm_up: milliseconds(parser.value()?)?,
                    window: milliseconds(parser.value()?)?,
                }));
            }
            Long("calls-alone") => {
                return Ok(Task::CallsAlone(CallsAlone {
                    endpoint: parser.value()?.parse()?,
                    key: parser.value()?.parse()?,
                    credentials: parser.value()?.parse()?,
                    callers: parser.value()?.parse()?,
                    warm_up: milliseconds(parser.value()?)?,
                    window: milliseconds(parser.value()?)?,
                }));
            }
            Long("help") => return Ok(Task::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Task::Bench(Asked {
        psk_server: psk_server.ok_or("--psk-server is missing")?,
        dtls_server: dtls_server.ok_or("--dtls-server is missing")?,
        tpm_psk: tpm_psk.ok_or("--tpm-psk is missing")?,
        kms_mtls: kms_mtls.ok_or("--kms-mtls is missing")?,
        digests: digests.ok_or("--digests is missing")?,
        plan,
        only,
        in_own_network,
    }))
}

fn milliseconds(value: OsString) -> Result<Duration, lexopt::Error> {
    value.parse().map(Duration::from_millis)
}
