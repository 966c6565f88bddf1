use super::*;
use crate::settings::{Asked, Given, Reported, Setting};

const fn program(command: &'static str, about: &'static str) -> Program {
    Program::tool("mcbn", "1.2.3", about, &[]).under(command, &[])
}

static RUN: Program = program("keeper run", "Hands out a share.");
static LIST: Program = program("keeper list", "Shows what is asked for.");
static LOG: Program = program("keeper log", "Shows the ledger.");
static VERIFY: Program = program("keeper log verify", "Checks the ledger.");
static NEW: Program = program("share new", "Makes a share.");

const fn command(program: &'static Program) -> Command {
    Command {
        program,
        main: || ExitCode::SUCCESS,
    }
}

static SUITE: Suite = Suite {
    name: "mcbn",
    version: "1.2.3",
    about: "What a participant runs.",
    default: None,
    commands: &[
        command(&RUN),
        command(&LIST),
        command(&LOG),
        command(&VERIFY),
        command(&NEW),
    ],
};

fn called(arguments: &[&str]) -> Called {
    SUITE.called(arguments.iter().map(Into::into))
}

#[track_caller]
fn calls(arguments: &[&str], program: &'static Program) {
    calls_of(&SUITE, arguments, program);
}

#[track_caller]
fn calls_of(suite: &Suite, arguments: &[&str], program: &'static Program) {
    match suite.called(arguments.iter().map(Into::into)) {
        Called::Command(command) => assert!(std::ptr::eq(command.program, program)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_command_is_called_by_its_words_and_reads_the_rest() {
    calls(&["keeper", "run"], &RUN);
    calls(&["keeper", "run", "--help"], &RUN);
    calls(&["keeper", "list", "keeper", "run"], &LIST);
    calls(&["keeper", "log"], &LOG);
    calls(&["keeper", "log", "--json"], &LOG);
    calls(&["keeper", "log", "verify"], &VERIFY);
    calls(&["keeper", "log", "verified"], &LOG);
    calls(&["share", "new", "--out", "x"], &NEW);
}

#[test]
fn help_lists_the_commands_that_begin_so() {
    let Called::Print(all) = called(&["--help"]) else {
        panic!("no help");
    };
    assert_eq!(
        all,
        "mcbn 1.2.3\nWhat a participant runs.\n\nUsage: mcbn COMMAND [SETTING]...\n\n\
         mcbn COMMAND --help lists the settings of a command.\n\n  \
         keeper run\n        Hands out a share.\n\n  \
         keeper list\n        Shows what is asked for.\n\n  \
         keeper log\n        Shows the ledger.\n\n  \
         keeper log verify\n        Checks the ledger.\n\n  \
         share new\n        Makes a share.\n\n  \
         -h, --help\n        print this help, and exit\n\n  \
         -V, --version\n        print the version, and exit\n"
    );
    let Called::Print(keeper) = called(&["keeper", "-h"]) else {
        panic!("no help");
    };
    assert!(keeper.contains("keeper list") && !keeper.contains("share new"));
    assert!(matches!(called(&["-V"]), Called::Print(text) if text == "mcbn 1.2.3\n"));
}

#[test]
fn words_that_call_nothing_are_refused() {
    let refused = |arguments: &[&str]| match called(arguments) {
        Called::Mistake(mistake) => mistake,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&[]), Mistake::Nothing);
    assert_eq!(refused(&["keeper"]), Mistake::Nothing);
    for unknown in [
        &["run"][..],
        &["keeper", "runs"],
        &["keeper run"],
        &["--log-level", "info", "keeper", "run"],
        &["", "keeper"],
    ] {
        assert_eq!(refused(unknown), Mistake::Unknown, "{unknown:?}");
    }
    let mut out = Vec::new();
    assert_eq!(SUITE.report(Mistake::Nothing, &mut out), Exit::Usage);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "mcbn: error: a command is missing\nmcbn: hint: mcbn --help lists every command\n"
    );
}

const ROLE: Setting = Setting::value("role", "ROLE", "which end it is");
const OUT: Setting = Setting::value("out", "FILE", "the file that is made");

static CREATE: Program =
    Program::tool("tpm-psk", "1.2.3", "Makes a key.", &[OUT]).under("key create", &[&[ROLE]]);
static SHOW: Program =
    Program::tool("tpm-psk", "1.2.3", "Shows a key.", &[]).under("key show", &[&[ROLE]]);
static MAIN: Program = Program::new("tpm-psk", "1.2.3", "Speaks TLS.", &[ROLE], &[])
    .with_commands(&[command(&CREATE), command(&SHOW)]);

/// Of a program that needs no word.
static LED: Suite = Suite::of(command(&MAIN));

#[test]
fn a_program_with_commands_beside_it_needs_no_word() {
    for arguments in [
        &[][..],
        &["--role", "server"],
        &["--role", "key", "create"],
        &["--help"],
        &["-V"],
        &["--settings"],
        &["--", "key", "create"],
        &["--nonsense"],
    ] {
        calls_of(&LED, arguments, &MAIN);
    }
    calls_of(&LED, &["key", "create", "--out", "x"], &CREATE);
    calls_of(&LED, &["key", "show", "--help"], &SHOW);
}

#[test]
fn words_that_call_nothing_are_refused_beside_a_program_too() {
    let refused = |arguments: &[&str]| match LED.called(arguments.iter().map(Into::into)) {
        Called::Mistake(mistake) => mistake,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&["key"]), Mistake::Nothing);
    for unknown in [
        &["2c6f63f8c0f53a56"][..],
        &["key", "destroy"],
        &["key", "--role", "server"],
        &["keys", "create"],
        &["server", "--role"],
        &[""],
    ] {
        assert_eq!(refused(unknown), Mistake::Unknown, "{unknown:?}");
    }
    let Called::Print(help) = LED.called(["key".into(), "--help".into()]) else {
        panic!("no help");
    };
    assert!(help.contains("\n  key create\n"), "{help}");
}

