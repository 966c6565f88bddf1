//! Images as what plays a part in the scenes of others.

use std::path::PathBuf;

use mcbn_tests_demo::{Host, Running, Variables};
use mcbn_tests_support::confidential_space::Machine;

use crate::{Container, FILES};

/// Containers, which know each file of the host by another path.
pub struct Images;

impl Host for Images {
    fn start(&self, name: &str, machine: Machine, variables: &Variables) -> Running {
        let mut variables = variables.clone();
        let root = variables.get_mut("SSL_CERT_FILE");
        let root = root.map(|path| std::mem::replace(path, format!("{FILES}/root.pem")));
        let root = root.map(PathBuf::from);
        let files: Vec<_> = root
            .iter()
            .map(|path| ("root.pem", path.as_path()))
            .collect();
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let container = Container::start_on(&machine, name, &variables, &files);
        let (process, folder) = container.into_process();
        Running {
            process,
            kept: Box::new((machine, folder)),
        }
    }
}
