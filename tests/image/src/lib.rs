//! Images as they run: unpacked by umoci, started by runc as their own user on a read-only root, in the host's network
//! as on Confidential Space.

#![forbid(unsafe_code)]

mod host;

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use mcbn_tests_support::confidential_space::Machine;
use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::google_cloud::NAME;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::shares::PUBLISHED;
use rustix::process::Signal;
use serde_json::{Value, json};

pub use host::Images;

/// The user that every image names.
pub const USER: u32 = 65532;

/// Where a container finds the shares.
const SHARES: &str = "/shares";

/// Where the launcher puts its socket.
const LAUNCHER: &str = "/run/container_launcher";

/// Where a container on a machine finds the files that it was given.
pub const FILES: &str = "/files";

/// A running container. Its end is that of runc, which forwards signals.
pub struct Container {
    name: String,
    process: Process,
    folder: Folder,
}

impl Container {
    /// Starts the image with the published shares and these variables.
    pub fn start(image: &str, variables: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let shares = folder.path().join("shares");
        fs::create_dir(&shares).expect("a new folder");
        for (name, share) in PUBLISHED {
            let path = folder.file(name, share);
            let seen = shares.join(name);
            fs::rename(path, &seen).expect("the same disk");
            give(&seen);
        }
        let setting = share_setting();
        let variables = [variables, &[("MCBN_SHARE", &setting)]].concat();
        Self::start_in(folder, image, &variables, &[(&shares, SHARES)])
    }

    /// Starts the image on this machine with these variables. It sees the launcher's socket, copies of these files in
    /// [`FILES`], and what a machine gives every container: a resolver, and the addresses of some names.
    pub fn start_on(
        machine: &Machine,
        image: &str,
        variables: &[(&str, &str)],
        files: &[(&str, &Path)],
    ) -> Self {
        let launcher = machine.socket().parent().expect("a socket is in a folder");
        // The image's user is not the launcher's.
        fs::set_permissions(launcher, Permissions::from_mode(0o755)).expect("it is ours");
        let folder = Folder::new();
        let copies = folder.path().join("files");
        fs::create_dir(&copies).expect("a new folder");
        give(&copies);
        for (name, path) in files {
            let copy = copies.join(name);
            fs::copy(path, &copy).expect("the disk has room");
            give(&copy);
        }
        let readable = |name: &str, text: &str| folder.file_with_mode(name, text, 0o444);
        // In both families: what is not here is asked of the resolver.
        let hosts = format!("127.0.0.1 localhost {NAME}\n::1 localhost {NAME}\n");
        let hosts = readable("hosts", &hosts);
        let resolver = readable("resolv.conf", "nameserver 127.0.0.1\n");
        let seen = [
            (launcher, LAUNCHER),
            (&copies, FILES),
            (&hosts, "/etc/hosts"),
            (&resolver, "/etc/resolv.conf"),
        ];
        Self::start_in(folder, image, variables, &seen)
    }

    /// Unpacks the image and starts it with these variables and nothing else, in a place of its own. It sees these
    /// folders, files and sockets of the host, each there where its second path says.
    pub fn start_in(
        folder: Folder,
        image: &str,
        variables: &[(&str, &str)],
        seen: &[(&Path, &str)],
    ) -> Self {
        let bundle = folder.path().join("bundle");
        let unpacked = peer("umoci")
            .arg("unpack")
            .args((!is_root()).then_some("--rootless"))
            .arg("--image")
            .arg(format!("{}:{image}", layout(image).display()))
            .arg(&bundle)
            .output()
            .expect("umoci starts");
        assert!(unpacked.status.success(), "umoci: {unpacked:?}");

        let path = bundle.join("config.json");
        let config = fs::read(&path).expect("umoci writes it");
        let config = serde_json::from_slice(&config).expect("umoci writes JSON");
        let config = confined(config, seen, variables);
        fs::write(&path, config.to_string()).expect("the disk has room");

        // Names are the host's: no two containers may have one.
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("mcbn-{image}-{}-{number}", std::process::id());
        let mut command = peer("runc");
        command
            .arg("--root")
            .arg(folder.path().join("state"))
            .args(["run", "--bundle"])
            .arg(&bundle)
            .arg(&name);
        let process = Process::start(command);
        Self {
            name,
            process,
            folder,
        }
    }

    pub fn process(&self) -> &Process {
        &self.process
    }

