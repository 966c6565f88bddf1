//! The demonstration, with the real images: what runs is what the manifest names.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use mcbn_tests_demo::scenes::{Digests, Play};
use mcbn_tests_demo::{Host, Running, Variables};
use mcbn_tests_image::{Container, digest};
use mcbn_tests_support::confidential_space::Machine;
use mcbn_tests_support::folder::Folder;

/// Where the launcher puts its socket.
const LAUNCHER: &str = "/run/container_launcher";

struct Images;

impl Host for Images {
    fn start(&self, name: &str, machine: Machine, variables: &Variables) -> Running {
        let variables: Vec<(&str, &str)> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let launcher = machine.socket().parent().expect("a socket is in a folder");
        // The image's user is not the launcher's.
        fs::set_permissions(launcher, Permissions::from_mode(0o755)).expect("it is ours");
        let container =
            Container::start_in(Folder::new(), name, &variables, &[(launcher, LAUNCHER)]);
        let (process, folder) = container.into_process();
        Running {
            process,
            kept: Box::new((machine, folder)),
        }
    }
}

#[test]
fn consent_is_given_to_the_images_that_the_manifest_names_and_withdrawn() {
    let digests = Digests {
        server: digest("psk-server"),
        client: digest("psk-client"),
    };
    Play::begin(&Images, digests, &mut |_| {}).play();
}
