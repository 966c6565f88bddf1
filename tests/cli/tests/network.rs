//! Where the programs listen and connect, and what they refuse of it.

use mcbn_tests_cli::Transcript;
use mcbn_tests_support::shares::PUBLISHED;

const USAGE: i32 = 64;

fn refuses(program: &'static str, scenario: &'static str, runs: &[&[&str]]) {
    let mut transcript = Transcript::new(program, scenario);
    transcript.folder().file("alice", PUBLISHED[0].1);
    for arguments in runs {
        let all = [&["--share=alice=file:alice"], *arguments].concat();
        transcript.run(&[], &all).expect_code(USAGE);
    }
    transcript.check();
}

#[test]
fn decrypted_streams_do_not_leave_the_machine_unless_told_to() {
    for program in ["dtls-server", "psk-server"] {
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
        "detrsa-mtls",
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
}

#[test]
fn other_machines_do_not_use_the_tunnel_unless_told_to() {
    let server = "--server=192.0.2.1:8443";
    for (program, other) in [("dtls-client", "--send=text"), ("psk-client", "--get=/")] {
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
        "psk-client",
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
        "dtls-client",
        "mode_refused",
        &[
            &[server],
            &[server, "--send=text", "--listen=127.0.0.1:0"],
            &["--send=text"],
            &["--send=text", "--server=192.0.2.1"],
            &[server, "--send=-", "--share=bob=fd:0"],
        ],
    );
}

#[test]
fn limits_that_make_no_sense_are_refused() {
    refuses(
        "dtls-server",
        "limits_refused",
        &[
            &["--max-connections=0"],
            &["--mtu=575"],
            &["--mtu=65536", "--idle-timeout=5"],
        ],
    );
    refuses(
        "psk-server",
        "limits_refused",
        &[
            &["--max-connections=0"],
            &["--max-connections-per-peer=-1"],
            &["--handshake-timeout=0s", "--idle-timeout=5"],
            &["--drain-timeout=1000000d"],
        ],
    );
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
    for (program, address) in [
        ("dtls-server", datagrams.local_addr()),
        ("psk-server", stream.local_addr()),
    ] {
        let address = address.expect("it is bound");
        let transcript = Transcript::new(program, "port_taken");
        transcript.folder().file("alice", PUBLISHED[0].1);
        let listen = format!("--listen={address}");
        let ended = transcript
            .start(&[], &["--share=alice=file:alice", &listen])
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
