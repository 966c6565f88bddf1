//! The TPM2 access broker and resource manager of user space (tpm2-abrmd), over D-Bus.
//!
//! The message bus is asked once, for `CreateConnection()` of the broker: its answer brings one end of a socket, and
//! the bus is left. What that takes of the D-Bus protocol stands here, in some 400 lines. They were chosen over zbus 6.2.1
//! (9 more crates than the 155 of this one, whatever its features, an async runtime of its own among them) and over
//! rustbus 0.19.3 (9 more as well, four of them old releases of what is linked already): every participant trusts each
//! crate, and here are two method calls. libdbus and GLib are no choice for a static program.
//!
//! Threat: whoever owns the broker's name stands between this program and the TPM, as a wire does: the sessions of this
//! crate hold against one that listens. On the system bus only root and `tss` may own it; on a session bus every program
//! of the user may.

mod address;
mod conversation;
mod error;
mod message;

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::sockopt::socket_type;
use rustix::net::{SocketAddrUnix, SocketType};

use super::stream::dial;
use conversation::Conversation;
use error::NoConnection;
use message::{Call, Kind};

/// Which message bus the broker is on.
///
/// What the container needs, where the image runs as user 65532 and the bus's socket (`/run/dbus/system_bus_socket`) is
/// mounted into it:
/// - The host has a user of this number. dbus-daemon hangs up on one whom it does not know.
/// - The bus's policy lets it send to `com.intel.tss2.Tabrmd`. That of tpm2-abrmd lets root do so and the group `tss`; the
///   groups that count are the container's, so that it is started with the number that the host has for that one
///   (`--group-add`). Or the host's `/etc/dbus-1/system.d` has a file with a rule for this user:
///
///   ```xml
///   <busconfig>
///     <policy user="65532"><allow send_destination="com.intel.tss2.Tabrmd"/></policy>
///   </busconfig>
///   ```
/// - Nothing else: it owns no name, waits for no signal, and says nothing of who it is, so that the bus takes the kernel's
///   word, also where the container has a namespace of users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Bus {
    /// The machine's, where `DBUS_SYSTEM_BUS_ADDRESS` or else the specification says that it is.
    System,
    /// The user's, where `DBUS_SESSION_BUS_ADDRESS` says that it is.
    Session,
    /// Another, which listens in this socket.
    At(PathBuf),
}

/// How long the bus and the broker may take together. The bus may have to start the broker.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a broker is asked that has its name and serves nothing, and how long after each other. It takes its name
/// first, and the bus then gives it at once what it was started for.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_millis(100);

/// Asks the broker for a connection, over which commands and responses then pass as they are.
pub(super) fn connect(bus: &Bus, name: &str) -> io::Result<UnixStream> {
    let deadline = Instant::now() + PATIENCE;
    let stream = until_serving(PAUSE, || {
        let bus = dial_bus(bus, |variable| env::var_os(variable), deadline)?;
        ask(bus, name, deadline)
    })?;
    Ok(stream)
}

fn until_serving(
    pause: Duration,
    mut attempt: impl FnMut() -> Result<UnixStream, NoConnection>,
) -> Result<UnixStream, NoConnection> {
    for _ in 1..ATTEMPTS {
        match attempt() {
            Err(NoConnection::NotServing) => thread::sleep(pause),
            answer => return answer,
        }
    }
    attempt()
}

fn dial_bus(
    bus: &Bus,
    variable: impl Fn(&str) -> Option<OsString>,
    deadline: Instant,
) -> Result<UnixStream, NoConnection> {
    let mut refused = NoConnection::NoAddress(bus.clone());
    for socket in bus.sockets(variable) {
        let left = deadline.saturating_duration_since(Instant::now());
        match dial(&socket, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => refused = NoConnection::NoBus(bus.clone(), error),
        }
    }
    Err(refused)
}

impl Bus {
    /// Where it may be, likeliest first.
    fn sockets(&self, variable: impl Fn(&str) -> Option<OsString>) -> Vec<SocketAddrUnix> {
        let addresses = match self {
            Self::At(path) => return SocketAddrUnix::new(path).into_iter().collect(),
            Self::System => variable("DBUS_SYSTEM_BUS_ADDRESS").unwrap_or_else(|| {
                "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket"
                    .into()
            }),
            Self::Session => variable("DBUS_SESSION_BUS_ADDRESS").unwrap_or_default(),
        };
        address::sockets(addresses.as_encoded_bytes())
    }
}

