//! kms-mtls as it is started, against the double of Google Cloud: a key for each end, and certificates of a CA of the
//! test's own.

#![forbid(unsafe_code)]

mod ca;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use mcbn_tests_support::confidential_space::Issuer;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::google_cloud::{Algorithm, Call, Cloud, Protection, Role, ServiceAccount};
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::workload::workload;

pub use ca::Ca;

pub const USAGE: i32 = 64;
pub const UNAVAILABLE: i32 = 69;
pub const REFUSED: i32 = 77;

const RING: &str = "projects/example-project/locations/europe-west3/keyRings/mcbn/cryptoKeys";

/// A cloud, an account there, and a CA.
pub struct Scene {
    pub cloud: Cloud,
    pub issuer: Issuer,
    pub folder: Folder,
    pub ca: Ca,
    pub account: ServiceAccount,
    /// `--google-credentials` of every command.
    pub credentials: String,
}

/// A key in Cloud KMS that the account may sign with, and its certificate.
#[derive(Clone)]
pub struct Own {
    pub version: String,
    pub certificate: PathBuf,
}

impl Scene {
    #[expect(clippy::new_without_default, reason = "it starts services")]
    pub fn new() -> Self {
        let issuer = Issuer::start();
        let cloud = Cloud::start(&issuer);
        let account = cloud
            .iam()
            .add_service_account("tls@example-project.iam.gserviceaccount.com");
        let file = cloud.service_account_file(&account);
        let folder = Folder::new();
        let ca = Ca::new();
        folder.file("ca.pem", ca.pem());
        Self {
            cloud,
            issuer,
            folder,
            ca,
            account,
            credentials: format!("file:{}", file.display()),
        }
    }

    /// A version that only its makers may use.
    pub fn version(&self, key: &str, algorithm: Algorithm, protection: Protection) -> String {
        let key = format!("{RING}/{key}");
        self.cloud.kms().add_key(&key, algorithm, protection)
    }

    /// A key of this name that the account may sign with.
    pub fn own(&self, key: &str, algorithm: Algorithm) -> Own {
        let version = self.version(key, algorithm, Protection::Hsm);
        self.bind(&version, Role::SignerVerifier);
        let public = self.cloud.kms().public_key_pem(&version);
        let certificate = format!("{key}.pem");
        Own {
            version,
            certificate: self.folder.file(&certificate, self.ca.issue(&public)),
        }
    }

    pub fn p256(&self, key: &str) -> Own {
        self.own(key, Algorithm::EcP256Sha256)
    }

    pub fn bind(&self, resource: &str, role: Role) {
        let member = self.account.member();
        self.cloud.iam().bind(&member, resource, role);
    }

    /// kms-mtls, which knows where this cloud is, and no more.
    pub fn command(&self) -> Command {
        let mut command = workload("kms-mtls");
        self.locate(&mut command);
        command
    }

    /// Tells a program where this cloud is.
    pub fn locate(&self, command: &mut Command) {
        command
            .env("SSL_CERT_FILE", self.cloud.root_pem())
            .env("GCE_METADATA_HOST", self.cloud.metadata().host());
    }

    /// The same, with what both ends need.
    pub fn end(&self, own: &Own, more: &[&str]) -> Command {
        let mut command = self.command();
        self.equip(&mut command, own);
        command.args(more);
        command
    }

    /// Gives what both ends need.
    pub fn equip(&self, command: &mut Command, own: &Own) {
        command
            .arg(format!("--key={}", own.version))
            .arg(format!("--certificate=file:{}", own.certificate.display()))
            .arg(format!(
                "--peer-ca=file:{}",
                self.folder.path().join("ca.pem").display()
            ))
            .arg(format!("--kms-endpoint={}", self.cloud.kms().endpoint()))
            .arg(format!(
                "--secret-manager-endpoint={}",
                self.cloud.secrets().endpoint()
            ))
            .arg(format!("--google-credentials={}", self.credentials));
    }

    /// A server, which may not come to its port.
    pub fn server(&self, own: &Own, more: &[&str]) -> Process {
        let mut command = self.end(own, &["--role=server", "--listen=127.0.0.1:0"]);
        command.args(more);
        Process::start(command)
    }

    /// A server that listens.
    pub fn serve(&self, own: &Own, more: &[&str]) -> Server {
        Server::that_listens(self.server(own, more))
    }

    /// A client of this server.
    pub fn client(&self, own: &Own, server: &Server, more: &[&str]) -> Command {
        let mut command = self.end(own, &["--role=client", "--peer-name=localhost"]);
        command
            .arg(format!("--server={}", server.address))
            .args(more);
        command
    }

    /// What the server says to one request.
    pub fn get(&self, own: &Own, server: &Server, more: &[&str]) -> Ended {
        let mut command = self.client(own, server, &["--get=/"]);
        command.args(more);
        Process::start(command).end()
    }

    /// A client that takes plain connections, and where.
    pub fn tunnel(&self, own: &Own, server: &Server, more: &[&str]) -> Server {
        let mut command = self.client(own, server, &["--listen=127.0.0.1:0"]);
        command.args(more);
        Server::that_listens(Process::start(command))
    }

    /// How often the cloud was asked for a signature.
    pub fn signatures(&self) -> u64 {
        self.cloud.kms().requests().of(Call::Sign)
    }
}

/// Something that listens.
pub struct Server {
    pub process: Process,
    pub address: SocketAddr,
}

impl Server {
    fn that_listens(process: Process) -> Self {
        let listening = process.wait_for_message("listening");
        let address = listening["fields"]["address"]
            .as_str()
            .or_else(|| listening["address"].as_str())
            .and_then(|address| address.parse().ok());
        Self {
            address: address.unwrap_or_else(|| panic!("no address: {listening}")),
            process,
        }
    }
}
