//! The rules that every image keeps.

use std::fmt;

use mcbn_oci::image::Image;
use mcbn_oci::settings::Port;
use mcbn_oci::spec;
use mcbn_oci::tree::{self, Entry, Kind};

use crate::elf::{self, Weakness};
use crate::secrets::{self, Finding};

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    Entrypoint(Vec<String>),
    User(String),
    WorkingDirectory(String),
    /// The launcher fails on every other form than `N/tcp` and `N/udp`.
    Port(String),
    Created(String),
    /// A label of the launch policy is missing, or gives the operator more than it should.
    Policy {
        label: &'static str,
        found: Option<String>,
        expected: &'static str,
    },
    OverrideList(String),
    /// The tar holds something that its file list does not show.
    Form,
    NotAFile(String),
    Owner(String),
    Mode(String),
    /// A program beside the one that the image is for.
    SecondProgram(String),
    Program(Weakness),
    Secret {
        path: String,
        finding: Finding,
    },
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entrypoint(found) => {
                write!(
                    f,
                    "the entrypoint is {found:?}, it should be the image's program alone"
                )
            }
            Self::User(found) => {
                write!(
                    f,
                    "the user is {found:?}, it should be two numbers that are not 0"
                )
            }
            Self::WorkingDirectory(found) => {
                write!(f, "the working directory is {found:?}, it should be /")
            }
            Self::Port(found) => write!(f, "port {found:?} is not of the form 8443/tcp"),
            Self::Created(found) => write!(f, "the time of creation is {found}"),
            Self::Policy {
                label,
                found,
                expected,
            } => {
                write!(f, "label {label} is {found:?}, it should be {expected}")
            }
            Self::OverrideList(found) => {
                write!(f, "{found:?} is not a sorted comma list of variables")
            }
            Self::Form => f.write_str("the layer is not in its one form: it hides something"),
            Self::NotAFile(entry) => write!(f, "neither file nor directory: {entry}"),
            Self::Owner(entry) => write!(f, "not owned by 0:0: {entry}"),
            Self::Mode(entry) => write!(f, "not of mode 755 or 644: {entry}"),
            Self::SecondProgram(entry) => write!(f, "a second program: {entry}"),
            Self::Program(weakness) => write!(f, "the program: {weakness}"),
            Self::Secret { path, finding } => write!(f, "/{path}: {finding}"),
        }
    }
}

/// Every rule that `image` breaks.
pub fn breaches(image: &Image) -> Vec<Breach> {
    let mut found = runtime(image);
    found.extend(launch_policy(image));
    if !tree::is_canonical(&image.tar, &image.entries) {
        found.push(Breach::Form);
    }
    for entry in &image.entries {
        found.extend(file(image, entry));
        found.extend(
            secrets::findings(&entry.content)
                .into_iter()
                .map(|finding| Breach::Secret {
                    path: entry.path.clone(),
                    finding,
                }),
        );
    }
    if let Ok(program) = image.program() {
        found.extend(
            elf::weaknesses(&program.content)
                .into_iter()
                .map(Breach::Program),
        );
    }
    found
}

fn program_path(image: &Image) -> String {
    format!("/{}", image.name)
}

fn runtime(image: &Image) -> Vec<Breach> {
    let runtime = &image.config.config;
    let mut found = Vec::new();
    if runtime.entrypoint != [program_path(image)] || image.program().is_err() {
        found.push(Breach::Entrypoint(runtime.entrypoint.clone()));
    }
    let ids: Vec<Option<u32>> = runtime.user.split(':').map(|id| id.parse().ok()).collect();
    if !matches!(ids[..], [Some(1..), Some(1..)]) {
        found.push(Breach::User(runtime.user.clone()));
    }
    if runtime.working_dir != "/" {
        found.push(Breach::WorkingDirectory(runtime.working_dir.clone()));
    }
    for port in runtime.exposed_ports.keys() {
        if port.parse::<Port>().is_err() {
            found.push(Breach::Port(port.clone()));
        }
    }
    if image.config.created != spec::EPOCH {
        found.push(Breach::Created(image.config.created.clone()));
    }
    found
}

