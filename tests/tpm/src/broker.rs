//! The resource manager of user space, `tpm2-abrmd`, on a message bus of the test's own.

use std::path::PathBuf;
use std::process::Command;

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use mcbn_tests_support::swtpm::Swtpm;
use rustix::process::Signal;

/// The name under which it is asked for.
pub const NAME: &str = "com.intel.tss2.Tabrmd";

/// The socket of the bus.
const SOCKET: &str = "bus";

/// A message bus with nobody on it. It is killed when it is dropped.
pub struct Bus {
    _process: Process,
    folder: Folder,
}

impl Bus {
    /// One on which all is allowed.
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// The same, with further rules of its policy.
    pub fn start_with(rules: &str) -> Self {
        Self::start_in(Folder::for_a_socket(SOCKET), rules)
    }

    /// The same, which starts a broker before this TPM when one is asked for. That one ends with the bus.
    pub fn start_for(tpm: &Swtpm) -> Self {
        let folder = Folder::for_a_socket(SOCKET);
        let broker = broker(tpm);
        let words = std::iter::once(broker.get_program()).chain(broker.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        let service = format!("[D-BUS Service]\nName={NAME}\nExec={}\n", words.join(" "));
        folder.file(&format!("{NAME}.service"), service);
        Self::start_in(folder, "")
    }

    fn start_in(folder: Folder, rules: &str) -> Self {
        let address = format!("unix:path={}", folder.path().join(SOCKET).display());
        let config = folder.file(
            "bus.conf",
            format!(
                r#"<busconfig>
  <type>session</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  <servicedir>{}</servicedir>
  <policy context="default">
    <allow own="*"/>
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    {rules}
  </policy>
</busconfig>
"#,
                folder.path().display()
            ),
        );
        let mut command = peer("dbus-daemon");
        command
            .args(["--nofork", "--nopidfile", "--print-address"])
            .arg(format!("--config-file={}", config.display()));
        let process = Process::start(command);
        process.wait_for_stdout(format!("{address},guid="));
        Self {
            _process: process,
            folder,
        }
    }

    /// How `lib/tpm` is told to use the broker on it.
    pub fn tcti(&self) -> String {
        format!("tabrmd:bus_path={}", self.socket().display())
    }

    /// How other programs are told of it.
    pub fn address(&self) -> String {
        format!("unix:path={}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }
}

/// A resource manager that serves, before a TPM of its own. All are killed when it is dropped.
pub struct Broker {
    // In the order in which they go.
    process: Option<Process>,
    bus: Bus,
    tpm: Swtpm,
}

impl Broker {
    pub fn start() -> Self {
        Self::start_on(Bus::start())
    }

    pub fn start_on(bus: Bus) -> Self {
        let mut new = Self {
            process: None,
            bus,
            tpm: Swtpm::start(),
        };
        new.start_again();
        new
    }

    /// Starts one where the one before was killed.
    ///
    /// # Panics
    ///
    /// Where it runs already.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "the broker runs already");
        let mut command = broker(&self.tpm);
        command
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            // Otherwise it does not say when it has its name.
            .env("G_MESSAGES_DEBUG", "all");
        let process = Process::start(command);
        // It serves a moment later, and says nothing then; `lib/tpm` waits for that.
        process.wait_for_stdout(format!("on_name_acquired: {NAME}"));
        self.process = Some(process);
    }

    /// How `lib/tpm` is told to use it.
    pub fn tcti(&self) -> String {
        self.bus.tcti()
    }

    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Takes it away without notice. The TPM and the bus stay.
    pub fn kill(&mut self) {
        let process = self.process.take().expect("the broker runs");
        process.signal(Signal::KILL);
        process.end();
    }
}

fn broker(tpm: &Swtpm) -> Command {
    let mut command = peer("tpm2-abrmd");
    command
        // A test's user may be root, within its own namespace or not.
        .args(["--session", "--allow-root"])
        .arg(format!("--tcti={}", tpm.tcti()));
    command
}
