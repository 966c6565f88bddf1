//! Session keys for a packet analyser. Compiled only with the `keylog` feature, which no image has.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Mutex;

use openssl::ssl::SslContextBuilder;

/// Appends each connection's secrets to the file that SSLKEYLOGFILE names, if it does.
pub(crate) fn install(ctx: &mut SslContextBuilder) {
    let Some(path) = std::env::var_os("SSLKEYLOGFILE") else {
        return;
    };
    let Ok(file) = OpenOptions::new().create(true).append(true).open(path) else {
        return;
    };
    let file = Mutex::new(file);
    ctx.set_keylog_callback(move |_ssl, line| {
        if let Ok(mut file) = file.lock() {
            // Debugging only: a full disk must not end a connection.
            let _ = writeln!(file, "{line}");
        }
    });
}
