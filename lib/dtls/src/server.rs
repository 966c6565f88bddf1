//! The server's side: what is asked of a ClientHello, and of the handshake after it.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use mcbn_psk::{Identity, KeySource, ServerKeys, Source, Witness};
use mcbn_tls::Setup;
use openssl::error::ErrorStack;
use openssl::ex_data::Index;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslStream};
use tokio::net::UdpSocket;

use crate::context::{self, Suites};
use crate::cookie::{Cookies, Oven};
use crate::ffi::{self, NoAddress};
use crate::hello::ClientHello;
use crate::link::{Link, Queue};
use crate::mtu::Mtu;

/// Accepts sessions of clients that know the key.
#[derive(Clone)]
pub struct Acceptor {
    pub(crate) ctx: SslContext,
    mtu: Mtu,
    source: Source,
}

impl Acceptor {
    /// An acceptor for one identity and what gives its keys.
    pub fn new<K: KeySource>(
        identity: Identity,
        keys: K,
        suites: Suites,
        mtu: Mtu,
    ) -> Result<Self, Setup> {
        let mut ctx = context::builder(SslMethod::dtls_server(), suites)?;
        let keys = Arc::new(keys);
        let source = Source::of(&keys);
        ServerKeys::new(identity, keys)?.install(&mut ctx)?;
        let cookies = Expected::index()?;
        ctx.set_cookie_generate_cb(move |ssl, out| {
            let own = ssl.ex_data(cookies).and_then(Expected::now);
            let (Some(own), Some(room)) = (own, out.first_chunk_mut()) else {
                return Err(ErrorStack::get());
            };
            *room = *own.fresh();
            Ok(room.len())
        });
        ctx.set_cookie_verify_cb(move |ssl, cookie| {
            let own = ssl.ex_data(cookies).and_then(Expected::now);
            own.is_some_and(|own| own.has(cookie))
        });
        Ok(Self {
            ctx: ctx.build(),
            mtu,
            source,
        })
    }

    /// Sees the key's end.
    pub fn witness(&self) -> Witness {
        self.source.witness()
    }
}

/// The cookies that the ClientHello may have which OpenSSL is looking at.
#[derive(Default)]
struct Expected(Mutex<Option<Cookies>>);

impl Expected {
    fn index() -> Result<Index<Ssl, Self>, Setup> {
        static INDEX: LazyLock<Result<Index<Ssl, Expected>, ErrorStack>> =
            LazyLock::new(Ssl::new_ex_index);
        let index = INDEX.as_ref();
        index
            .copied()
            .map_err(|stack| Setup::step("make an index")(stack.clone()))
    }

    fn set(&self, cookies: Cookies) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookies);
    }

    fn now(&self) -> Option<Cookies> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has every ClientHello prove its address before anything is kept of it.
pub(crate) struct Greeter {
    acceptor: Acceptor,
    oven: Oven,
    nobody: NoAddress,
    /// One session that every ClientHello meets, until one of them has a good cookie and it becomes its own.
    spare: Option<(SslStream<Link>, Queue)>,
}

impl Greeter {
    pub(crate) fn new(acceptor: Acceptor) -> Result<Self, Setup> {
        Ok(Self {
            acceptor,
            oven: Oven::new(Instant::now()).map_err(Setup::step("draw random bytes"))?,
            nobody: NoAddress::new().map_err(Setup::step("make an address"))?,
            spare: None,
        })
    }

    pub(crate) fn source(&self) -> &Source {
        &self.acceptor.source
    }

    /// Answers a ClientHello without a good cookie, and gives the session of one that has it, with the queue for what
    /// its address sends from now on.
    pub(crate) fn greet(
        &mut self,
        hello: &ClientHello<'_>,
        from: SocketAddr,
        socket: &Arc<UdpSocket>,
    ) -> Result<Option<(SslStream<Link>, Queue)>, Setup> {
        let (mut stream, queue) = match self.spare.take() {
            Some(spare) => spare,
            None => self.spare(from, socket)?,
        };
        let cookies = self.oven.cookies(from, hello.random, Instant::now());
        let cookies = cookies.map_err(Setup::step("draw random bytes"))?;
        if let Some(expected) = stream.ssl().ex_data(Expected::index()?) {
            expected.set(cookies);
        }
        stream.get_mut().hear(from, hello.datagram);
        if ffi::listen(&mut stream, &mut self.nobody) {
            return Ok(Some((stream, queue)));
        }
        self.spare = Some((stream, queue));
        Ok(None)
    }

    fn spare(
        &self,
        from: SocketAddr,
        socket: &Arc<UdpSocket>,
    ) -> Result<(SslStream<Link>, Queue), Setup> {
        let mut ssl = context::ssl(&self.acceptor.ctx, self.acceptor.mtu)?;
        ssl.set_accept_state();
        ssl.set_ex_data(Expected::index()?, Expected::default());
        let (link, queue) = Link::shared(Arc::clone(socket), from);
        let stream = SslStream::new(ssl, link).map_err(Setup::step("make a session"))?;
        Ok((stream, queue))
    }
}
