//! The OpenSSL functions that the `openssl` crate does not bind.

#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_uint};
use std::sync::LazyLock;
use std::time::Duration;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{SslContext, SslContextBuilder, SslRef, SslSession};

/// `TLSEXT_TYPE_psk`, the `pre_shared_key` extension ([RFC 8446 §4.2]).
///
/// [RFC 8446 §4.2]: https://www.rfc-editor.org/rfc/rfc8446#section-4.2
const PRE_SHARED_KEY: c_uint = 41;

unsafe extern "C" {
    fn SSL_client_hello_get0_ext(
        ssl: *mut openssl_sys::SSL,
        kind: c_uint,
        out: *mut *const c_uchar,
        out_len: *mut usize,
    ) -> c_int;
    fn SSL_CTX_set_timeout(ctx: *mut openssl_sys::SSL_CTX, seconds: c_long) -> c_long;
}

/// The body of the ClientHello's `pre_shared_key` extension. None outside a ClientHello callback.
pub(crate) fn pre_shared_key_extension(ssl: &SslRef) -> Option<&[u8]> {
    let mut start = std::ptr::null();
    let mut len = 0;
    // SAFETY: `ssl` is a live SSL and both out-pointers are valid for the call. On success OpenSSL points them at
    // the ClientHello, which lives as long as the callback that holds `ssl` runs, and `ssl` stays borrowed for as
    // long as the slice does.
    unsafe {
        let present = SSL_client_hello_get0_ext(ssl.as_ptr(), PRE_SHARED_KEY, &mut start, &mut len);
        (present == 1 && !start.is_null()).then(|| std::slice::from_raw_parts(start, len))
    }
}

/// How many bytes of key were written for a client that named this identity. None where this side is at fault.
type ServerAnswer = Box<dyn Fn(&SslRef, &[u8], &mut [u8]) -> Option<usize> + Send + Sync>;

static SERVER_ANSWER: LazyLock<Result<Index<SslContext, ServerAnswer>, ErrorStack>> =
    LazyLock::new(SslContext::new_ex_index);

/// The `openssl` crate's `set_psk_server_callback`, whose callback can say that the client is not at fault: OpenSSL then
/// sends internal_error in place of unknown_psk_identity. `answer` must not panic.
pub(crate) fn answer_clients(
    ctx: &mut SslContextBuilder,
    answer: impl Fn(&SslRef, &[u8], &mut [u8]) -> Option<usize> + Send + Sync + 'static,
) -> Result<(), ErrorStack> {
    let index = SERVER_ANSWER.as_ref().map_err(Clone::clone)?;
    ctx.set_ex_data(*index, Box::new(answer));
    // SAFETY: `ctx` is a live SSL_CTX that no other thread has yet, and the function is static.
    unsafe { openssl_sys::SSL_CTX_set_psk_server_callback(ctx.as_ptr(), Some(answer_client)) };
    Ok(())
}

extern "C" fn answer_client(
    ssl: *mut openssl_sys::SSL,
    name: *const c_char,
    out: *mut c_uchar,
    room: c_uint,
) -> c_uint {
    /// More than there is ever room for.
    const OWN_FAULT: c_uint = c_uint::MAX;
    if name.is_null() || out.is_null() {
        return OWN_FAULT;
    }
    let length = room as usize;
    // SAFETY: OpenSSL hands over a live SSL, an identity that ends with a zero byte, and `room` bytes that are for this
    // call alone; nothing is in them yet, so that they are set first.
    let (ssl, name, out) = unsafe {
        out.write_bytes(0, length);
        (
            SslRef::from_ptr(ssl),
            CStr::from_ptr(name).to_bytes(),
            std::slice::from_raw_parts_mut(out, length),
        )
    };
    let index = SERVER_ANSWER.as_ref().ok();
    let answer = index.and_then(|index| ssl.ssl_context().ex_data(*index));
    let written = answer.and_then(|answer| answer(ssl, name, out));
    let written = written.filter(|written| *written <= length);
    written.map_or(OWN_FAULT, |written| written as c_uint)
}

/// Sets how long a session of this context can be resumed, in whole seconds.
pub(crate) fn set_session_lifetime(ctx: &SslContextBuilder, lifetime: Duration) {
    let seconds = c_long::try_from(lifetime.as_secs()).unwrap_or(c_long::MAX);
    // SAFETY: `ctx` is a live SSL_CTX that no other thread has yet; the call stores a number in it.
    unsafe { SSL_CTX_set_timeout(ctx.as_ptr(), seconds) };
}

/// A session that can be resumed, and the context that it belongs to.
pub(crate) struct OwnSession {
    session: SslSession,
    ctx: SslContext,
}

impl OwnSession {
    /// That of a finished handshake.
    pub(crate) fn of(ssl: &SslRef) -> Option<Self> {
        ssl.session().map(|session| Self {
            session: session.to_owned(),
            ctx: ssl.ssl_context().to_owned(),
        })
    }

    /// Has a handshake that has not begun offer the session, unless its context is another.
    pub(crate) fn offer(&self, ssl: &mut SslRef) -> Result<(), ErrorStack> {
        if ssl.ssl_context().as_ptr() != self.ctx.as_ptr() {
            return Ok(());
        }
        // SAFETY: the session is of the context of `ssl`, as was just seen.
        unsafe { ssl.set_session(&self.session) }
    }
}