/// The bus itself, under the name that every bus has.
const HELLO: Call<'_> = Call {
    destination: "org.freedesktop.DBus",
    path: "/org/freedesktop/DBus",
    interface: "org.freedesktop.DBus",
    member: "Hello",
};

/// The serial numbers of the two calls.
const HELLO_SERIAL: u32 = 1;
const CREATE_SERIAL: u32 = 2;

fn ask(bus: UnixStream, name: &str, deadline: Instant) -> Result<UnixStream, NoConnection> {
    let create = Call {
        destination: name,
        path: "/com/intel/tss2/Tabrmd/Tcti",
        interface: "com.intel.tss2.TctiTabrmd",
        member: "CreateConnection",
    };
    let calls = [HELLO.bytes(HELLO_SERIAL), create.bytes(CREATE_SERIAL)];
    let mut bus = Conversation::begin(bus, &calls, deadline)?;
    let mut is_taken = false;
    loop {
        let (message, descriptors) = match bus.hear() {
            // It hangs up on a user whom it does not know.
            Err(NoConnection::Lost(why)) if !is_taken && hung_up(&why) => {
                return Err(NoConnection::Rejected);
            }
            heard => heard?,
        };
        is_taken = true;
        match (message.kind, message.reply_to) {
            (Kind::Error, Some(HELLO_SERIAL | CREATE_SERIAL)) => {
                return Err(NoConnection::of(message));
            }
            (Kind::Return, Some(CREATE_SERIAL)) => return stream(descriptors),
            // The answer to the first call, and what the bus tells everyone.
            _ => {}
        }
    }
}

fn hung_up(why: &io::Error) -> bool {
    matches!(
        why.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
    )
}

fn stream(descriptors: Vec<OwnedFd>) -> Result<UnixStream, NoConnection> {
    let [descriptor] = <[OwnedFd; 1]>::try_from(descriptors)
        .map_err(|descriptors| NoConnection::Descriptors(descriptors.len()))?;
    match socket_type(&descriptor) {
        Ok(SocketType::STREAM) => Ok(descriptor.into()),
        _ => Err(NoConnection::NoSocket),
    }
}

