//! The way to a TPM: one command goes, one response comes.
//!
//! Upstream's library looks for its ways (TCTIs) among the machine's plug-ins; a static program has none, so these are
//! the project's own. Each takes the same words as upstream's, so that what is set for other tools can be set here.

mod device;
mod stream;
mod tabrmd;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use rustix::net::SocketAddrUnix;
use zeroize::Zeroizing;

use device::Device;
use stream::{Stream, dial};
pub use tabrmd::Bus;

/// One exchange at a time. What passes may hold secrets where a session does not encrypt them.
pub trait Transport: Send {
    /// Sends a whole command.
    fn transmit(&mut self, command: &[u8]) -> io::Result<()>;

    /// Waits for the whole response, so long at most.
    fn receive(&mut self, limit: Duration) -> io::Result<Zeroizing<Vec<u8>>>;
}

/// The most bytes of a command or a response (`TPM2_MAX_RESPONSE_SIZE`).
pub(crate) const LARGEST: usize = 4096;

/// Which TPM, and how it is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tcti {
    /// `device:/dev/tpmrm0`: the kernel's. `/dev/tpmrm0` has the kernel's resource manager, `/dev/tpm0` has none.
    Device(PathBuf),
    /// `swtpm:host=127.0.0.1,port=2321` or `swtpm:path=/run/swtpm.sock`: the data channel of a software TPM.
    Swtpm(Endpoint),
    /// `tabrmd:bus_type=system,bus_name=com.intel.tss2.Tabrmd`: the resource manager of user space, over D-Bus. Where no
    /// variable tells of the bus, `bus_path=/run/dbus/system_bus_socket` takes the place of its type: upstream's has no
    /// such word. [`Bus`] says what a container needs.
    Tabrmd { bus: Bus, name: String },
}

/// Where a software TPM listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

const TABRMD: &str = "com.intel.tss2.Tabrmd";

impl Tcti {
    /// Waits for a host to answer, so long at most.
    pub(crate) fn connect(&self, limit: Duration) -> io::Result<Box<dyn Transport>> {
        Ok(match self {
            Self::Device(path) => Box::new(Device::open(path)?),
            Self::Swtpm(Endpoint::Tcp(address)) => {
                let stream = TcpStream::connect_timeout(address, limit)?;
                // A command is small, and waits for its response.
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(limit))?;
                Box::new(Stream::new(stream))
            }
            Self::Swtpm(Endpoint::Unix(path)) => {
                let name = SocketAddrUnix::new(path)?;
                Box::new(Stream::new(dial(&name, limit)?))
            }
            Self::Tabrmd { bus, name } => Box::new(Stream::new(tabrmd::connect(bus, name)?)),
        })
    }

    /// Whether a resource manager keeps the objects of the TPM's users apart. Without one there is one user at a time.
    pub fn has_resource_manager(&self) -> bool {
        match self {
            Self::Device(path) => path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("tpmrm")),
            Self::Swtpm(_) => false,
            Self::Tabrmd { .. } => true,
        }
    }
}

impl FromStr for Tcti {
    type Err = NotATcti;

    fn from_str(text: &str) -> Result<Self, NotATcti> {
        let (kind, rest) = text.split_once(':').unwrap_or((text, ""));
        match kind {
            "device" => Ok(Self::Device(match rest {
                "" => "/dev/tpmrm0".into(),
                path => path.into(),
            })),
            "swtpm" => swtpm(rest).map(Self::Swtpm),
            "tabrmd" => tabrmd(rest),
            _ => Err(NotATcti::Kind),
        }
    }
}

fn swtpm(rest: &str) -> Result<Endpoint, NotATcti> {
    let [host, port, path] = pairs(rest, ["host", "port", "path"])?;
    match (host, port, path) {
        (None, None, Some(path)) if !path.is_empty() => Ok(Endpoint::Unix(path.into())),
        (host, port, None) => {
            let host = match host {
                // Names are not looked up: the C library of a static program cannot.
                None | Some("localhost") => Ipv4Addr::LOCALHOST.into(),
                Some(host) => host.parse().map_err(|_| NotATcti::Host)?,
            };
            match port.unwrap_or("2321").parse() {
                Ok(0) | Err(_) => Err(NotATcti::Port),
                Ok(port) => Ok(Endpoint::Tcp(SocketAddr::new(host, port))),
            }
        }
        _ => Err(NotATcti::Pairs),
    }
}

fn tabrmd(rest: &str) -> Result<Tcti, NotATcti> {
    let [kind, path, name] = pairs(rest, ["bus_type", "bus_path", "bus_name"])?;
    let name = name.unwrap_or(TABRMD);
    if !is_bus_name(name) {
        return Err(NotATcti::Name);
    }
    Ok(Tcti::Tabrmd {
        bus: match (kind, path) {
            (None | Some("system"), None) => Bus::System,
            (Some("session"), None) => Bus::Session,
            (Some(_), None) => return Err(NotATcti::Bus),
            (None, Some(path)) if !path.is_empty() => Bus::At(path.into()),
            (_, Some(_)) => return Err(NotATcti::Pairs),
        },
        name: name.into(),
    })
}

