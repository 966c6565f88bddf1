//! The OpenSSL functions that the `openssl` crate does not bind.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_uint, c_void};
use std::ptr::NonNull;
use std::time::Duration;

use foreign_types::ForeignTypeRef;
use openssl::error::ErrorStack;
use openssl::ssl::{SslRef, SslStream};

use crate::timer;

/// `BIO_ADDR`, of which nothing is looked at here.
#[repr(C)]
struct BioAddr {
    _opaque: [u8; 0],
}

/// `struct timeval`.
#[repr(C)]
struct Timeval {
    seconds: c_long,
    microseconds: c_long,
}

type TimerCallback = extern "C" fn(*mut openssl_sys::SSL, c_uint) -> c_uint;

unsafe extern "C" {
    fn BIO_ADDR_new() -> *mut BioAddr;
    fn BIO_ADDR_free(address: *mut BioAddr);
    fn DTLSv1_listen(ssl: *mut openssl_sys::SSL, client: *mut BioAddr) -> c_int;
    fn DTLS_set_timer_cb(ssl: *mut openssl_sys::SSL, callback: TimerCallback);
    fn SSL_has_pending(ssl: *const openssl_sys::SSL) -> c_int;
    fn DTLS_get_data_mtu(ssl: *const openssl_sys::SSL) -> usize;
}

/// Room for an address that `DTLSv1_listen` wants to write, and has none to.
pub(crate) struct NoAddress(NonNull<BioAddr>);

// SAFETY: a BIO_ADDR is plain memory, owned by one value.
unsafe impl Send for NoAddress {}

impl NoAddress {
    pub(crate) fn new() -> Result<Self, ErrorStack> {
        // SAFETY: the call takes nothing, and gives memory of its own or null.
        NonNull::new(unsafe { BIO_ADDR_new() })
            .map(Self)
            .ok_or_else(ErrorStack::get)
    }
}

impl Drop for NoAddress {
    fn drop(&mut self) {
        // SAFETY: it came from `BIO_ADDR_new` and is freed once.
        unsafe { BIO_ADDR_free(self.0.as_ptr()) }
    }
}

/// Looks at the one datagram that can be read from `stream`: answers a ClientHello without a good cookie by a
/// HelloVerifyRequest and keeps nothing of it, and gives true for one with a good cookie, from which the stream's
/// handshake then goes on.
pub(crate) fn listen<S>(stream: &mut SslStream<S>, nobody: &mut NoAddress) -> bool {
    // SAFETY: the stream has a live SSL and is borrowed alone, and the address is live memory that the call may write.
    let heard = unsafe { DTLSv1_listen(stream.ssl().as_ptr(), nobody.0.as_ptr()) } == 1;
    // Whatever a stranger sent must not be taken for the error of a later call.
    drop(ErrorStack::get());
    heard
}

/// Has the handshake's flights go again as [`timer`] says.
pub(crate) fn set_timer(ssl: &mut SslRef) {
    extern "C" fn next(_: *mut openssl_sys::SSL, microseconds: c_uint) -> c_uint {
        timer::next(microseconds)
    }
    // SAFETY: `ssl` is a live SSL that is borrowed alone; the function is static and cannot panic.
    unsafe { DTLS_set_timer_cb(ssl.as_ptr(), next) }
}

/// How long until the last flight has to go again. None when none has to.
pub(crate) fn until_retransmission(ssl: &SslRef) -> Option<Duration> {
    const DTLS_CTRL_GET_TIMEOUT: c_int = 73;
    let mut left = Timeval {
        seconds: 0,
        microseconds: 0,
    };
    let place: *mut c_void = (&raw mut left).cast();
    // SAFETY: `ssl` is a live SSL, and this control writes one timeval.
    let runs = unsafe { openssl_sys::SSL_ctrl(ssl.as_ptr(), DTLS_CTRL_GET_TIMEOUT, 0, place) } == 1;
    runs.then(|| {
        let seconds = u64::try_from(left.seconds).unwrap_or_default();
        let microseconds = u64::try_from(left.microseconds).unwrap_or_default();
        Duration::from_secs(seconds) + Duration::from_micros(microseconds)
    })
}

/// Whether OpenSSL holds a part of a datagram that it was given.
pub(crate) fn has_pending(ssl: &SslRef) -> bool {
    // SAFETY: `ssl` is a live SSL; the call looks at it.
    unsafe { SSL_has_pending(ssl.as_ptr()) == 1 }
}

/// The most bytes that one record may carry on this path. Zero before the handshake is over.
pub(crate) fn largest_payload(ssl: &SslRef) -> usize {
    // SAFETY: `ssl` is a live SSL; the call computes a number.
    unsafe { DTLS_get_data_mtu(ssl.as_ptr()) }
}
