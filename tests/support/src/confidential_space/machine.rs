//! A virtual machine: its profile, and the launcher's token service.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

use super::claims::Frame;
use super::forgery::{self, Edit, Forgery, LIFETIME};
use super::issuer::{Authority, Issuer};
use super::profile::Profile;
use super::request::{BadRequest, TokenRequest};
use super::{DEFAULT_AUDIENCE, DEFAULT_TOKEN, SOCKET};
use crate::folder::Folder;
use crate::service::{Endpoint, Health, Server, Tally, health};

/// A virtual machine, whose token service runs until it is dropped.
pub struct Machine {
    launcher: Arc<Launcher>,
    socket: PathBuf,
    server: Server,
    _folder: Option<Folder>,
}

/// The longest body that is read. The real one has no limit but memory.
const BODY: usize = 1 << 20;

impl Machine {
    /// One with its socket in a folder of its own.
    pub fn start(issuer: &Issuer, profile: Profile) -> Self {
        let folder = Folder::for_a_socket(SOCKET);
        let socket = folder.path().join(SOCKET);
        Self::listening(issuer, profile, socket, Some(folder))
    }

    /// One with its socket, and its default token, in this folder.
    pub fn start_in(issuer: &Issuer, profile: Profile, folder: &Path) -> Self {
        Self::listening(issuer, profile, folder.join(SOCKET), None)
    }

    fn listening(
        issuer: &Issuer,
        profile: Profile,
        socket: PathBuf,
        folder: Option<Folder>,
    ) -> Self {
        let (health, watched) = watch::channel(Health::Well);
        let launcher = Arc::new(Launcher {
            authority: issuer.authority(),
            settings: RwLock::new(Settings {
                profile: Arc::new(profile),
                forgery: None,
                edit: None,
                clock: Clock::Right,
            }),
            requests: Tally::default(),
            health: watched,
        });
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&launcher));
        Self {
            launcher,
            server: Server::start(Endpoint::Socket(socket.clone()), router, health),
            socket,
            _folder: folder,
        }
    }

    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Makes a token without the socket: as fast as it can sign, on the caller's thread. The service's health does not
    /// matter, its limits do.
    pub fn token(&self, request: &TokenRequest) -> Result<String, BadRequest> {
        request.check()?;
        Ok(self.launcher.mint(request))
    }

    /// The token for Google's own services, without nonces.
    pub fn default_token(&self) -> String {
        self.launcher.default_token()
    }

    /// Writes a default token beside the socket, as the launcher does at start and later. Returns its path.
    pub fn write_default_token(&self) -> PathBuf {
        let path = self.socket.with_file_name(DEFAULT_TOKEN);
        let new = path.with_extension("new");
        fs::write(&new, self.default_token())
            .and_then(|()| fs::rename(&new, &path))
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    pub fn set_health(&self, health: Health) {
        self.server.set(health);
    }

    /// What is wrong with every token from now on.
    pub fn set_forgery(&self, forgery: Option<Forgery>) {
        self.launcher.change(|settings| settings.forgery = forgery);
    }

    /// Another state of the machine, which the next token tells of.
    pub fn change(&self, change: impl FnOnce(&mut Profile)) {
        self.launcher
            .change(|settings| change(Arc::make_mut(&mut settings.profile)));
    }

    /// Changes the claims of every token from now on, before it is signed: for shapes that no profile has.
    pub fn edit_claims(&self, edit: impl Fn(&mut Value) + Send + Sync + 'static) {
        self.launcher
            .change(|settings| settings.edit = Some(Arc::new(edit)));
    }

    /// Sets the issuer's clock, as this machine meets it, ahead of the right time.
    pub fn set_clock_ahead(&self, by: Duration) {
        self.launcher
            .change(|settings| settings.clock = Clock::Ahead(by));
    }

    /// Sets it behind the right time.
    pub fn set_clock_behind(&self, by: Duration) {
        self.launcher
            .change(|settings| settings.clock = Clock::Behind(by));
    }

    /// How many requests have come through the socket, whatever came of them.
    pub fn requests(&self) -> u64 {
        self.launcher.requests.now()
    }

    /// Blocks until so many have come, and fails the test at [`crate::DEADLINE`].
    pub fn wait_for_requests(&self, count: u64) {
        self.launcher
            .requests
            .wait_until("the token service", |requests| *requests >= count);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.server.set(Health::Dead);
        let _ = fs::remove_file(&self.socket);
    }
}

/// The token service, and all that may change while it runs.
struct Launcher {
    authority: Arc<Authority>,
    settings: RwLock<Settings>,
    requests: Tally<u64>,
    health: watch::Receiver<Health>,
}

#[derive(Clone)]
struct Settings {
    profile: Arc<Profile>,
    forgery: Option<Forgery>,
    edit: Option<Arc<Edit>>,
    clock: Clock,
}

#[derive(Clone, Copy)]
enum Clock {
    Right,
    Ahead(Duration),
    Behind(Duration),
}

impl Clock {
    fn seconds(self) -> u64 {
        let now = SystemTime::now();
        match self {
            Self::Right => now,
            Self::Ahead(by) => now + by,
            Self::Behind(by) => now - by,
        }
        .duration_since(UNIX_EPOCH)
        .expect("the clock is past 1970")
        .as_secs()
    }
}

impl Launcher {
    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(
            &mut self
                .settings
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn mint(&self, request: &TokenRequest) -> String {
        let settings = self
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let now = settings.clock.seconds();
        let frame = Frame {
            issuer: self.authority.name().to_owned(),
            audience: request.audience.clone(),
            nonces: request.nonces.clone(),
            issued: now,
            not_before: now,
            expires: now + LIFETIME,
        };
        forgery::mint(
            &self.authority,
            &settings.profile,
            request.token_type,
            frame,
            settings.edit.as_deref(),
            settings.forgery,
        )
    }

    fn default_token(&self) -> String {
        self.mint(&TokenRequest::oidc::<String>(DEFAULT_AUDIENCE, []))
    }
}

async fn answer(State(launcher): State<Arc<Launcher>>, request: Request) -> Response {
    launcher.requests.change(|requests| *requests += 1);
    if !health::pass(launcher.health.clone()).await {
        let why = "cannot get a token from the attestation service";
        return say(StatusCode::INTERNAL_SERVER_ERROR, why);
    }
    // Go's server asks for it, and a client on a Unix socket forgets it easily.
    if request.version() == Version::HTTP_11 && request.headers().get(header::HOST).is_none() {
        return say(StatusCode::BAD_REQUEST, "no Host header");
    }
    if request.uri().path() != "/v1/token" {
        return say(StatusCode::NOT_FOUND, "404 page not found");
    }
    match *request.method() {
        Method::GET => say(StatusCode::OK, launcher.default_token()),
        Method::POST => {
            let token = match to_bytes(request.into_body(), BODY).await {
                Ok(body) => TokenRequest::parse(&body).map_err(|why| why.to_string()),
                Err(error) => Err(format!("cannot read the body: {error}")),
            };
            match token {
                Ok(request) => say(StatusCode::OK, launcher.mint(&request)),
                Err(why) => say(StatusCode::BAD_REQUEST, why),
            }
        }
        // The real one answers 400 here, not 405.
        _ => say(StatusCode::BAD_REQUEST, "not a method of this service"),
    }
}

/// Raw text, under the content type that the real one has.
fn say(status: StatusCode, text: impl Into<String>) -> Response {
    (status, [(header::CONTENT_TYPE, "text/html")], text.into()).into_response()
}
