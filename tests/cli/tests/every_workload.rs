//! What holds for the command line of every workload, whatever it does.

use mcbn_tests_cli::{Transcript, testdata};
use mcbn_tests_support::process::{contains, log};
use mcbn_tests_support::shares::PUBLISHED;
use mcbn_tests_support::workload;
use serde_json::Value;

const OK: i32 = 0;
const USAGE: i32 = 64;

/// Variables and arguments.
type Run<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Tells one scenario of each workload.
fn each(scenario: &'static str, tell: impl Fn(&mut Transcript)) {
    for (name, _) in workload::all() {
        let mut transcript = Transcript::new(&name, scenario);
        tell(&mut transcript);
        transcript.check();
    }
}

#[test]
fn help() {
    each("help", |transcript| {
        let long = transcript.run(&[], &["--help"]);
        long.expect_code(OK);
        assert_eq!(long.stderr(), "");
        // Whatever stands beside it.
        for other in [&["-h"][..], &["--unknown", "--help"]] {
            let ended = transcript.start(&[], other).end();
            assert_eq!(ended.stdout(), long.stdout());
        }
    });
}

#[test]
fn version() {
    each("version", |transcript| {
        let long = transcript.run(&[], &["--version"]);
        long.expect_code(OK);
        let short = transcript.start(&[], &["-V"]).end();
        assert_eq!(short.stdout(), long.stdout());
    });
}

/// Images are labelled from this table, and people read the help: both must tell the same.
#[test]
fn the_table_of_settings_has_what_the_help_has() {
    for (name, _) in workload::all() {
        let transcript = Transcript::new(&name, "settings");
        let table = transcript.start(&[], &["--settings"]).end();
        let help = transcript.start(&[], &["--help"]).end().stdout();
        table.expect_code(OK);
        let table: Value = serde_json::from_slice(&table.stdout).expect("it is JSON");
        assert_eq!(table["name"], name);
        let settings = table["settings"].as_array().expect("a list");
        assert!(!settings.is_empty());
        for setting in settings {
            let [flag, variable] =
                ["flag", "variable"].map(|key| setting[key].as_str().expect("text"));
            let line = help.lines().find(|line| {
                line.split_whitespace().next() == Some(flag)
                    && line.ends_with(&format!("[{variable}]"))
            });
            assert!(
                line.is_some(),
                "{name} --help says nothing of {flag} [{variable}]"
            );
        }
    }
}

#[test]
fn nothing_given() {
    each("nothing_given", |transcript| {
        transcript.run(&[], &[]).expect_code(USAGE);
    });
}

#[test]
fn an_unknown_flag_is_refused() {
    each("unknown_flag", |transcript| {
        transcript
            .run(&[], &["--log-levle=info"])
            .expect_code(USAGE);
        transcript.run(&[], &["--colour"]).expect_code(USAGE);
        transcript.run(&[], &["-x"]).expect_code(USAGE);
    });
}

#[test]
fn an_unknown_variable_of_ours_is_refused() {
    each("unknown_variable", |transcript| {
        let variables = [("MCBN_LOG_LEVLE", "info"), ("MCBN_COLOUR", "always")];
        transcript.run(&variables, &[]).expect_code(USAGE);
    });
}

#[test]
fn an_unknown_variable_of_others_is_none_of_our_business() {
    for (name, _) in workload::all() {
        let transcript = Transcript::new(&name, "other_variable");
        let with = transcript
            .start(&[("OTHER", "1"), ("LISTEN", "x")], &[])
            .end();
        let without = transcript.start(&[], &[]).end();
        assert_eq!(with.stderr(), without.stderr());
    }
}

#[test]
fn a_flag_and_a_variable_that_contradict_each_other_are_refused() {
    each("contradiction", |transcript| {
        let variables = [("MCBN_LOG_LEVEL", "debug")];
        let ended = transcript.run(&variables, &["--log-level=info"]);
        ended.expect_code(USAGE);
        assert!(ended.stderr().contains("contradict"), "{ended}");
    });
}

#[test]
fn several_mistakes_are_reported_at_once() {
    each("several_mistakes", |transcript| {
        let variables = [("MCBN_DRAIN_TIMEOUT", "soon"), ("MCBN_PORT", "1")];
        let arguments = [
            "--log-level=loud",
            "--log-level=quiet",
            "--admin=0.0.0.0:9000",
            "--help-me",
            "serve",
        ];
        let ended = transcript.run(&variables, &arguments);
        ended.expect_code(USAGE);
        let count = |word: &str| ended.stderr().matches(word).count();
        assert!(count("error: ") >= 6, "{ended}");
        assert_eq!(count("hint: "), 1, "{ended}");
    });
}

#[test]
fn a_flag_without_its_value_is_refused() {
    each("no_value", |transcript| {
        transcript
            .run(&[], &["--admin", "--log-level"])
            .expect_code(USAGE);
        transcript.run(&[], &["--admin="]).expect_code(USAGE);
        transcript
            .run(&[("MCBN_ADMIN", "")], &[])
            .expect_code(USAGE);
    });
}

/// A share that is pasted in any wrong place is refused, and does not come out again.
#[test]
fn a_secret_in_a_wrong_place_is_not_repeated() {
    let (_, secret) = PUBLISHED[0];
    for (name, _) in workload::all() {
        let transcript = Transcript::new(&name, "secret_in_a_wrong_place");
        let flag = format!("--{secret}");
        let value = format!("--log-level={secret}");
        let joined = format!("--log-level-{secret}=x");
        let variable = format!("MCBN_{secret}");
        let runs: [Run<'_>; 6] = [
            (&[], &[secret]),
            (&[], &[&flag]),
            (&[], &[&value]),
            (&[], &[&joined]),
            (&[(&variable, "1")], &[]),
            (&[("MCBN_ADMIN", secret)], &[]),
        ];
        for (variables, arguments) in runs {
            let ended = transcript.start(variables, arguments).end();
            ended.expect_code(USAGE);
            assert_eq!(ended.stdout(), "");
            assert!(!contains(&ended.stderr, &secret.as_bytes()[..8]), "{ended}");
            // Only errors for people: nothing was started.
            assert_eq!(log(&ended.stderr).count(), 0, "{ended}");
        }
    }
}

#[test]
fn every_transcript_is_of_a_workload() {
    let names: Vec<String> = workload::all().into_iter().map(|(name, _)| name).collect();
    for folder in std::fs::read_dir(testdata()).expect("the transcripts") {
        let folder = folder.expect("it can be listed").file_name();
        let folder = folder.to_str().expect("a plain name");
        assert!(names.iter().any(|name| name == folder), "testdata/{folder}");
    }
}
