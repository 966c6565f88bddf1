//! Formats every kind of secret in every way that might reach a log, and looks for its bytes.

use std::fmt::{Debug, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

/// No byte of it is another's neighbour in an ordinary text.
pub fn sample<const N: usize>() -> [u8; N] {
    std::array::from_fn(|i| (i as u8).wrapping_mul(59).wrapping_add(0xa7))
}

/// Fails to compile where `$kind` has the trait: two impls then fit the call.
macro_rules! lacks {
    ($kind:ty, $($bound:path),*) => {
        $({
            trait Ambiguous<Marker> {
                fn checked() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            #[allow(dead_code)]
            struct Has;
            impl<T: ?Sized + $bound> Ambiguous<Has> for T {}
            <$kind as Ambiguous<_>>::checked();
        })*
    };
}
pub(crate) use lacks;

macro_rules! keeps_its_promises {
    ($kind:ident) => {{
        use crate::{tests, $kind};
        let bytes = tests::sample::<{ $kind::LENGTH }>();
        let secret = || $kind::copied_from(&bytes);

        tests::lacks!(
            $kind,
            Copy,
            Clone,
            std::fmt::Display,
            AsRef<[u8]>,
            std::ops::Deref
        );
        tests::shows_nothing(secret, &bytes);

        assert_eq!(secret().expose_secret(), &bytes);
        assert!(secret() == secret());
        for i in 0..bytes.len() {
            let mut other = bytes;
            other[i] ^= 0x80;
            assert!(
                secret() != $kind::copied_from(&other),
                "byte {i} is not compared"
            );
        }

        let filled = $kind::fill(|b| Ok::<_, ()>(b.copy_from_slice(&bytes)));
        assert!(filled == Ok(secret()));
        assert!($kind::fill(|_| Err("refused")) == Err("refused"));
    }};
}
pub(crate) use keeps_its_promises;

#[derive(Debug)]
#[allow(dead_code)]
struct Holder<T> {
    name: &'static str,
    secret: T,
}

fn failed<T>(secret: T) -> Result<(), T> {
    Err(secret)
}

fn succeeded<T>(secret: T) -> Result<T, ()> {
    Ok(secret)
}

pub fn shows_nothing<T: Debug + PartialEq>(secret: impl Fn() -> T, bytes: &[u8]) {
    let other = || secret();
    let mut seen = String::new();
    let holder = || Holder {
        name: "holder",
        secret: Some(secret()),
    };
    for text in [
        format!("{:?}", secret()),
        format!("{:#?}", secret()),
        format!("{:x?} {:X?} {:02x?}", secret(), secret(), secret()),
        format!("{:?} {:#?}", holder(), holder()),
        format!("{:?}", [vec![secret()], vec![secret(), secret()]]),
        format!("{:80?}{:.3?}", secret(), secret()),
        panic_message(|| failed(secret()).unwrap()),
        panic_message(|| failed(holder()).expect("a reason")),
        panic_message(|| succeeded(secret()).unwrap_err()),
        panic_message(|| assert_ne!(secret(), other())),
        panic_message(|| assert_ne!(Some(secret()), Some(other()), "a reason")),
    ] {
        writeln!(seen, "{text}").unwrap();
    }

    assert!(seen.matches("(..)").count() >= 11, "{seen}");
    for (form, needle) in forms(bytes) {
        assert!(!seen.contains(&needle), "{form} in {seen}");
    }
    let length = bytes.len().to_string();
    assert!(!seen.contains(&length), "the length in {seen}");
}

/// Three bytes in a row, in each way of writing them.
fn forms(bytes: &[u8]) -> Vec<(&'static str, String)> {
    let mut forms = Vec::new();
    for three in bytes.windows(3) {
        let [a, b, c] = three.try_into().unwrap();
        forms.push(("hex", format!("{a:02x}{b:02x}{c:02x}")));
        forms.push(("upper-case hex", format!("{a:02X}{b:02X}{c:02X}")));
        forms.push(("decimal list", format!("{a}, {b}, {c}")));
        forms.push(("hex list", format!("{a:x}, {b:x}, {c:x}")));
        forms.push(("upper-case hex list", format!("{a:X}, {b:X}, {c:X}")));
        forms.push(("base64", base64(three, b'+', b'/')));
        forms.push(("base64url", base64(three, b'-', b'_')));
        forms.push(("bytes", String::from_utf8_lossy(three).into_owned()));
    }
    forms
}

/// Of three bytes; four characters.
fn base64(three: &[u8], c62: u8, c63: u8) -> String {
    let bits = three.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b));
    let digit = |i: u32| match (bits >> (18 - 6 * i) & 63) as u8 {
        n @ 0..26 => b'A' + n,
        n @ 26..52 => b'a' + n - 26,
        n @ 52..62 => b'0' + n - 52,
        62 => c62,
        _ => c63,
    };
    (0..4).map(|i| char::from(digit(i))).collect()
}

/// What the panic hook would print.
fn panic_message(f: impl FnOnce()) -> String {
    // The hook is the process's; tests run in parallel.
    static HOOK: Mutex<()> = Mutex::new(());
    let _held = HOOK.lock().unwrap();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("must panic");
    std::panic::set_hook(usual);
    *payload.downcast::<String>().expect("a formatted message")
}

#[test]
fn the_search_would_find_a_secret() {
    #[derive(PartialEq)]
    struct Careless([u8; 32]);
    impl Debug for Careless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "Careless(..) {:02x?}", self.0)
        }
    }
    let found = catch_unwind(|| shows_nothing(|| Careless(sample()), &sample::<32>()));
    assert!(found.is_err());
}

#[test]
fn base64_is_written_as_the_standard_writes_it() {
    // [RFC 4648 §10](https://www.rfc-editor.org/rfc/rfc4648#section-10), and the two last digits of the alphabets.
    assert_eq!(base64(b"foo", b'+', b'/'), "Zm9v");
    assert_eq!(base64(&[0xfb, 0xef, 0xff], b'-', b'_'), "--__");
}
