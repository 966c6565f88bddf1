//! The OpenSSL functions that the `openssl` crate does not bind.

#![allow(unsafe_code)]

use std::ffi::{c_int, c_uchar, c_uint};

use foreign_types::ForeignTypeRef;
use openssl::ssl::SslRef;

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