fn launch_policy(image: &Image) -> Vec<Breach> {
    let labels = &image.config.config.labels;
    let mut found = Vec::new();
    for (label, allowed, expected) in [
        (
            "tee.launch_policy.allow_cmd_override",
            &["false"][..],
            "false",
        ),
        ("tee.launch_policy.allow_capabilities", &["false"], "false"),
        ("tee.launch_policy.allow_cgroups", &["false"], "false"),
        ("tee.launch_policy.hardened_monitoring", &["none"], "none"),
        (
            "tee.launch_policy.log_redirect",
            &["never", "debugonly", "always"],
            "never, debugonly or always",
        ),
    ] {
        let value = labels.get(label);
        if !value.is_some_and(|value| allowed.contains(&value.as_str())) {
            found.push(Breach::Policy {
                label,
                found: value.cloned(),
                expected,
            });
        }
    }
    let mounts = "tee.launch_policy.allow_mount_destinations";
    if let Some(value) = labels.get(mounts) {
        let (found_value, expected) = (Some(value.clone()), "absent");
        found.push(Breach::Policy {
            label: mounts,
            found: found_value,
            expected,
        });
    }
    if let Some(list) = labels.get("tee.launch_policy.allow_env_override") {
        let names: Vec<&str> = list.split(',').collect();
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_uppercase())
                && name
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        };
        if !names.is_sorted() || !names.iter().all(is_name) {
            found.push(Breach::OverrideList(list.clone()));
        }
    }
    found
}

fn file(image: &Image, entry: &Entry) -> Vec<Breach> {
    let mut found = Vec::new();
    if (entry.uid, entry.gid) != (0, 0) {
        found.push(Breach::Owner(entry.to_string()));
    }
    match (entry.kind, entry.mode) {
        (Kind::Directory, 0o755) | (Kind::File, 0o644) => {}
        (Kind::File, 0o755) if format!("/{}", entry.path) == program_path(image) => {}
        (Kind::File, 0o755) => found.push(Breach::SecondProgram(entry.to_string())),
        (Kind::Other(_), _) => found.push(Breach::NotAFile(entry.to_string())),
        (Kind::File | Kind::Directory, _) => found.push(Breach::Mode(entry.to_string())),
    }
    found
}

#[cfg(test)]
mod tests {
    use mcbn_oci::assemble::{Recipe, assemble};
    use mcbn_oci::launch_policy::LogRedirect;
    use mcbn_oci::settings::Settings;

    use super::*;
    use crate::elf::sample::Program;

