//! The labels by which an image tells the Confidential Space launcher what its operator may
//! change. The launcher refuses a launch that goes beyond them, and they are part of the image's
//! digest, so a participant who has checked the digest has checked them.
//!
//! Every label with a bearing on production is written, also where it equals the launcher's
//! default today: a default can change, a label in a pinned image cannot.
//!
//! | label | value | why |
//! |---|---|---|
//! | `allow_cmd_override` | `false` | arguments stay those that were audited: none |
//! | `allow_env_override` | the operator's variables | made from the program's own table |
//! | `log_redirect` | `debugonly` | the operator reads what is redirected; a line may opt out |
//! | `allow_capabilities` | `false` | the program needs none |
//! | `allow_cgroups` | `false` | a writable cgroup namespace is of no use to it |
//! | `hardened_monitoring` | `none` | memory use over time is a side channel |
//!
//! Left out on purpose: `allow_mount_destinations` (absent means no mount at all, and no value
//! says that), `debug_monitoring` (a policy that pins a digest refuses debug images anyway) and
//! `monitoring_memory_allow` (the launcher refuses it beside its successor above).

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::settings::Settings;

const PREFIX: &str = "tee.launch_policy.";

/// When the launcher may send the program's output to where the operator reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogRedirect {
    Never,
    #[default]
    DebugOnly,
    Always,
}

impl LogRedirect {
    pub const CHOICES: &str = "never, debugonly or always";

    fn value(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::DebugOnly => "debugonly",
            Self::Always => "always",
        }
    }
}

impl FromStr for LogRedirect {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Never, Self::DebugOnly, Self::Always]
            .into_iter()
            .find(|choice| choice.value() == text)
            .ok_or(())
    }
}

/// The launch policy of a program with these settings.
pub fn labels(settings: &Settings, log_redirect: LogRedirect) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    let mut label = |name: &str, value: &str| {
        labels.insert(format!("{PREFIX}{name}"), value.to_owned());
    };
    label("allow_cmd_override", "false");
    label("allow_capabilities", "false");
    label("allow_cgroups", "false");
    label("hardened_monitoring", "none");
    label("log_redirect", log_redirect.value());
    if !settings.operator_variables.is_empty() {
        let variables: Vec<&str> = settings
            .operator_variables
            .iter()
            .map(String::as_str)
            .collect();
        label("allow_env_override", &variables.join(","));
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &str) -> Settings {
        let json = format!(
            r#"{{"name":"psk-server","version":"0.1.0","ports":[],"settings":[{variables}]}}"#
        );
        Settings::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn what_the_operator_may_set_is_listed_in_order_and_nothing_else() {
        let labels = labels(
            &settings(
                r#"{"variable":"Z","operator":true},{"variable":"B","operator":false},
                   {"variable":"A_1","operator":true}"#,
            ),
            LogRedirect::default(),
        );
        let lines: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            lines,
            [
                "tee.launch_policy.allow_capabilities=false",
                "tee.launch_policy.allow_cgroups=false",
                "tee.launch_policy.allow_cmd_override=false",
                "tee.launch_policy.allow_env_override=A_1,Z",
                "tee.launch_policy.hardened_monitoring=none",
                "tee.launch_policy.log_redirect=debugonly",
            ]
        );
    }

    #[test]
    fn a_program_without_operator_variables_allows_none() {
        let labels = labels(&settings(""), LogRedirect::Always);
        assert!(!labels.contains_key("tee.launch_policy.allow_env_override"));
        assert_eq!(labels["tee.launch_policy.log_redirect"], "always");
    }

    #[test]
    fn a_redirect_that_the_launcher_does_not_know_is_refused() {
        assert_eq!("always".parse(), Ok(LogRedirect::Always));
        assert_eq!("Always".parse::<LogRedirect>(), Err(()));
        assert_eq!("".parse::<LogRedirect>(), Err(()));
    }
}
