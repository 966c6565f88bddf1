//! The OpenSSL functions that the `openssl` crate does not bind.

#![allow(unsafe_code)]

use std::ffi::c_int;

use foreign_types::ForeignTypeRef;
use openssl::ssl::{SslContextBuilder, SslRef};

unsafe extern "C" {
    fn SSL_CTX_set_default_read_buffer_len(ctx: *mut openssl_sys::SSL_CTX, len: usize);
    fn SSL_key_update(ssl: *mut openssl_sys::SSL, kind: c_int) -> c_int;
}

/// Sets how many bytes one read from the network may bring, for every connection made from `ctx`.
pub(crate) fn set_read_buffer_len(ctx: &SslContextBuilder, len: usize) {
    // SAFETY: `ctx` is a live SSL_CTX that no other thread has yet; the call stores a number in it.
    unsafe { SSL_CTX_set_default_read_buffer_len(ctx.as_ptr(), len) }
}

/// Has the next write go out under a new key, which it announces (TLS 1.3). False when OpenSSL refuses.
pub(crate) fn update_sending_key(ssl: &SslRef) -> bool {
    const SSL_KEY_UPDATE_NOT_REQUESTED: c_int = 0;
    // SAFETY: `ssl` is a live SSL; the call sets a flag in it, and the stream that owns it is borrowed by one task.
    unsafe { SSL_key_update(ssl.as_ptr(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1 }
}
