//! What the settings allow together, and what they refuse.

use super::*;

fn parsed(arguments: &[&str]) -> Result<Config, String> {
    let config = PROGRAM.own_config(arguments, Config::read);
    config.map_err(|faults| format!("{faults:?}"))
}

const KEY: &str = "--tpm-key=0x81000001";

#[test]
fn each_role_has_each_transport() {
    let server = ["--role=server", KEY];
    let client = ["--role=client", KEY, "--server=127.0.0.1:1"];
    let work =
        |arguments: &[&str], more: &[&str]| parsed(&[arguments, more].concat()).unwrap().work;
    assert!(matches!(work(&server, &[]), Work::StreamServer(..)));
    let udp = "--transport=udp";
    assert!(matches!(work(&server, &[udp]), Work::DatagramServer(..)));
    assert!(matches!(
        work(&client, &["--get=/"]),
        Work::StreamClient(_, streams::Mode::Get(_), Resumption::Off)
    ));
    assert!(matches!(
        work(&client, &[udp, "--send=x"]),
        Work::DatagramClient(_, datagrams::Mode::Send(_), _)
    ));
}

#[test]
fn sessions_are_resumed_only_where_that_is_asked_for() {
    let resumption = |more: &[&str]| {
        let arguments = [&["--role=server", KEY][..], more].concat();
        match parsed(&arguments).unwrap().work {
            Work::StreamServer(_, resumption) => resumption,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(resumption(&[]), Resumption::Off);
    assert_eq!(resumption(&["--insecure-resumption"]), Resumption::On);
}

#[test]
fn what_another_role_or_transport_has_is_refused() {
    for (arguments, refused) in [
        (&["--role=server", KEY, "--get=/"][..], "get"),
        (&["--role=server", KEY, "--server=127.0.0.1:1"], "server"),
        (&["--role=server", KEY, "--mtu=1280"], "mtu"),
        (
            &[
                "--role=server",
                KEY,
                "--transport=udp",
                "--insecure-resumption",
            ],
            "insecure-resumption",
        ),
        (
            &[
                "--role=client",
                KEY,
                "--server=127.0.0.1:1",
                "--get=/",
                "--forward=127.0.0.1:2",
            ],
            "forward",
        ),
        (
            &[
                "--role=client",
                KEY,
                "--server=127.0.0.1:1",
                "--get=/",
                "--send=x",
            ],
            "send",
        ),
        (&["--role=client", KEY, "--get=/"], "server"),
        (&["--role=client", KEY, "--server=127.0.0.1:1"], "get"),
        (&["--role=both", KEY], "role"),
        (&[KEY], "role"),
    ] {
        let faults = parsed(arguments).unwrap_err();
        assert!(faults.contains(refused), "{arguments:?}: {faults}");
    }
}

#[test]
fn a_permanent_key_has_one_origin() {
    for arguments in [
        &["--role=server"][..],
        &["--role=server", KEY, "--secret=file:/x"],
        &["--role=server", KEY, "--share=alice=file:/x"],
        &["--role=server", "--secret=file:/x", "--share=alice=file:/x"],
        &["--role=server", "--secret=file:/x", "--tcti=swtpm"],
        &["--role=server", "--secret=file:/x", "--key-auth=file:/y"],
        &["--role=server", KEY, "--threshold=2"],
        &["--role=server", "--tpm-key=0x80000001"],
        &["--role=server", "--tpm-key=file:"],
        &["--role=server", KEY, "--tcti=mssim"],
        &["--role=server", KEY, "--layout=random"],
        &["--role=server", KEY, "--tpm-queue=0"],
        &["--role=server", KEY, "--tpm-queue=257"],
    ] {
        parsed(arguments).unwrap_err();
    }
    parsed(&["--role=server", "--secret=file:/x"]).unwrap();
    parsed(&["--role=server", "--share=alice=file:/x"]).unwrap();
    parsed(&["--role=server", KEY, "--tcti=swtpm", "--key-auth=file:/y"]).unwrap();
}