/// A bus breaks off where it is asked for another.
fn is_bus_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    let is_part = |part: &str| {
        part.bytes().all(is_letter) && part.starts_with(|first: char| !first.is_ascii_digit())
    };
    name.len() <= 255 && name.contains('.') && name.split('.').all(is_part)
}

/// The values of `key=value,key=value`, in the order of `keys`.
fn pairs<'a, const N: usize>(
    rest: &'a str,
    keys: [&str; N],
) -> Result<[Option<&'a str>; N], NotATcti> {
    let mut values = [None; N];
    for pair in rest.split(',').filter(|_| !rest.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(NotATcti::Pairs)?;
        let place = keys.iter().position(|known| *known == key);
        let slot = &mut values[place.ok_or(NotATcti::Pairs)?];
        if slot.replace(value).is_some() {
            return Err(NotATcti::Pairs);
        }
    }
    Ok(values)
}

impl fmt::Display for Tcti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(path) => write!(f, "device:{}", path.display()),
            Self::Swtpm(Endpoint::Tcp(address)) => {
                write!(f, "swtpm:host={},port={}", address.ip(), address.port())
            }
            Self::Swtpm(Endpoint::Unix(path)) => write!(f, "swtpm:path={}", path.display()),
            Self::Tabrmd { bus, name } => write!(f, "tabrmd:{bus},bus_name={name}"),
        }
    }
}

/// The text names no TPM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotATcti {
    Kind,
    Pairs,
    Host,
    Port,
    Bus,
    Name,
}

impl fmt::Display for NotATcti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "begins with none of device, swtpm and tabrmd",
            Self::Pairs => {
                "after swtpm: stands host=HOST,port=PORT or path=PATH, after tabrmd: bus_type=TYPE or bus_path=PATH, and bus_name=NAME"
            }
            Self::Host => "the host is not an address, and names are not looked up here",
            Self::Port => "not a port",
            Self::Bus => "the bus is neither system nor session",
            Self::Name => "no program can have this name on a message bus",
        })
    }
}

impl std::error::Error for NotATcti {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        let tcti: Tcti = text.parse().unwrap();
        tcti.to_string()
    }

    #[test]
    fn the_words_of_other_tools_are_understood() {
        assert_eq!(parsed("device"), "device:/dev/tpmrm0");
        assert_eq!(parsed("device:/dev/tpm0"), "device:/dev/tpm0");
        assert_eq!(parsed("swtpm"), "swtpm:host=127.0.0.1,port=2321");
        assert_eq!(parsed("swtpm:port=1,host=::1"), "swtpm:host=::1,port=1");
        assert_eq!(parsed("swtpm:path=/run/tpm"), "swtpm:path=/run/tpm");
        assert_eq!(
            parsed("tabrmd"),
            "tabrmd:bus_type=system,bus_name=com.intel.tss2.Tabrmd"
        );
        assert_eq!(
            parsed("tabrmd:bus_name=a.b,bus_type=session"),
            "tabrmd:bus_type=session,bus_name=a.b"
        );
        assert_eq!(
            parsed("tabrmd:bus_path=/run/bus"),
            "tabrmd:bus_path=/run/bus,bus_name=com.intel.tss2.Tabrmd"
        );
    }

    #[test]
    fn other_words_are_refused() {
        for (text, reason) in [
            ("", NotATcti::Kind),
            ("mssim:port=1", NotATcti::Kind),
            ("swtpm:host=tpm.example", NotATcti::Host),
            ("swtpm:port=0", NotATcti::Port),
            ("swtpm:port=65536", NotATcti::Port),
            ("swtpm:port", NotATcti::Pairs),
            ("swtpm:port=1,port=2", NotATcti::Pairs),
            ("swtpm:path=", NotATcti::Pairs),
            ("swtpm:path=/a,port=1", NotATcti::Pairs),
            ("swtpm:speed=1", NotATcti::Pairs),
            ("tabrmd:bus_type=other", NotATcti::Bus),
            ("tabrmd:bus_path=", NotATcti::Pairs),
            ("tabrmd:bus_type=session,bus_path=/a", NotATcti::Pairs),
            ("tabrmd:bus_name=", NotATcti::Name),
            ("tabrmd:bus_name=tabrmd", NotATcti::Name),
            ("tabrmd:bus_name=a..b", NotATcti::Name),
            ("tabrmd:bus_name=a.1b", NotATcti::Name),
            ("tabrmd:bus_name=a.b/c", NotATcti::Name),
        ] {
            assert_eq!(text.parse::<Tcti>(), Err(reason), "{text}");
        }
    }

    #[test]
    fn only_some_ways_keep_users_apart() {
        for (text, kept) in [
            ("device:/dev/tpmrm0", true),
            ("device:/dev/tpmrm1", true),
            ("device:/dev/tpm0", false),
            ("swtpm", false),
            ("tabrmd", true),
        ] {
            let tcti: Tcti = text.parse().unwrap();
            assert_eq!(tcti.has_resource_manager(), kept, "{text}");
        }
    }
}
