use super::given::Asked;
use super::*;
use crate::exit::Exit;
use crate::units::Period;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStringExt;

const LISTEN: Setting = Setting::value("listen", "ADDR:PORT", "where to accept connections")
    .default("127.0.0.1:7443")
    .operator();
const SHARE: Setting = Setting::value(
    "share",
    "NAME=SOURCE",
    "where a participant's share is read",
)
.required()
.repeat();
const IDLE: Setting = Setting::value("idle-timeout", "TIME", "how long a silent connection lives");
const TLS12: Setting = Setting::switch("tls12", "also speak TLS 1.2, for old clients");

static PROGRAM: Program = Program::new(
    "psk-server",
    "1.2.3",
    "A TLS server that is reachable only while every participant has agreed to it and has handed out a share.",
    &[LISTEN, SHARE, IDLE, TLS12],
    &[Port::tcp(7443), Port::udp(7444)],
);

#[derive(Debug, PartialEq)]
struct Config {
    listen: SocketAddr,
    shares: Vec<String>,
    idle: Option<Period>,
    tls12: bool,
}

fn read(given: &mut Given) -> Result<Config, Reported> {
    for basic in [&log::LEVEL, &shutdown::DRAIN] {
        let _ = given.one::<String>(basic);
    }
    let _ = given.optional::<String>(&admin::LISTEN);
    let listen = given.one(&LISTEN);
    let shares = given.all(&SHARE);
    let idle = given.optional(&IDLE);
    Ok(Config {
        listen: listen?,
        shares: shares?,
        idle: idle?,
        tls12: given.on(&TLS12),
    })
}

