//! The few messages of D-Bus that it takes ([D-Bus Specification, Message Protocol]).
//!
//! [D-Bus Specification, Message Protocol]: https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol

/// A call without arguments.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
}

/// What is looked at in what a bus sends.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Message {
    pub(super) kind: Kind,
    /// The serial number of the call.
    pub(super) reply_to: Option<u32>,
    /// The error's name.
    pub(super) error: Option<String>,
    /// How many descriptors came with it.
    pub(super) descriptors: usize,
    /// The first argument, where it is text.
    pub(super) text: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Return,
    Error,
    Other,
}

/// > endianness(1) type(1) flags(1) version(1) bodyLength(4) serial(4) fieldsLength(4)
pub(super) const PREFIX: usize = 16;

/// The broker is on the same machine, and has its order of bytes.
const LITTLE_ENDIAN: u8 = b'l';
const VERSION: u8 = 1;

/// The types of messages that are named here.
const CALL: u8 = 1;
const RETURN: u8 = 2;
const ERROR: u8 = 3;

/// The codes of a header's fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
const UNIX_FDS: u8 = 9;

/// A header's field: its code, the letter of its type, and what it holds.
type Field = (u8, u8, Vec<u8>);

impl Call<'_> {
    pub(super) fn bytes(&self, serial: u32) -> Vec<u8> {
        let fields = [
            (PATH, b'o', text(self.path)),
            (DESTINATION, b's', text(self.destination)),
            (INTERFACE, b's', text(self.interface)),
            (MEMBER, b's', text(self.member)),
        ];
        write(CALL, serial, &fields, &[])
    }
}

fn write(kind: u8, serial: u32, fields: &[Field], body: &[u8]) -> Vec<u8> {
    let mut header = Vec::new();
    for (code, letter, value) in fields {
        // What comes before the fields is two of these units long.
        pad(&mut header, 8);
        header.extend([*code, 1, *letter, 0]);
        header.extend(value);
    }
    let mut message = vec![LITTLE_ENDIAN, kind, 0, VERSION];
    message.extend(size(body.len()));
    message.extend(serial.to_le_bytes());
    message.extend(size(header.len()));
    pad(&mut header, 8);
    message.extend(header);
    message.extend(body);
    message
}

fn text(text: &str) -> Vec<u8> {
    [&size(text.len()), text.as_bytes(), &[0]].concat()
}

fn size(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("what is said here is short")
        .to_le_bytes()
}

fn pad(bytes: &mut Vec<u8>, unit: usize) {
    bytes.resize(bytes.len().next_multiple_of(unit), 0);
}

impl Message {
    /// Of the whole message that begins so; None where no message does.
    pub(super) fn length(prefix: &[u8; PREFIX]) -> Option<usize> {
        let [LITTLE_ENDIAN, _, _, VERSION, rest @ ..] = prefix else {
            return None;
        };
        let mut rest = Reader::new(rest);
        let [body, _, fields] = [rest.word()?, rest.word()?, rest.word()?];
        let fields = usize::try_from(fields).ok()?.checked_next_multiple_of(8)?;
        let body = usize::try_from(body).ok()?;
        PREFIX.checked_add(fields)?.checked_add(body)
    }

    /// None where it is no message, or has a field that none has.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (prefix, rest) = bytes.split_first_chunk::<PREFIX>()?;
        if Self::length(prefix)? != bytes.len() {
            return None;
        }
        let mut message = Self {
            kind: match prefix[1] {
                RETURN => Kind::Return,
                ERROR => Kind::Error,
                _ => Kind::Other,
            },
            reply_to: None,
            error: None,
            descriptors: 0,
            text: None,
        };
        let fields = prefix.last_chunk().map(|size| u32::from_le_bytes(*size))?;
        let (fields, rest) = rest.split_at_checked(usize::try_from(fields).ok()?)?;
        let padding = fields.len().next_multiple_of(8) - fields.len();
        let body = rest.get(padding..)?;

        let mut reader = Reader::new(fields);
        while !reader.is_at_end() {
            reader.align(8)?;
            let code = reader.byte()?;
            match (reader.signature()?, code) {
                (b"u", REPLY_SERIAL) => message.reply_to = Some(reader.word()?),
                (b"u", UNIX_FDS) => message.descriptors = usize::try_from(reader.word()?).ok()?,
                (b"s", ERROR_NAME) => message.error = Some(reader.text()?),
                (b"g", SIGNATURE) => {
                    if reader.signature()?.starts_with(b"s") {
                        message.text = Some(Reader::new(body).text()?);
                    }
                }
                (b"u", _) => drop(reader.word()?),
                (b"s" | b"o", _) => drop(reader.text()?),
                _ => return None,
            }
        }
        Some(message)
    }
}