    /// The number of the program's process, as the host counts.
    pub fn pid(&self) -> u32 {
        let state = self
            .folder
            .path()
            .join("state")
            .join(&self.name)
            .join("state.json");
        let state: Value =
            serde_json::from_slice(&fs::read(state).expect("runc keeps it")).expect("JSON");
        let pid = state["init_process_pid"].as_u64().expect("a number");
        u32::try_from(pid).expect("a process")
    }

    pub fn into_process(self) -> (Process, Folder) {
        (self.process, self.folder)
    }

    /// Its program is the images' user, who may do nothing that others may not.
    #[track_caller]
    pub fn expect_confined(&self) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("it runs");
        let field = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name));
            line.expect("Linux says so")
                .split_whitespace()
                .skip(1)
                .collect::<Vec<_>>()
                .join(" ")
        };
        let user = if is_root() {
            USER
        } else {
            rustix::process::geteuid().as_raw()
        }
        .to_string();
        assert_eq!(field("Uid:"), [user.as_str(); 4].join(" "));
        assert_eq!(field("CapEff:"), "0000000000000000");
        assert_eq!(field("NoNewPrivs:"), "1");
    }

    /// It ends as whoever stops a container expects.
    pub fn stop(self) {
        let (process, _folder) = self.into_process();
        process.signal(Signal::TERM);
        process.end().expect_code(0);
    }
}

/// The image's layout, as Bazel hands it over: `IMAGES` is a list of NAME=PATH.
fn layout(image: &str) -> PathBuf {
    let list = std::env::var("IMAGES").expect("run by Bazel, which builds the images");
    let path = list
        .split_whitespace()
        .filter_map(|entry| entry.split_once('='))
        .find_map(|(name, path)| (name == image).then_some(path))
        .unwrap_or_else(|| panic!("there is no image {image}"));
    std::path::absolute(path).expect("there is a working folder")
}

/// What the image's layout says is its digest.
pub fn digest(image: &str) -> String {
    let index = fs::read(layout(image).join("index.json")).expect("a layout has it");
    let index: Value = serde_json::from_slice(&index).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str();
    digest.expect("an image").to_owned()
}

/// umoci's settings, made narrower: a read-only root, no capability, no mount but what runc needs; and the host's
/// network.
fn confined(mut config: Value, seen: &[(&Path, &str)], variables: &[(&str, &str)]) -> Value {
    let process = &mut config["process"];
    if is_root() {
        assert_eq!(process["user"]["uid"], USER, "the image names its user");
    } else {
        process["user"] = json!({"uid": 0, "gid": 0});
    }
    process["terminal"] = json!(false);
    process["capabilities"] = json!({});
    process["env"] = variables
        .iter()
        .map(|(name, value)| json!(format!("{name}={value}")))
        .collect();
    config["root"]["readonly"] = json!(true);
    let mut mounts = vec![
        json!({"destination": "/proc", "type": "proc", "source": "proc"}),
        json!({"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]}),
    ];
    mounts.extend(seen.iter().map(|(of_host, seen)| {
        json!({"destination": seen, "type": "bind", "source": of_host, "options": ["bind", "ro"]})
    }));
    config["mounts"] = mounts.into();
    let linux = &mut config["linux"];
    let mut namespaces = vec!["pid", "ipc", "uts", "mount"];
    if !is_root() {
        namespaces.push("user");
        let only = |own: u32| json!([{"containerID": 0, "hostID": own, "size": 1}]);
        linux["uidMappings"] = only(rustix::process::geteuid().as_raw());
        linux["gidMappings"] = only(rustix::process::getegid().as_raw());
    }
    linux["namespaces"] = namespaces
        .iter()
        .map(|kind| json!({"type": kind}))
        .collect();
    config
}

/// Gives a file of the host to the user of the images, where that is another one.
pub fn give(path: &Path) {
    if is_root() {
        std::os::unix::fs::chown(path, Some(USER), Some(USER)).expect("root may");
    }
}

/// Whether containers can run as another user. Where not, they run as this one, whom they take for root: all else is
/// the same.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn share_setting() -> String {
    PUBLISHED
        .map(|(name, _)| format!("{name}=file:{SHARES}/{name}"))
        .join(",")
}

/// The address on which a workload says that it listens.
pub fn listening(container: &Container) -> SocketAddr {
    let event = container.process().wait_for_message("listening");
    let address = event["address"].as_str().expect("an address");
    address.parse().expect("an address")
}
