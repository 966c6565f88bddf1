//! What OpenSSL is answered when it asks for a key in TLS 1.2 or DTLS 1.2. In TLS 1.3 it asks otherwise.

use std::sync::Arc;
use std::time::Instant;

use mcbn_secret::Psk;
use mcbn_tls::Setup;
use openssl::ssl::{SslContextBuilder, SslRef};
use zeroize::Zeroize;

use crate::asking::Asking;
use crate::decoy::Decoy;
use crate::ffi;
use crate::identity::Identity;
use crate::key::{KeySource, NoKey, Randoms};

/// What a server answers: the key of its one identity, or the one that stands in for every key that does not exist.
pub struct ServerKeys<K> {
    pub(crate) identity: Identity,
    pub(crate) keys: Arc<K>,
    pub(crate) decoy: Decoy,
}

impl<K: KeySource> ServerKeys<K> {
    pub fn new(identity: Identity, keys: Arc<K>) -> Result<Self, Setup> {
        Ok(Self {
            identity,
            keys,
            decoy: Decoy::draw()?,
        })
    }

    /// Has a context answer its clients.
    pub fn install(self, ctx: &mut SslContextBuilder) -> Result<(), Setup> {
        let answer = move |ssl: &SslRef, name: &[u8], out: &mut [u8]| self.write(ssl, name, out);
        ffi::answer_clients(ctx, answer).map_err(Setup::step("set the callback for keys"))
    }

    /// How many bytes of key it has written. None where there is no key. Nothing in it panics.
    pub(crate) fn write(&self, ssl: &SslRef, name: &[u8], out: &mut [u8]) -> Option<usize> {
        let room = out.first_chunk_mut()?;
        // OpenSSL ends the name at its first zero byte, in `tls_process_cke_psk_preamble` (statem_srvr.c): what is equal
        // here may have been longer. It opens nothing, since the peer must know the key, and the whole name stands in
        // what its Finished covers.
        let known = self.identity.matches(name);
        // Asked for an unknown identity as well: the work must not tell which one it was.
        ask(&*self.keys, ssl, room).ok()?;
        self.decoy.replace_unless(known, room);
        Some(Psk::LENGTH)
    }
}

/// What a client answers: its identity, and the key.
pub struct ClientKeys<K> {
    identity: Identity,
    keys: Arc<K>,
}

impl<K: KeySource> ClientKeys<K> {
    pub fn new(identity: Identity, keys: Arc<K>) -> Self {
        Self { identity, keys }
    }

    /// Has a context answer its servers. Without a key OpenSSL sends handshake_failure.
    pub fn install(self, ctx: &mut SslContextBuilder) {
        ctx.set_psk_client_callback(move |ssl, _hint, name_out, out| {
            Ok(self.write_with(name_out, out, |keys, room| ask(keys, ssl, room)))
        });
    }

    /// How many bytes of key it has written. Zero where there is no key. Nothing in it panics.
    pub(crate) fn write_with(
        &self,
        name_out: &mut [u8],
        out: &mut [u8],
        write_key: impl FnOnce(&K, &mut [u8; Psk::LENGTH]) -> Result<(), NoKey>,
    ) -> usize {
        let name = self.identity.as_str().as_bytes();
        let (Some(name_room), Some(room)) = (
            // One byte more for the terminator.
            name_out.get_mut(..=name.len()),
            out.first_chunk_mut(),
        ) else {
            return 0;
        };
        if let Some((terminator, name_room)) = name_room.split_last_mut() {
            name_room.copy_from_slice(name);
            *terminator = 0;
        }
        match write_key(&self.keys, room) {
            Ok(()) => Psk::LENGTH,
            Err(NoKey(_)) => 0,
        }
    }
}

/// Asks for the key of this handshake, which learns it where there is none.
fn ask<K: KeySource>(keys: &K, ssl: &SslRef, room: &mut [u8; Psk::LENGTH]) -> Result<(), NoKey> {
    let asking = Asking::of(ssl).ok_or(NoKey("its handshake was not prepared"))?;
    asking.begin();
    let until = asking.until();
    let is_late = || until.is_some_and(|until| Instant::now() >= until);
    let was_late = is_late();
    let written = match Randoms::of(ssl) {
        Some(randoms) => keys.write_key(&randoms, until, room),
        None => Err(NoKey("its handshake shows no randoms")),
    };
    let written = match written {
        Ok(()) if is_late() && !was_late => Err(NoKey("it came too late")),
        written => written,
    };
    if let Err(no_key) = written {
        // OpenSSL wipes only what it takes.
        room.zeroize();
        asking.refuse(no_key);
    }
    written
}