fn parse(
    program: &'static Program,
    arguments: &[&str],
    variable: &str,
) -> Result<Asked<()>, String> {
    let read = |given: &mut Given| -> Result<(), Reported> {
        for row in program.settings() {
            given.is_given(row);
        }
        Ok(())
    };
    let arguments: Vec<OsString> = arguments.iter().map(Into::into).collect();
    let variables = [(variable.into(), "x".into())];
    program.parse(arguments, variables, read).map_err(|faults| {
        let mut out = Vec::new();
        faults.report(&mut out);
        String::from_utf8(out).unwrap()
    })
}

#[test]
fn a_command_passes_over_the_variables_of_the_program_beside_it() {
    for variable in [
        "MCBN_ROLE",
        "MCBN_LOG_LEVEL",
        "MCBN_ADMIN",
        "MCBN_DRAIN_TIMEOUT",
    ] {
        assert!(parse(&SHOW, &[], variable).is_ok(), "{variable}");
    }
    assert!(parse(&SHOW, &["--role", "x"], "PATH").is_err());
}

#[test]
fn a_variable_of_a_command_is_refused_by_the_program_beside_it() {
    assert!(parse(&MAIN, &[], "MCBN_ROLE").is_ok());
    let refused = parse(&MAIN, &[], "MCBN_OUT").unwrap_err();
    assert_eq!(
        refused,
        "tpm-psk: error: unknown variable MCBN_OUT\n\
         tpm-psk: hint: tpm-psk --help lists every flag and variable\n"
    );
}

#[test]
fn the_help_and_the_table_of_a_program_are_its_own_and_its_help_ends_with_the_commands() {
    let Ok(Asked::Print(help)) = parse(&MAIN, &["--help"], "PATH") else {
        panic!("no help");
    };
    let (begin, end) = help.split_once("print the version, and exit\n").unwrap();
    assert!(
        begin.starts_with(
            "tpm-psk 1.2.3\nSpeaks TLS.\n\nUsage: tpm-psk [SETTING]...\n       \
             tpm-psk COMMAND [SETTING]...\n\n"
        ),
        "{help}"
    );
    assert!(begin.contains("\n  --role ROLE  [MCBN_ROLE]\n"), "{help}");
    assert_eq!(
        end,
        "\nThe commands, each with settings of its own: tpm-psk COMMAND --help lists them.\n\n  \
         key create\n        Makes a key.\n\n  \
         key show\n        Shows a key.\n"
    );
    let Ok(Asked::Print(table)) = parse(&MAIN, &["--settings"], "PATH") else {
        panic!("no table");
    };
    assert!(
        table.contains("MCBN_ROLE") && !table.contains("MCBN_OUT"),
        "{table}"
    );
}
