//! Whom and what detrsa-mtls refuses, as a server and as a client: nothing gets through, the log or the exit code says
//! why, and whoever has the key is served on.

use mcbn_tests_interop::mtls::{Material, Ours, Server, Stack};
use mcbn_tests_interop::openssl::{OpenSsl, s_client, s_server};
use mcbn_tests_interop::{Served, Version};
use mcbn_tests_support::plain::Plain;
use mcbn_tests_support::process::{Ended, Process};
use mcbn_tests_support::record::alert::PROTOCOL_VERSION;

const REFUSED: i32 = 77;

/// Alerts of [RFC 8446 §6].
///
/// [RFC 8446 §6]: https://www.rfc-editor.org/rfc/rfc8446#section-6
mod alert {
    pub const UNSUPPORTED_CERTIFICATE: u8 = 43;
    pub const CERTIFICATE_EXPIRED: u8 = 45;
    pub const CERTIFICATE_UNKNOWN: u8 = 46;
    pub const CERTIFICATE_REQUIRED: u8 = 116;
}

const OUR_KEY: &str = "key.pem";

// As a server.

/// The server before a service that nobody without the key may reach.
struct Guarded {
    material: Material,
    server: Server,
    service: Plain,
}

impl Guarded {
    fn start() -> Self {
        let service = Plain::echoing();
        let forward = format!("--forward={}", service.address());
        let material = Material::new();
        let server = material.server(&[
            &forward,
            "--ca-certificate=ca.pem",
            "--ca-key=ca-key.pem",
            "--name=127.0.0.1",
        ]);
        Self {
            material,
            server,
            service,
        }
    }

    /// `openssl s_client` that shows this certificate is refused so, and whoever has the key is served on.
    #[track_caller]
    fn refuses(
        &self,
        certificate: Option<(&str, &str)>,
        version: Version,
        alert: u8,
        reason: &str,
    ) {
        let mut command = s_client(self.server.address(), version);
        command.current_dir(self.material.folder());
        if let Some((certificate, key)) = certificate {
            command.args(["-cert", certificate, "-key", key]);
        }
        // Its standard input stays open until it was refused: in TLS 1.3 its own handshake ends before that.
        let client = Process::start(command);
        client.wait_for_stderr(format!("SSL alert number {alert}\n"));
        client.end();
        assert_eq!(self.server.refusal(), reason);
        assert_eq!(self.service.connections(), 0, "somebody got through");

        let mut client = OpenSsl::connect(
            self.server.address(),
            Version::Tls13,
            self.material.folder(),
        );
        client.write(b"still there?\n");
        assert_eq!(client.read(13), b"still there?\n");
    }
}

#[test]
fn a_client_with_another_key_of_the_same_ca() {
    let guarded = Guarded::start();
    guarded.material.other_key();
    let shown = Some(("other.pem", "other-key.pem"));
    guarded.refuses(
        shown,
        Version::Tls13,
        alert::CERTIFICATE_UNKNOWN,
        "other_key",
    );
}

#[test]
fn a_client_whose_certificate_has_no_usage() {
    let guarded = Guarded::start();
    guarded
        .material
        .spoilt("spoilt", |params| params.key_usages.clear());
    let shown = Some(("spoilt.pem", OUR_KEY));
    guarded.refuses(
        shown,
        Version::Tls13,
        alert::UNSUPPORTED_CERTIFICATE,
        "usage",
    );
}