    fn sample() -> Image {
        let settings = r#"{"name":"sample","version":"1.2.3",
            "ports":["8443/tcp"],
            "settings":[{"variable":"SAMPLE_A","operator":true}]}"#;
        let recipe = Recipe {
            settings: Settings::parse(settings.as_bytes()).unwrap(),
            program: Program::hardened().bytes(),
            files: vec![("/etc/hosts".to_owned(), b"127.0.0.1 localhost\n".to_vec())],
            env: Vec::new(),
            source: "https://source.example".to_owned(),
            licenses: "Apache-2.0".to_owned(),
            log_redirect: LogRedirect::default(),
        };
        assemble(recipe).unwrap()
    }

    /// The breaches of the sample image after a change of it, as a user reads them.
    fn changed(change: impl FnOnce(&mut Image)) -> Vec<String> {
        let mut image = sample();
        change(&mut image);
        breaches(&image).iter().map(Breach::to_string).collect()
    }

    /// The breaches after a change of one entry. The tar keeps its bytes: that it no longer
    /// fits the list is the first breach.
    fn entry(path: &str, change: impl FnOnce(&mut Entry)) -> Vec<String> {
        let mut found = changed(|image| {
            let entry = image.entries.iter_mut().find(|entry| entry.path == path);
            change(entry.expect("the sample has this entry"));
        });
        assert_eq!(
            found.remove(0),
            "the layer is not in its one form: it hides something"
        );
        found
    }

    #[test]
    fn an_assembled_image_keeps_every_rule() {
        assert_eq!(changed(|_| {}), [""; 0]);
    }

    #[test]
    fn another_entrypoint_is_refused() {
        for entrypoint in [&[][..], &["/sample", "--debug"], &["/bin/sh"]] {
            let entrypoint: Vec<String> = entrypoint.iter().map(|&a| a.to_owned()).collect();
            let found = changed(|image| image.config.config.entrypoint = entrypoint.clone());
            let expected =
                format!("the entrypoint is {entrypoint:?}, it should be the image's program alone");
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn root_and_a_user_by_name_are_refused() {
        for user in [
            "",
            "0:0",
            "0:65532",
            "65532:0",
            "65532",
            "root",
            "nonroot:nonroot",
        ] {
            let found = changed(|image| image.config.config.user = user.to_owned());
            let expected = format!("the user is {user:?}, it should be two numbers that are not 0");
            assert_eq!(found, [expected]);
        }
    }

    #[test]
    fn a_port_that_the_launcher_refuses_is_refused() {
        for port in [
            "8443",
            "8443/TCP",
            "8443/sctp",
            "0/tcp",
            "08443/tcp",
            "1-2/tcp",
            "/tcp",
        ] {
            let found = changed(|image| {
                image
                    .config
                    .config
                    .exposed_ports
                    .insert(port.to_owned(), spec::Nothing {});
            });
            assert_eq!(
                found,
                [format!("port {port:?} is not of the form 8443/tcp")]
            );
        }
    }

    #[test]
    fn another_working_directory_and_time_are_refused() {
        let found = changed(|image| image.config.config.working_dir = "/tmp".to_owned());
        assert_eq!(found, ["the working directory is \"/tmp\", it should be /"]);
        let found = changed(|image| image.config.created = "2026-01-01T00:00:00Z".to_owned());
        assert_eq!(found, ["the time of creation is 2026-01-01T00:00:00Z"]);
    }

    #[test]
    fn a_policy_that_gives_the_operator_more_is_refused() {
        for (label, value) in [
            ("allow_cmd_override", "true"),
            ("allow_capabilities", "true"),
            ("allow_cgroups", "true"),
            ("hardened_monitoring", "all"),
            ("log_redirect", "sometimes"),
            ("allow_mount_destinations", "/etc"),
            ("allow_env_override", "SAMPLE_A,"),
            ("allow_env_override", "SAMPLE_B,SAMPLE_A"),
            ("allow_env_override", "*"),
        ] {
            let key = format!("tee.launch_policy.{label}");
            let found = changed(|image| {
                image
                    .config
                    .config
                    .labels
                    .insert(key.clone(), value.to_owned());
            });
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].contains(&format!("{value:?}")), "{found:?}");
        }
        let found = changed(|image| image.config.config.labels.clear());
        assert_eq!(found.len(), 5, "{found:?}");
    }

    #[test]
    fn a_mode_that_gives_more_is_refused() {
        for mode in [0o4755, 0o2755, 0o666, 0o777, 0o600, 0o444] {
            let found = entry("etc/hosts", |entry| entry.mode = mode);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(
                found[0].starts_with("not of mode 755 or 644: "),
                "{found:?}"
            );
        }
        let found = entry("etc/", |entry| entry.mode = 0o777);
        assert_eq!(found, ["not of mode 755 or 644: drwxrwxrwx 0:0 etc/"]);
    }

    #[test]
    fn another_owner_is_refused() {
        for (uid, gid) in [(65532, 0), (0, 65532)] {
            let found = entry("sample", |entry| (entry.uid, entry.gid) = (uid, gid));
            assert_eq!(
                found,
                [format!("not owned by 0:0: -rwxr-xr-x {uid}:{gid} sample")]
            );
        }
    }

    #[test]
    fn a_second_program_is_refused() {
        let found = entry("etc/hosts", |entry| entry.mode = 0o755);
        assert_eq!(found, ["a second program: -rwxr-xr-x 0:0 etc/hosts"]);
    }

    #[test]
    fn a_link_is_refused() {
        let found = entry("etc/hosts", |entry| entry.kind = Kind::Other(b'2'));
        assert_eq!(
            found,
            ["neither file nor directory: ?rw-r--r-- 0:0 etc/hosts"]
        );
    }

    #[test]
    fn a_key_in_a_file_is_refused() {
        let key = format!("-----{} PRIVATE KEY-----\nMIIBVgIBADANBgkqhkiG\n", "BEGIN");
        let found = entry("etc/hosts", |entry| entry.content = key.into_bytes());
        assert_eq!(found, ["/etc/hosts: a private key at byte 0"]);
    }

    #[test]
    fn a_weak_program_is_refused() {
        let mut weak = Program::hardened();
        weak.segments.remove(3);
        let found = entry("sample", |entry| entry.content = weak.bytes());
        assert_eq!(found, ["the program: no RELRO segment"]);
    }
}
