//! Where a message bus listens.

use rustix::net::SocketAddrUnix;

/// The Unix sockets of a list of addresses, in order ([D-Bus Specification, Server Addresses]). What else there is cannot
/// pass descriptors, and is left out.
///
/// [D-Bus Specification, Server Addresses]: https://dbus.freedesktop.org/doc/dbus-specification.html#addresses
pub(super) fn sockets(addresses: &[u8]) -> Vec<SocketAddrUnix> {
    let addresses = addresses.split(|byte| *byte == b';');
    addresses.filter_map(socket).collect()
}

/// > unix:path=/run/bus,guid=0123456789abcdef0123456789abcdef
fn socket(address: &[u8]) -> Option<SocketAddrUnix> {
    let pairs = address.strip_prefix(b"unix:")?;
    pairs.split(|byte| *byte == b',').find_map(|pair| {
        if let Some(path) = pair.strip_prefix(b"path=") {
            SocketAddrUnix::new(unescaped(path)?).ok()
        } else if let Some(name) = pair.strip_prefix(b"abstract=") {
            SocketAddrUnix::new_abstract_name(&unescaped(name)?).ok()
        } else {
            None
        }
    })
}

/// Some bytes stand as % and two hexadecimal digits.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut parts = value.split(|byte| *byte == b'%');
    let mut bytes = parts.next()?.to_vec();
    for part in parts {
        let (digits, rest) = part.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = digit(digits[0])? << 4 | digit(digits[1])?;
        bytes.push(u8::try_from(byte).expect("two digits"));
        bytes.extend(rest);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unix_socket_of_a_list_is_found() {
        let list = b"tcp:host=localhost,port=1;unix:path=/run/user/1/bus,guid=00;unix:guid=00,abstract=/tmp/dbus-x;\
            unix:path=/tmp/a%20b%2c%2C";
        let found = sockets(list);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].path_bytes(), Some(&b"/run/user/1/bus"[..]));
        assert_eq!(found[1].abstract_name(), Some(&b"/tmp/dbus-x"[..]));
        assert_eq!(found[2].path_bytes(), Some(&b"/tmp/a b,,"[..]));
    }

    #[test]
    fn an_address_of_no_unix_socket_is_refused() {
        let long = format!("unix:path=/{}", "x".repeat(108));
        for list in [
            "",
            ";",
            "unix",
            "unix:",
            "unix:tmpdir=/tmp",
            "unixexec:path=/bin/true",
            "tcp:path=/run/bus",
            "unix:path=/run/%",
            "unix:path=/run/%4",
            "unix:path=/run/%zz",
            "unix:path=/run/%00bus",
            &long,
        ] {
            assert!(sockets(list.as_bytes()).is_empty(), "{list}");
        }
    }
}