/// What is left of a message's part, which begins at a multiple of 8.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, _) = self.bytes.get(self.at..)?.split_at_checked(length)?;
        self.at += length;
        Some(taken)
    }

    fn align(&mut self, unit: usize) -> Option<()> {
        self.take(self.at.next_multiple_of(unit) - self.at)
            .map(drop)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn word(&mut self) -> Option<u32> {
        self.align(4)?;
        let (bytes, _) = self.take(4)?.split_first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.word()?).ok()?;
        let text = self.terminated(length)?;
        String::from_utf8(text.to_vec()).ok()
    }

    fn signature(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.byte()?);
        self.terminated(length)
    }

    fn terminated(&mut self, length: usize) -> Option<&'a [u8]> {
        let bytes = self.take(length)?;
        (self.byte()? == 0).then_some(bytes)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::IoSlice;
    use std::mem::MaybeUninit;
    use std::os::fd::BorrowedFd;
    use std::os::unix::net::UnixStream;

    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

    const SIGNAL: u8 = 4;

    /// With a number, as the broker gives it.
    pub(in super::super) fn answer(serial: u32, descriptors: usize) -> Vec<u8> {
        let fields = [
            (REPLY_SERIAL, b'u', serial.to_le_bytes().to_vec()),
            (UNIX_FDS, b'u', size(descriptors).to_vec()),
            (SIGNATURE, b'g', b"\x01t\0".to_vec()),
        ];
        write(RETURN, 9, &fields, &[7; 8])
    }

    pub(in super::super) fn error(serial: u32, name: &str, why: &str) -> Vec<u8> {
        let fields = [
            (ERROR_NAME, b's', text(name)),
            (REPLY_SERIAL, b'u', serial.to_le_bytes().to_vec()),
            (SIGNATURE, b'g', b"\x01s\0".to_vec()),
        ];
        write(ERROR, 9, &fields, &text(why))
    }

    pub(in super::super) fn signal() -> Vec<u8> {
        let fields = [
            (PATH, b'o', text("/org/freedesktop/DBus")),
            (INTERFACE, b's', text("org.freedesktop.DBus")),
            (MEMBER, b's', text("NameAcquired")),
            (SIGNATURE, b'g', b"\x01s\0".to_vec()),
        ];
        write(SIGNAL, 9, &fields, &text(":1.7"))
    }

    pub(in super::super) fn pass(
        stream: &UnixStream,
        bytes: &[u8],
        descriptors: &[BorrowedFd<'_>],
    ) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(8))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            assert!(control.push(SendAncillaryMessage::ScmRights(descriptors)));
        }
        let sent = sendmsg(
            stream,
            &[IoSlice::new(bytes)],
            &mut control,
            SendFlags::empty(),
        );
        assert_eq!(sent.unwrap(), bytes.len());
    }

    /// What libdbus 1.14.10 sends first.
    #[test]
    fn a_call_has_the_bytes_that_others_send() {
        let sent = b"l\x01\0\x01\0\0\0\0\x01\0\0\0\x6e\0\0\0\
            \x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0\
            \x06\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
            \x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
            \x03\x01s\0\x05\0\0\0Hello\0\0\0";
        assert_eq!(super::super::HELLO.bytes(1), sent);
    }

    #[test]
    fn what_is_looked_at_is_found() {
        let parsed = Message::parse(&answer(2, 1)).unwrap();
        assert_eq!((parsed.kind, parsed.reply_to), (Kind::Return, Some(2)));
        assert_eq!((parsed.descriptors, parsed.text), (1, None));

        let parsed = Message::parse(&error(2, "a.b", "c d")).unwrap();
        assert_eq!((parsed.kind, parsed.reply_to), (Kind::Error, Some(2)));
        assert_eq!(parsed.error.as_deref(), Some("a.b"));
        assert_eq!(parsed.text.as_deref(), Some("c d"));

        let parsed = Message::parse(&signal()).unwrap();
        assert_eq!((parsed.kind, parsed.reply_to), (Kind::Other, None));
    }

    #[test]
    fn a_message_that_was_cut_or_has_more_is_refused() {
        for whole in [answer(2, 1), error(2, "a.b", "c d"), signal()] {
            for length in 0..whole.len() {
                assert_eq!(Message::parse(&whole[..length]), None, "{length}");
            }
            let longer = [&whole[..], &[0]].concat();
            assert_eq!(Message::parse(&longer), None);
        }
    }

    #[test]
    fn text_without_its_end_is_refused() {
        for (letter, value) in [(b's', &b"\x01\0\0\0ab"[..]), (b'g', b"\x01sx")] {
            let message = write(RETURN, 9, &[(SIGNATURE, letter, value.to_vec())], &[0; 8]);
            assert_eq!(Message::parse(&message), None);
        }
    }

    #[test]
    fn no_byte_makes_it_panic() {
        for whole in [answer(2, 1), error(2, "a.b", "c d"), signal()] {
            for at in 0..whole.len() {
                for byte in 0..=u8::MAX {
                    let mut other = whole.clone();
                    other[at] = byte;
                    let parsed = Message::parse(&other);
                    // Byte order and version; the other sizes and letters show in what is found.
                    let is_fixed = [0, 3].contains(&at) && byte != whole[at];
                    assert!(!is_fixed || parsed.is_none(), "{at} {byte}");
                }
            }
        }
    }
}