/// As it stands in a TCTI.
impl fmt::Display for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("bus_type=system"),
            Self::Session => f.write_str("bus_type=session"),
            Self::At(path) => write!(f, "bus_path={}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::message::Message;
    use super::*;
    use std::error::Error as _;
    use std::io::{Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};

    const NAME: &str = "com.intel.tss2.Tabrmd";

    const GREETED: &str = "DATA\r\nOK 00112233445566778899aabbccddeeff\r\nAGREE_UNIX_FD\r\n";

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    /// A bus that has said all of this before it was asked.
    struct FakeBus {
        near: UnixStream,
        far: UnixStream,
    }

    impl FakeBus {
        fn saying(bytes: impl AsRef<[u8]>) -> Self {
            let (near, mut far) = UnixStream::pair().unwrap();
            far.write_all(bytes.as_ref()).unwrap();
            Self { near, far }
        }

        fn passing(self, bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> Self {
            message::tests::pass(&self.far, bytes, descriptors);
            self
        }

        fn ask(self, deadline: Instant) -> Result<UnixStream, NoConnection> {
            let answer = ask(self.near, NAME, deadline);
            drop(self.far);
            answer
        }

        fn refusal(self) -> NoConnection {
            self.ask(soon()).unwrap_err()
        }
    }

    #[test]
    fn a_connection_comes_with_the_answer() {
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let FakeBus { near, mut far } = FakeBus::saying(GREETED)
            .passing(&message::tests::answer(HELLO_SERIAL, 0), &[])
            .passing(&message::tests::signal(), &[])
            .passing(&message::tests::answer(CREATE_SERIAL, 1), &[ours.as_fd()]);
        drop(ours);
        let mut stream = ask(near, NAME, soon()).unwrap();

        stream.write_all(b"command").unwrap();
        drop(stream);
        let mut passed = String::new();
        theirs.read_to_string(&mut passed).unwrap();
        assert_eq!(passed, "command");

        let mut said = Vec::new();
        far.read_to_end(&mut said).unwrap();
        let greeting = b"\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";
        let said = said.strip_prefix(greeting).unwrap();
        let said = said.strip_prefix(&HELLO.bytes(HELLO_SERIAL)[..]).unwrap();
        assert_eq!(Message::parse(said).unwrap().kind, Kind::Other);
        for wanted in [NAME, "com.intel.tss2.TctiTabrmd", "CreateConnection"] {
            let wanted = wanted.as_bytes();
            assert!(said.windows(wanted.len()).any(|part| part == wanted));
        }
    }

    #[test]
    fn a_descriptor_of_another_message_is_no_answer() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let refused = FakeBus::saying(GREETED)
            .passing(&message::tests::answer(7, 1), &[ours.as_fd()])
            .passing(&message::tests::answer(CREATE_SERIAL, 0), &[])
            .refusal();
        assert!(
            matches!(refused, NoConnection::Descriptors(0)),
            "{refused:?}"
        );
    }

    #[test]
    fn an_answer_with_other_descriptors_is_refused() {
        let (one, two) = UnixStream::pair().unwrap();
        let (one, two) = (one.as_fd(), two.as_fd());
        for descriptors in [&[][..], &[one, two]] {
            let number = descriptors.len();
            let answer = message::tests::answer(CREATE_SERIAL, number);
            let refused = FakeBus::saying(GREETED)
                .passing(&answer, descriptors)
                .refusal();
            let is_named = matches!(refused, NoConnection::Descriptors(seen) if seen == number);
            assert!(is_named, "{refused:?}");
        }
        // More than there is room for, and fewer than was said.
        for (descriptors, number) in [(&[one; 5][..], 5), (&[one], 2)] {
            let answer = message::tests::answer(CREATE_SERIAL, number);
            let refused = FakeBus::saying(GREETED)
                .passing(&answer, descriptors)
                .refusal();
            assert!(matches!(refused, NoConnection::Garbled), "{refused:?}");
        }
    }

    #[test]
    fn a_descriptor_of_no_stream_socket_is_refused() {
        let (pipe, _end) = io::pipe().unwrap();
        let datagrams = std::os::unix::net::UnixDatagram::unbound().unwrap();
        for descriptor in [pipe.as_fd(), datagrams.as_fd()] {
            let refused = FakeBus::saying(GREETED)
                .passing(&message::tests::answer(CREATE_SERIAL, 1), &[descriptor])
                .refusal();
            assert!(matches!(refused, NoConnection::NoSocket), "{refused:?}");
        }
    }

    #[test]
    fn a_bus_that_does_not_take_the_user_is_refused() {
        for answer in ["REJECTED EXTERNAL\r\n", "DATA\r\nREJECTED EXTERNAL\r\n"] {
            let refused = FakeBus::saying(answer).refusal();
            assert!(matches!(refused, NoConnection::Rejected), "{refused:?}");
        }
        let FakeBus { near, far } = FakeBus::saying(GREETED);
        far.shutdown(std::net::Shutdown::Write).unwrap();
        let refused = ask(near, NAME, soon()).unwrap_err();
        assert!(matches!(refused, NoConnection::Rejected), "{refused:?}");
        let refused = FakeBus::saying("DATA\r\nOK 00\r\nERROR\r\n").refusal();
        assert!(matches!(refused, NoConnection::PassesNone), "{refused:?}");
    }

    #[test]
    fn an_error_of_the_bus_or_the_broker_is_named() {
        for (error, kind, text) in [
            (
                "org.freedesktop.DBus.Error.ServiceUnknown",
                io::ErrorKind::NotFound,
                "no broker has the name on the message bus",
            ),
            (
                "org.freedesktop.DBus.Error.AccessDenied",
                io::ErrorKind::PermissionDenied,
                "the message bus's policy does not let this user ask the broker",
            ),
            (
                "org.freedesktop.DBus.Error.UnknownMethod",
                io::ErrorKind::NotFound,
                "what has the broker's name on the message bus is no broker, or not yet",
            ),
            (
                "com.intel.tss2.Tabrmd.Error.Internal",
                io::ErrorKind::ConnectionRefused,
                r"the message bus or the broker refused: com.intel.tss2.Tabrmd.Error.Internal: too\nmany",
            ),
        ] {
            for serial in [HELLO_SERIAL, CREATE_SERIAL] {
                let bus = FakeBus::saying(GREETED)
                    .passing(&message::tests::error(serial, error, "too\nmany"), &[]);
                let refused = io::Error::from(bus.refusal());
                assert_eq!((refused.kind(), refused.to_string()), (kind, text.into()));
            }
        }
    }

    #[test]
    fn a_broker_is_waited_for_until_it_serves() {
        // Which of the attempts goes well, and how many there are.
        for (good, made) in [(1, 1), (3, 3), (10, 10), (11, 10)] {
            let mut attempts = 0;
            let answer = until_serving(Duration::ZERO, || {
                attempts += 1;
                match attempts == good {
                    true => Ok(UnixStream::pair().unwrap().0),
                    false => Err(NoConnection::NotServing),
                }
            });
            assert_eq!((answer.is_ok(), attempts), (good == made, made));
        }
        let mut attempts = 0;
        let answer = until_serving(Duration::ZERO, || {
            attempts += 1;
            Err(NoConnection::NoBroker)
        });
        assert!(matches!(answer, Err(NoConnection::NoBroker)));
        assert_eq!(attempts, 1);
    }

    #[test]
    fn what_is_no_bus_is_refused() {
        let long = vec![b'x'; 20_000];
        let mut large = message::tests::signal();
        large[4..8].copy_from_slice(&20_000u32.to_le_bytes());
        let mut foreign = message::tests::signal();
        foreign[0] = b'B';
        for (before, said) in [
            ("", long),
            (GREETED, large),
            (GREETED, foreign),
            (GREETED, b"HTTP/1.1 400 Bad Request\r\n".to_vec()),
        ] {
            let refused = FakeBus::saying([before.as_bytes(), &said].concat()).refusal();
            assert!(matches!(refused, NoConnection::Garbled), "{refused:?}");
        }
    }

    #[test]
    fn a_bus_that_breaks_off_is_refused() {
        let greeted = [GREETED.as_bytes(), &message::tests::signal()].concat();
        for said in [&b""[..], b"DATA\r\nOK", &greeted] {
            let FakeBus { near, far } = FakeBus::saying(said);
            far.shutdown(std::net::Shutdown::Write).unwrap();
            let refused = io::Error::from(ask(near, NAME, soon()).unwrap_err());
            assert_eq!(refused.kind(), io::ErrorKind::UnexpectedEof, "{said:?}");
            assert!(refused.source().is_some());
        }
    }

    #[test]
    fn silence_has_an_end() {
        for said in ["", "DATA\r\n", GREETED] {
            let refused = FakeBus::saying(said).ask(Instant::now() + Duration::from_millis(1));
            let refused = io::Error::from(refused.unwrap_err());
            assert_eq!(refused.kind(), io::ErrorKind::TimedOut, "{said}");
        }
    }

    #[test]
    fn talk_has_an_end() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let refused = FakeBus::saying(GREETED)
            .passing(&message::tests::answer(CREATE_SERIAL, 1), &[ours.as_fd()])
            .ask(Instant::now());
        let refused = io::Error::from(refused.unwrap_err());
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_bus_is_found_where_its_variable_says() {
        for (bus, variable) in [
            (Bus::System, "DBUS_SYSTEM_BUS_ADDRESS"),
            (Bus::Session, "DBUS_SESSION_BUS_ADDRESS"),
        ] {
            let (listener, name) = crate::transport::stream::tests::listener(1);
            let name = str::from_utf8(name.abstract_name().unwrap()).unwrap();
            let addresses = format!("unix:path=/nowhere/bus;unix:abstract={name},guid=00");
            let value = |asked: &str| (asked == variable).then(|| addresses.clone().into());
            let found = dial_bus(&bus, value, soon()).unwrap();
            drop(rustix::net::accept(&listener).unwrap());
            drop(found);
        }
    }

    #[test]
    fn a_bus_that_is_nowhere_is_refused() {
        let missing = env::temp_dir().join("there is no such bus");
        let at = |bus: Bus, addresses: Option<&str>| {
            let refused = dial_bus(&bus, |_| addresses.map(OsString::from), soon());
            io::Error::from(refused.unwrap_err())
        };
        for (refused, kind, text) in [
            (
                at(Bus::Session, None),
                io::ErrorKind::NotFound,
                "DBUS_SESSION_BUS_ADDRESS has no Unix socket of a message bus".to_owned(),
            ),
            (
                at(Bus::System, Some("tcp:host=localhost,port=1")),
                io::ErrorKind::NotFound,
                "DBUS_SYSTEM_BUS_ADDRESS has no Unix socket of a message bus".to_owned(),
            ),
            (
                at(Bus::At("x".repeat(200).into()), None),
                io::ErrorKind::NotFound,
                "the path of the message bus is too long for a socket".to_owned(),
            ),
            (
                at(Bus::At(missing.clone()), None),
                io::ErrorKind::NotFound,
                format!("no message bus answers (bus_path={})", missing.display()),
            ),
        ] {
            assert_eq!((refused.kind(), refused.to_string()), (kind, text));
        }
    }
}
