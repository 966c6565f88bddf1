//! Where the programs listen and connect, and what they refuse of it.

use mcbn_tests_cli::Transcript;
use mcbn_tests_support::shares::{PUBLISHED, TPM_KEY};

const USAGE: i32 = 64;

/// A program, with the role that it may have to be told.
type Program = (&'static str, &'static [&'static str]);

const DTLS_CLIENT: Program = ("dtls-client", &[]);
const DTLS_SERVER: Program = ("dtls-server", &[]);
const PSK_CLIENT: Program = ("psk-client", &[]);
const PSK_SERVER: Program = ("psk-server", &[]);
const TPM_CLIENT: Program = ("tpm-psk", &["--role=client"]);
const TPM_SERVER: Program = ("tpm-psk", &["--role=server"]);

fn refuses((program, role): Program, scenario: &'static str, runs: &[&[&str]]) {
    let mut transcript = Transcript::new(program, scenario);
    transcript.folder().file("alice", PUBLISHED[0].1);
    for arguments in runs {
        let all = [&["--share=alice=file:alice"], role, *arguments].concat();
        transcript.run(&[], &all).expect_code(USAGE);
    }
    transcript.check();
}

#[test]
fn decrypted_streams_do_not_leave_the_machine_unless_told_to() {
    for program in [DTLS_SERVER, PSK_SERVER, TPM_SERVER] {
        refuses(
            program,
            "forward_refused",
            &[
                &["--forward=192.0.2.1:80"],
                &["--forward=service.example:80"],
                &["--forward=0.0.0.0:80"],
                &["--forward=127.0.0.1"],
                &["--forward=127.0.0.1:0"],
                &["--insecure-plaintext-forward"],
            ],
        );
    }
}

/// Each role refuses what the roles of others refuse, and what is for the other role.
#[test]
fn one_program_of_two_roles_does_one_thing_at_a_time() {
    let server = ["--role=server", "--forward=192.0.2.1:80"];
    let client = ["--role=client", "--server=192.0.2.1:8443"];
    let export = "--insecure-export-private-key=key.pem";
    refuses(
        ("detrsa-mtls", &[]),
        "role_refused",
        &[
            &[],
            &["--role=both"],
            &["--role=server", "--get=/"],
            &server,
            &["--role=client", "--get=/"],
            &client,
            &[&client[..], &["--listen=0.0.0.0:7070"]].concat(),
            &[&client[..], &["--get=/", "--forward=127.0.0.1:80"]].concat(),
            &["--role=server", export],
            &["--csr=-", export],
            &["--csr=-", "--self-signed"],
            &[export, "--export-format=pkcs12"],
            &[export, "--export-format=jks"],
            &["--role=server", "--self-signed", "--certificate=chain.pem"],
            &["--role=server", "--ca-certificate=ca.pem"],
            &["--role=server", "--certificate=alice"],
            &["--role=server", "--peer-ca=alice", "--peer-name=a b"],
            &["--role=server", "--bits=1024", "--algorithm=rsa"],
        ],
    );
    let tunnel = [&client[..], &["--listen=127.0.0.1:0"]].concat();
    refuses(
        ("tpm-psk", &[]),
        "role_refused",
        &[
            &[],
            &["--role=both"],
            &["--role=server", "--transport=sctp"],
            &["--role=server", "--get=/", "--server=192.0.2.1:8443"],
            &[&tunnel[..], &["--forward=127.0.0.1:80"]].concat(),
            &[&tunnel[..], &["--max-handshakes=1"]].concat(),
            &["--role=server", "--ccm8", "--mtu=1280"],
            &["--role=server", "--transport=udp", "--insecure-resumption"],
            &[&tunnel[..], &["--send=text"]].concat(),
            &[&tunnel[..], &["--transport=udp", "--get=/"]].concat(),
        ],
    );
}

/// Where its permanent key is, and what is said of it.
#[test]
fn a_permanent_key_has_one_origin() {
    let mut transcript = Transcript::new("tpm-psk", "key_refused");
    transcript.folder().file("alice", PUBLISHED[0].1);
    transcript.folder().file("secret", TPM_KEY);
    let (in_tpm, secret) = ("--tpm-key=0x81000001", "--secret=file:secret");
    let (auth, share) = ("--key-auth=file:auth", "--share=alice=file:alice");
    for arguments in [
        &[][..],
        &[in_tpm, secret],
        &[in_tpm, share, "--threshold=2"],
        &[secret, share],
        &[secret, auth, "--tcti=device:/dev/tpm0", "--tpm-timeout=1s"],
        &[share, "--tpm-queue=1"],
        &["--threshold=2"],
        &["--tpm-key=key.pem", auth],
        &["--tpm-key=file:"],
        &["--tpm-key=0x80000001"],
        &[&format!("--tpm-key={TPM_KEY}")],
        &[&format!("--secret={TPM_KEY}")],
        &[in_tpm, "--key-auth=word"],
        &[in_tpm, "--key-auth=fd:100", "--parent-auth=fd:101"],
        &[in_tpm, "--tcti=mssim:port=2321"],
        &[in_tpm, "--tcti=swtpm:host=tpm.example"],
        &[in_tpm, "--tcti=tabrmd:bus_type=other"],
        &[secret, "--layout=random"],
    ] {
        let all = [&["--role=server", "--listen=127.0.0.1:0"], arguments].concat();
        let ended = transcript.run(&[], &all);
        ended.expect_code(USAGE);
        assert!(!ended.stderr().contains(&TPM_KEY[..8]), "{ended}");
    }
    transcript.check();
}

#[test]
fn other_machines_do_not_use_the_tunnel_unless_told_to() {
    let server = "--server=192.0.2.1:8443";
    for (program, other) in [
        (DTLS_CLIENT, "--send=text"),
        (PSK_CLIENT, "--get=/"),
        (TPM_CLIENT, "--get=/"),
    ] {
        refuses(
            program,
            "listen_refused",
            &[
                &[server, "--listen=0.0.0.0:7070"],
                &[server, "--listen=[::]:7070"],
                &[server, "--listen=7070"],
                &[server, other, "--insecure-plaintext-listen"],
            ],
        );
    }
}

#[test]
fn a_client_does_one_thing_at_a_time() {
    let server = "--server=192.0.2.1:8443";
    refuses(
        PSK_CLIENT,
        "mode_refused",
        &[
            &[server],
            &[server, "--stdio", "--get=/"],
            &[server, "--get=http://192.0.2.1/"],
            &[server, "--get=path"],
            &["--get=/"],
            &["--get=/", "--server=192.0.2.1"],
            &[server, "--stdio", "--share=bob=fd:0"],
        ],
    );
    refuses(
        DTLS_CLIENT,
        "mode_refused",
        &[
            &[server],
            &[server, "--send=text", "--listen=127.0.0.1:0"],
            &["--send=text"],
            &["--send=text", "--server=192.0.2.1"],
            &[server, "--send=-", "--share=bob=fd:0"],
        ],
    );
    let udp = "--transport=udp";
    refuses(
        TPM_CLIENT,
        "mode_refused",
        &[
            &[server],
            &[server, "--stdio", "--get=/"],
            &[server, "--get=path"],
            &["--get=/"],
            &[server, "--stdio", "--share=bob=fd:0"],
            &[server, udp],
            &[server, udp, "--send=text", "--listen=127.0.0.1:0"],
            &[server, udp, "--send=-", "--share=bob=fd:0"],
        ],
    );
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    refuses(
        DTLS_SERVER,
        "limits_refused",
        &[
            &["--max-connections=0"],
            &["--mtu=575"],
            &["--mtu=65536", "--idle-timeout=5"],
        ],
    );
    refuses(
        PSK_SERVER,
        "limits_refused",
        &[
            &["--max-connections=0"],
            &["--max-connections-per-peer=-1"],
            &["--handshake-timeout=0s", "--idle-timeout=5"],
            &["--drain-timeout=1000000d"],
        ],
    );
    let mut transcript = Transcript::new("tpm-psk", "limits_refused");
    for limits in [
        &["--tpm-queue=0", "--tpm-timeout=0s"][..],
        &["--tpm-queue=257", "--tpm-timeout=5"],
        &["--max-handshakes=0", "--transport=udp", "--mtu=575"],
    ] {
        let all = [&["--role=server", "--tpm-key=0x81000001"], limits].concat();
        transcript.run(&[], &all).expect_code(USAGE);
    }
    transcript.check();
}

/// The handshake would have time left, but the whole attempt has not.
#[test]
fn a_server_that_never_speaks_is_named() {
    // Nobody accepts: the operating system does, and no byte comes.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("it is bound");
    let transcript = Transcript::new("psk-client", "silent_server");
    transcript.folder().file("alice", PUBLISHED[0].1);
    let server = format!("--server={address}");
    let ended = transcript
        .start(
            &[],
            &[
                "--share=alice=file:alice",
                &server,
                "--get=/",
                "--connect-timeout=200ms",
            ],
        )
        .end();
    ended.expect_code(69);
    assert_eq!(
        ended.stderr(),
        format!(
            "psk-client: error: cannot connect: {address}: connected, but the handshake got no answer in time\n"
        )
    );
}

/// Whoever starts it learns that the port is taken, and what to do.
#[test]
fn a_port_that_is_taken_is_named() {
    let stream = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    for ((program, role), transport, address) in [
        (DTLS_SERVER, &[][..], datagrams.local_addr()),
        (PSK_SERVER, &[], stream.local_addr()),
        (TPM_SERVER, &[], stream.local_addr()),
        (TPM_SERVER, &["--transport=udp"], datagrams.local_addr()),
    ] {
        let address = address.expect("it is bound");
        let transcript = Transcript::new(program, "port_taken");
        transcript.folder().file("alice", PUBLISHED[0].1);
        let listen = format!("--listen={address}");
        let more = ["--share=alice=file:alice", &listen];
        let ended = transcript
            .start(&[], &[role, transport, &more].concat())
            .end();
        ended.expect_code(74);
        assert_eq!(
            ended.stderr(),
            format!(
                "{program}: error: cannot listen on {address}: Address already in use (os error 98)\n\
                 {program}: hint: another program has this port: give another one with --listen\n"
            )
        );
    }
}