#[test]
fn a_client_whose_certificate_has_expired() {
    let guarded = Guarded::start();
    guarded.material.spoilt("spoilt", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let shown = Some(("spoilt.pem", OUR_KEY));
    guarded.refuses(shown, Version::Tls13, alert::CERTIFICATE_EXPIRED, "expired");
}

#[test]
fn a_client_without_a_certificate() {
    let guarded = Guarded::start();
    guarded.refuses(
        None,
        Version::Tls13,
        alert::CERTIFICATE_REQUIRED,
        "no_certificate",
    );
}

#[test]
fn a_client_of_tls12() {
    let guarded = Guarded::start();
    let shown = Some(("certificate.pem", OUR_KEY));
    guarded.refuses(shown, Version::Tls12, PROTOCOL_VERSION, "version");
}

// As a client.

/// `openssl s_server` that shows this certificate.
fn showing(material: &Material, certificate: &str, key: &str, version: Version) -> Served {
    let [certificate, key] =
        [certificate, key].map(|name| material.folder().join(name).display().to_string());
    s_server(version, &["-www", "-cert", &certificate, "-key", &key])
}

/// Asks a server for a page, which must fail for this reason.
#[track_caller]
fn is_refused(material: &Material, server: &Served, reason: &str) -> Ended {
    let ended = material.client(server.address, &["--get=/"]).end();
    ended.expect_code(REFUSED);
    assert_eq!(ended.stdout(), "", "{ended}");
    let expected = format!(
        "detrsa-mtls: error: cannot connect: {}: {reason}",
        server.address
    );
    assert_eq!(
        ended.stderr().lines().next(),
        Some(expected.as_str()),
        "{ended}"
    );
    ended
}

#[test]
fn a_server_with_another_key_of_the_same_ca() {
    let material = Material::new();
    material.other_key();
    let server = showing(&material, "other.pem", "other-key.pem", Version::Tls13);
    let ended = is_refused(&material, &server, "the peer has another key");
    let hint = "detrsa-mtls: hint: both ends need the same shares, derivation, manifest digest, algorithm and bits\n";
    assert!(ended.stderr().ends_with(hint), "{ended}");
}

#[test]
fn a_server_whose_certificate_has_no_usage() {
    let material = Material::new();
    material.spoilt("spoilt", |params| params.extended_key_usages.clear());
    let server = showing(&material, "spoilt.pem", OUR_KEY, Version::Tls13);
    is_refused(
        &material,
        &server,
        "the peer's certificate does not say that it is for this use",
    );
}

#[test]
fn a_server_whose_certificate_has_expired() {
    let material = Material::new();
    material.spoilt("spoilt", |params| {
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    });
    let server = showing(&material, "spoilt.pem", OUR_KEY, Version::Tls13);
    is_refused(&material, &server, "the peer's certificate has expired");
}

#[test]
fn a_server_of_tls12() {
    let material = Material::new();
    let server = showing(&material, "certificate.pem", OUR_KEY, Version::Tls12);
    is_refused(
        &material,
        &server,
        "the peer refused with alert 70, ProtocolVersion",
    );
}

#[test]
fn a_server_from_another_ca_or_of_another_name_where_that_is_asked_for() {
    let material = Material::new();
    material.spoilt("spoilt", |params| params.subject_alt_names.clear());
    let server = showing(&material, "spoilt.pem", OUR_KEY, Version::Tls13);
    for (check, reason) in [
        (
            "--peer-ca=ca.pem",
            "the peer's certificate comes from no CA that is trusted here",
        ),
        (
            "--peer-name=localhost",
            "the peer's certificate is for another name",
        ),
    ] {
        let ended = material.client(server.address, &["--get=/", check]).end();
        ended.expect_code(REFUSED);
        assert!(ended.stderr().contains(reason), "{ended}");
    }
    // Without those checks the key is enough.
    material
        .client(server.address, &["--get=/"])
        .end()
        .expect_code(0);
}

/// What a program of ours says to whoever runs it.
#[test]
fn a_server_that_refuses_us_is_named() {
    let material = Material::new();
    let server = s_server(
        Version::Tls13,
        &[
            "-www",
            "-cert",
            &material
                .folder()
                .join("certificate.pem")
                .display()
                .to_string(),
            "-key",
            &material.folder().join(OUR_KEY).display().to_string(),
            // It trusts no CA, and our client's certificate comes from one that was made for the run.
            "-Verify",
            "1",
            "-verify_return_error",
        ],
    );
    let ended = material.client(server.address, &["--get=/"]).end();
    ended.expect_code(REFUSED);
    assert_eq!(ended.stdout(), "");
    assert!(
        ended.stderr().contains("the peer refused with alert 48"),
        "{ended}"
    );
}

/// A file that is there is not written over, and a key is for its owner only.
#[test]
fn an_export_over_another_file() {
    let material = Material::new();
    let path = material.folder().join(OUR_KEY);
    let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let before = std::fs::read(&path).unwrap();
    let ended = material.export(&["--insecure-export-private-key=key.pem"]);
    assert_ne!(ended.code, Some(0), "{ended}");
    assert!(
        ended.stderr().contains("nothing is written over"),
        "{ended}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