fn parse(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Asked<Config>, Faults> {
    let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    let variables = variables.iter().map(|(n, v)| (n.into(), v.into()));
    PROGRAM.parse(arguments, variables, read)
}

fn config(arguments: &[&str], variables: &[(&str, &str)]) -> Config {
    match parse(arguments, variables) {
        Ok(Asked::Run(config)) => config,
        other => panic!("{other:?}"),
    }
}

/// The lines written to standard error.
fn refusal(arguments: &[&str], variables: &[(&str, &str)]) -> Vec<String> {
    lines(parse(arguments, variables).expect_err("must be refused"))
}

fn lines(faults: Faults) -> Vec<String> {
    let mut out = Vec::new();
    assert_eq!(faults.report(&mut out), Exit::Usage);
    let text = String::from_utf8(out).unwrap();
    text.lines().map(str::to_owned).collect()
}

const HINT: &str = "psk-server: hint: psk-server --help lists every flag and variable";
const ENOUGH: &[&str] = &["--share", "alice=fd:3"];

#[test]
fn defaults_hold_where_nothing_is_given() {
    assert_eq!(
        config(ENOUGH, &[("PATH", "/bin"), ("LANG", "C")]),
        Config {
            listen: "127.0.0.1:7443".parse().unwrap(),
            shares: vec!["alice=fd:3".into()],
            idle: None,
            tls12: false,
        }
    );
}

#[test]
fn flags_and_variables_say_the_same() {
    let by_flag = config(
        &[
            "--share=a=fd:3",
            "--share",
            "b=fd:4",
            "--tls12",
            "--idle-timeout=5m",
            "--listen",
            "[::1]:1",
        ],
        &[],
    );
    let by_variable = config(
        &[],
        &[
            ("MCBN_SHARE", "a=fd:3,b=fd:4"),
            ("MCBN_TLS12", "true"),
            ("MCBN_IDLE_TIMEOUT", "5m"),
            ("MCBN_LISTEN", "[::1]:1"),
        ],
    );
    assert_eq!(by_flag, by_variable);
    assert_eq!(by_flag.shares, ["a=fd:3", "b=fd:4"]);
    assert!(by_flag.tls12);
}

#[test]
fn a_flag_and_a_variable_that_agree_are_taken() {
    let config = config(
        &["--share", "a=fd:3", "--tls12"],
        &[("MCBN_SHARE", "a=fd:3"), ("MCBN_TLS12", "true")],
    );
    assert_eq!(config.shares, ["a=fd:3"]);
}

#[test]
fn a_switch_can_be_said_to_be_off() {
    assert!(!config(ENOUGH, &[("MCBN_TLS12", "false")]).tls12);
}

#[test]
fn every_mistake_is_reported_at_once() {
    assert_eq!(
        refusal(
            &[
                "--lisen",
                "--tls12=yes",
                "--idle-timeout",
                "--listen",
                "nowhere",
                "stray"
            ],
            &[
                ("MCBN_LOG_LEVLE", "info"),
                ("MCBN_DRAIN_TIMEOUT", ""),
                ("MCBN_ZZZ", "1"),
            ],
        ),
        [
            "psk-server: error: unknown flag --lisen (did you mean --listen?)",
            "psk-server: error: --tls12 is a switch and takes no value",
            "psk-server: error: --idle-timeout needs a value (TIME)",
            "psk-server: error: an argument that belongs to no flag; it is not repeated here, since it could be a secret",
            "psk-server: error: MCBN_DRAIN_TIMEOUT is empty",
            "psk-server: error: unknown variable MCBN_LOG_LEVLE (did you mean MCBN_LOG_LEVEL?)",
            "psk-server: error: unknown variable MCBN_ZZZ",
            "psk-server: error: --share or MCBN_SHARE is required",
            "psk-server: error: --listen: invalid socket address syntax (expected ADDR:PORT)",
            HINT,
        ]
    );
}

#[test]
fn a_flag_against_its_variable_is_refused() {
    for (arguments, variables) in [
        (&["--share", "a=fd:3"][..], ("MCBN_SHARE", "a=fd:4")),
        (&["--share", "a=fd:3", "--tls12"], ("MCBN_TLS12", "false")),
    ] {
        let lines = refusal(arguments, &[variables]);
        assert!(lines[0].ends_with("contradict each other"), "{lines:?}");
        assert_eq!(lines.len(), 2);
    }
}

#[test]
fn repeating_a_single_setting_is_refused() {
    assert_eq!(
        refusal(&["--share=a", "--listen=[::1]:1", "--listen=[::1]:1"], &[]),
        ["psk-server: error: --listen is given more than once", HINT]
    );
}

#[test]
fn a_switch_variable_that_is_neither_true_nor_false_is_refused() {
    assert_eq!(
        refusal(ENOUGH, &[("MCBN_TLS12", "1")]),
        ["psk-server: error: MCBN_TLS12 must be true or false", HINT]
    );
}

#[test]
fn every_bad_value_of_a_repeated_setting_is_named_by_where_it_was_given() {
    fn read(given: &mut Given) -> Result<Vec<u16>, Reported> {
        given.all(&SHARE)
    }
    let faults = PROGRAM.parse([], [("MCBN_SHARE".into(), "1,x".into())], read);
    assert_eq!(
        lines(faults.unwrap_err()),
        [
            "psk-server: error: MCBN_SHARE: invalid digit found in string (expected NAME=SOURCE)",
            HINT
        ]
    );
}

#[test]
fn a_value_that_is_not_utf8_is_refused() {
    let bad = OsString::from_vec(vec![b'/', 0xff]);
    let arguments = ["--share".into(), bad.clone(), bad.clone()];
    let variables = [("MCBN_LISTEN".into(), bad)];
    assert_eq!(
        lines(PROGRAM.parse(arguments, variables, read).unwrap_err())[..3],
        [
            "psk-server: error: --share is not valid UTF-8",
            "psk-server: error: an argument that belongs to no flag; it is not repeated here, since it could be a secret",
            "psk-server: error: MCBN_LISTEN is not valid UTF-8",
        ]
    );
}

#[test]
fn a_program_refuses_what_only_it_can_know() {
    fn read(given: &mut Given) -> Result<(), Reported> {
        given.hint("give one of the two");
        given.hint("a second hint is not shown");
        if given.is_given(&IDLE) && given.on(&TLS12) {
            return Err(given.refuse(&[&IDLE, &TLS12], "only one of them makes sense"));
        }
        Ok(())
    }
    let arguments = ["--share=a", "--tls12", "--idle-timeout=1s"].map(OsString::from);
    assert_eq!(
        lines(PROGRAM.parse(arguments, [], read).unwrap_err()),
        [
            "psk-server: error: --idle-timeout and --tls12: only one of them makes sense",
            "psk-server: hint: give one of the two",
        ]
    );
}

#[test]
fn an_error_is_refused_with_its_sources() {
    #[derive(Debug)]
    struct NotTaken(std::num::ParseIntError);
    impl Display for NotTaken {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the descriptor cannot be taken")
        }
    }
    impl std::error::Error for NotTaken {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let faults = PROGRAM.parse(["--share=a".into()], [], |given| {
        let error = NotTaken("x".parse::<u8>().unwrap_err());
        Err::<(), _>(given.refuse_because(&[&SHARE], &error))
    });
    assert_eq!(
        lines(faults.unwrap_err())[0],
        "psk-server: error: --share: the descriptor cannot be taken: invalid digit found in string"
    );
}

#[test]
fn a_setting_that_another_one_needs_is_missed() {
    let faults = PROGRAM.parse(["--share=a".into()], [], |given| {
        given.one::<Period>(&IDLE).map(drop)
    });
    assert_eq!(
        lines(faults.unwrap_err())[0],
        "psk-server: error: --idle-timeout or MCBN_IDLE_TIMEOUT is required"
    );
}

/// A key that is pasted as a flag, a variable, an argument or a value never comes back out.
#[test]
fn a_secret_in_the_wrong_place_is_not_echoed() {
    let key = "2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90";
    let flag = format!("--{key}");
    let joined = format!("--psk={key}");
    let variable = format!("MCBN_{key}");
    let short = format!("-{}", &key[1..]);
    let lines = refusal(
        &[
            &flag,
            &joined,
            key,
            &short,
            "--listen",
            key,
            "--idle-timeout",
            key,
        ],
        &[
            (&variable, key),
            ("MCBN_PSK", key),
            ("MCBN_TLS12", key),
            ("MCBN_LOG_LEVEL", key),
        ],
    );
    for line in &lines {
        for part in key.as_bytes().windows(6) {
            let part = std::str::from_utf8(part).unwrap();
            assert!(!line.contains(part), "{line}");
        }
    }
    assert!(lines.len() >= 8, "{lines:?}");
}

/// Each fails one of the marks of a plain name.
#[test]
fn a_name_that_could_be_a_secret_is_not_echoed() {
    for name in [
        "--abcdefghijklmnopqrstuvwxyzabcdefghijklmnop",
        "--d9c8f3a7",
        "--mbZvgEXYuWnpQcRAcJtsLq",
        "--p.s!w",
    ] {
        let lines = refusal(&[ENOUGH, &[name]].concat(), &[]);
        assert!(
            lines[0].contains("its name is not repeated here"),
            "{lines:?}"
        );
        let lines = refusal(ENOUGH, &[(&name.replacen("--", "MCBN_", 1), "1")]);
        assert!(
            lines[0].contains("its name is not repeated here"),
            "{lines:?}"
        );
    }
}

#[test]
fn of_short_flags_only_the_first_letter_is_named() {
    assert_eq!(
        refusal(&[ENOUGH, &["-xyz"]].concat(), &[]),
        ["psk-server: error: unknown flag -x", HINT]
    );
}

#[test]
fn a_mistake_is_reported_once() {
    let faults = PROGRAM.parse(["--share=a".into()], [], |given| {
        let _ = given.one::<Period>(&IDLE);
        given.one::<Period>(&IDLE).map(drop)
    });
    assert_eq!(lines(faults.unwrap_err()).len(), 2);
}

#[test]
fn help_wins_over_mistakes() {
    for flag in ["-h", "--help"] {
        match parse(&["--nonsense", flag], &[]) {
            Ok(Asked::Print(text)) => assert!(text.starts_with("psk-server 1.2.3\n")),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn help_is_made_from_the_table() {
    let Ok(Asked::Print(text)) = parse(&["--help"], &[]) else {
        panic!("no help");
    };
    assert_eq!(text, include_str!("../../testdata/help.txt"));
    assert!(text.lines().all(|line| line.chars().count() <= 80));
}

#[test]
fn the_table_is_printed_for_programs() {
    let Ok(Asked::Print(text)) = parse(&["--settings"], &[]) else {
        panic!("no table");
    };
    let table: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(table["ports"], serde_json::json!(["7443/tcp", "7444/udp"]));
    assert_eq!(
        table["settings"][0],
        serde_json::json!({
            "flag": "--listen",
            "variable": "MCBN_LISTEN",
            "value": "ADDR:PORT",
            "default": "127.0.0.1:7443",
            "repeat": false,
            "required": false,
            "operator": true,
            "help": "where to accept connections",
        })
    );
    let rows = table["settings"].as_array().unwrap();
    assert_eq!(rows.len(), PROGRAM.settings().count());
}

#[test]
fn the_version_is_one_line() {
    let Ok(Asked::Print(text)) = parse(&["-V"], &[]) else {
        panic!("no version");
    };
    assert_eq!(text, "psk-server 1.2.3\n");
}

const ID: Setting = Setting::operand("id", "ID", "which request").required();
const MORE: Setting = Setting::operand("more", "MORE", "what else");
const LEDGER: Setting = Setting::value("ledger", "FILE", "where it is");

static TOOL: Program = Program::tool(
    "mcbn",
    "1.2.3",
    "Says yes to a request.",
    &[ID, MORE, LEDGER],
)
.under("keeper approve", &[&[LISTEN, IDLE]]);

type Typed = (String, Option<String>, Option<String>);

fn tool(arguments: &[&str], variables: &[(&str, &str)]) -> Result<Asked<Typed>, Faults> {
    let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    let variables = variables.iter().map(|(n, v)| (n.into(), v.into()));
    TOOL.parse(arguments, variables, |given| {
        let id = given.one(&ID);
        let more = given.optional(&MORE);
        let ledger = given.optional(&LEDGER);
        Ok((id?, more?, ledger?))
    })
}

#[test]
fn operands_stand_anywhere_and_are_taken_in_order() {
    for arguments in [
        &["a", "b", "--ledger", "l"][..],
        &["a", "--ledger=l", "b"],
        &["--ledger", "l", "--", "a", "b"],
    ] {
        match tool(arguments, &[]) {
            Ok(Asked::Run((id, more, ledger))) => {
                let all = [Some(id), more, ledger].map(Option::unwrap);
                assert_eq!(all, ["a", "b", "l"]);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_missing_operand_and_one_too_many_are_refused() {
    let hint = "mcbn: hint: mcbn keeper approve --help lists every flag and variable";
    assert_eq!(
        lines(tool(&["--more"], &[("MCBN_ID", "x")]).unwrap_err()),
        [
            "mcbn: error: unknown flag --more",
            "mcbn: error: unknown variable MCBN_ID",
            "mcbn: error: ID is required",
            hint
        ]
    );
    assert_eq!(
        lines(tool(&["", "b", "c"], &[]).unwrap_err()),
        [
            "mcbn: error: ID is empty",
            "mcbn: error: an argument that belongs to no flag; it is not repeated here, since it could be a secret",
            hint
        ]
    );
}

#[test]
fn an_operand_that_may_be_repeated_takes_all_that_are_left() {
    const NAME: Setting = Setting::operand("name", "NAME", "whose").repeat();
    static TOOL: Program = Program::tool("mcbn", "1.2.3", "…", &[ID, NAME]);
    let names = |arguments: &[&str]| {
        let arguments: Vec<_> = arguments.iter().map(Into::into).collect();
        TOOL.parse(arguments, [], |given| {
            let id = given.one::<String>(&ID);
            let names = given.all::<String>(&NAME);
            Ok((id?, names?))
        })
    };
    for (arguments, expected) in [
        (&["i"][..], &[][..]),
        (&["i", "a"], &["a"]),
        (&["i", "a", "b", "a"], &["a", "b", "a"]),
    ] {
        match names(arguments) {
            Ok(Asked::Run((id, names))) => {
                assert_eq!(id, "i");
                assert_eq!(names, expected);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        lines(names(&["i", "a", "", "b"]).unwrap_err()),
        [
            "mcbn: error: NAME is empty",
            "mcbn: hint: mcbn --help lists every flag and variable"
        ]
    );
    let Ok(Asked::Print(help)) = names(&["--help"]) else {
        panic!("no help");
    };
    assert!(
        help.contains("Usage: mcbn [SETTING]... ID [NAME...]\n"),
        "{help}"
    );
    assert!(help.contains("\n  NAME\n        whose\n"), "{help}");
}

#[test]
fn a_variable_of_a_program_beside_it_is_passed_over() {
    let set = [
        ("MCBN_LISTEN", "x"),
        ("MCBN_IDLE_TIMEOUT", "x"),
        ("MCBN_LOG_LEVEL", "x"),
    ];
    assert!(tool(&["a"], &set).is_ok());
    // Its own flags are not those of the others.
    assert!(tool(&["a", "--listen", "x"], &[]).is_err());
    assert!(tool(&["a"], &[("MCBN_SHARE", "x")]).is_err());
}

#[test]
fn the_help_of_a_command_shows_its_words_and_operands() {
    let Ok(Asked::Print(help)) = tool(&["--help"], &[]) else {
        panic!("no help");
    };
    for part in [
        "\nUsage: mcbn keeper approve [SETTING]... ID [MORE]\n",
        "\n  ID\n        which request; required\n",
        "\n  --ledger FILE  [MCBN_LEDGER]\n",
    ] {
        assert!(help.contains(part), "{help}");
    }
    assert!(!help.contains("--log-level"), "{help}");
    let Ok(Asked::Print(table)) = tool(&["--settings"], &[]) else {
        panic!("no table");
    };
    assert!(!table.contains("MCBN_ID"), "{table}");
}
