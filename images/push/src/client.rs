//! Requests to one registry, with who asks added where the registry wants to know, and nowhere
//! else: never to another host, never in clear to another machine.

use std::time::Duration;

use serde::Deserialize;
use ureq::http::header::{AUTHORIZATION, LOCATION, WWW_AUTHENTICATE};
use ureq::http::{HeaderMap, Method, Request, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody};

use crate::credentials::{Credentials, Secret};
use crate::destination::Origin;
use crate::error::{Error, Fault};

/// Manifests and error texts are small; a registry that sends more is refused.
const LARGEST_ANSWER: u64 = 4 << 20;

pub struct Client {
    agent: Agent,
    origin: Origin,
    credentials: Option<Credentials>,
    /// The header that the registry accepted last, and for which repository.
    authorization: Option<(String, Secret)>,
}

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What the registry says of an error: its codes and messages, without control characters.
    pub fn said(&self) -> String {
        #[derive(Deserialize)]
        struct Errors {
            errors: Vec<Said>,
        }
        #[derive(Deserialize)]
        struct Said {
            code: String,
            #[serde(default)]
            message: String,
        }
        let said = serde_json::from_slice(&self.body).map_or_else(
            |_| String::new(),
            |Errors { errors }| {
                let texts = errors
                    .iter()
                    .map(|said| format!("{}: {}", said.code, said.message));
                texts.collect::<Vec<_>>().join("; ")
            },
        );
        said.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

impl Client {
    pub fn new(origin: Origin, credentials: Option<Credentials>) -> Self {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let mut config = Agent::config_builder()
            .tls_config(tls)
            .user_agent("oci-push")
            // Statuses and redirects mean something here; and a redirect could lead elsewhere.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(seconds(20))
            .timeout_connect(seconds(20))
            .timeout_send_request(seconds(60))
            .timeout_send_body(seconds(600))
            .timeout_recv_response(seconds(120))
            .timeout_recv_body(seconds(120));
        if origin.is_loopback() {
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            origin,
            credentials,
            authorization: None,
        }
    }

    /// The status of a request that says nothing of who asks.
    pub fn probe(&self, url: &Uri) -> Result<u16, Error> {
        self.send(&Method::GET, url, &[], None, None)
            .map(|answer| answer.status)
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A request to a path of the registry's API, for a repository.
    pub fn call(
        &mut self,
        method: Method,
        repository: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, Error> {
        let url = self.origin.url(&format!("/v2/{repository}/{path}"));
        let url = url
            .parse()
            .expect("an origin and clean components are a URL");
        self.call_url(method, repository, &url, headers, body)
    }

    /// The same to a URL that the registry named, which may be on another host.
    pub fn call_url(
        &mut self,
        method: Method,
        repository: &str,
        url: &Uri,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, Error> {
        let own = Origin::of(url).as_ref() == Some(&self.origin);
        let answer = self.send(&method, url, headers, body, own.then_some(repository))?;
        if answer.status != 401 || !own {
            return Ok(answer);
        }
        let challenge = answer.header(WWW_AUTHENTICATE.as_str()).unwrap_or_default();
        self.authorize(challenge, repository)?;
        let answer = self.send(&method, url, headers, body, Some(repository))?;
        match answer.status {
            401 => Err(self.unauthorised()),
            _ => Ok(answer),
        }
    }

    /// Where an upload goes on: the answer's `Location`, which may be relative.
    pub fn location(&self, answer: &Answer) -> Result<Uri, Fault> {
        let place = answer.header(LOCATION.as_str()).ok_or(Fault::NoLocation)?;
        let absolute = match place.strip_prefix('/') {
            Some(path) => self.origin.url(&format!("/{path}")),
            None => place.to_owned(),
        };
        // A query may hold a signature: it is not repeated.
        let shown = || Fault::Location(place.split('?').next().unwrap_or_default().to_owned());
        let uri: Uri = absolute.parse().map_err(|_| shown())?;
        match Origin::of(&uri) {
            Some(origin) if origin == self.origin || origin.is_private() => Ok(uri),
            _ => Err(shown()),
        }
    }

    pub fn unauthorised(&self) -> Error {
        let host = self.origin.authority().to_owned();
        Error::Unauthorised {
            host,
            named: self.credentials.is_some(),
        }
    }

    fn send(
        &self,
        method: &Method,
        url: &Uri,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
        authorized_for: Option<&str>,
    ) -> Result<Answer, Error> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let (Some(repository), Some((scope, header))) = (authorized_for, &self.authorization)
            && (scope.is_empty() || scope == repository)
        {
            // This header is how the registry is told.
            request = request.header(AUTHORIZATION, header.expose_secret());
        }
        match body {
            Some(body) => self.run(request.body(body).expect("clean headers"), url),
            None => self.run(request.body(()).expect("clean headers"), url),
        }
    }

    fn run<B: AsSendBody>(&self, request: Request<B>, url: &Uri) -> Result<Answer, Error> {
        let unreachable = |error| {
            let path = url.path();
            let origin = Origin::of(url)
                .map(|origin| origin.url(path))
                .unwrap_or_default();
            Error::Unreachable { url: origin, error }
        };
        let mut response = self.agent.run(request).map_err(unreachable)?;
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST_ANSWER)
            .read_to_vec();
        Ok(Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: body.map_err(unreachable)?,
        })
    }

    /// Does what a challenge asks for: Basic, or a token from the registry's token service.
    fn authorize(&mut self, challenge: &str, repository: &str) -> Result<(), Error> {
        let basic = self.credentials.as_ref().map(Credentials::basic);
        let (scheme, parameters) = challenge.split_once(' ').unwrap_or((challenge, ""));
        if scheme.eq_ignore_ascii_case("basic") {
            let basic = basic.ok_or_else(|| self.unauthorised())?;
            self.authorization = Some((String::new(), basic));
            return Ok(());
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(self.unauthorised());
        }
        let realm = parameter(parameters, "realm").unwrap_or_default();
        let unsafe_realm = || Error::UnsafeRealm {
            realm: printable(&realm),
        };
        let origin = realm
            .parse()
            .ok()
            .as_ref()
            .and_then(Origin::of)
            .ok_or_else(unsafe_realm)?;
        if origin != self.origin && !origin.is_private() {
            return Err(unsafe_realm());
        }
        let mut url = format!("{realm}{}", if realm.contains('?') { '&' } else { '?' });
        if let Some(service) = parameter(parameters, "service") {
            url.push_str(&format!("service={}&", escaped(&service)));
        }
        url.push_str(&format!(
            "scope={}",
            escaped(&format!("repository:{repository}:pull,push"))
        ));
        let url: Uri = url.parse().map_err(|_| unsafe_realm())?;

        let mut request = Request::builder().uri(&url);
        if let Some(basic) = &basic {
            // The token service is where the registry sends its users to say who they are.
            request = request.header(AUTHORIZATION, basic.expose_secret());
        }
        let answer = self.run(request.body(()).expect("clean headers"), &url)?;
        if answer.status != 200 {
            return Err(self.unauthorised());
        }
        #[derive(Deserialize)]
        struct Token {
            token: Option<String>,
            access_token: Option<String>,
        }
        let token = serde_json::from_slice(&answer.body)
            .ok()
            .and_then(
                |Token {
                     token,
                     access_token,
                 }| token.or(access_token),
            )
            .filter(|token| token.bytes().all(|byte| byte.is_ascii_graphic()))
            .ok_or_else(|| Error::Misbehaved {
                doing: format!("asking {} for a token", origin.authority()),
                fault: Fault::NoToken,
            })?;
        let header = Secret::new(format!("Bearer {token}"));
        self.authorization = Some((repository.to_owned(), header));
        Ok(())
    }
}

/// A parameter of a challenge, `name="value"`, [RFC 9110 §11.6.1].
///
/// [RFC 9110 §11.6.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
fn parameter(parameters: &str, name: &str) -> Option<String> {
    let mut rest = parameters;
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => (
                after.split(',').next()?,
                after.split_once(',').map_or("", |(_, a)| a),
            ),
        };
        if key.trim_matches([' ', ',']).eq_ignore_ascii_case(name) {
            return Some(value.to_owned());
        }
        rest = after;
    }
    None
}

/// Percent-encoding of everything but unreserved characters, [RFC 3986 §2.1].
///
/// [RFC 3986 §2.1]: https://www.rfc-editor.org/rfc/rfc3986#section-2.1
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_a_challenge_are_found_by_name() {
        let challenge =
            r#"realm="https://auth.example/token?a=b",service="r, s=t", scope=x,error="e""#;
        let found = |name| parameter(challenge, name);
        assert_eq!(
            found("realm").as_deref(),
            Some("https://auth.example/token?a=b")
        );
        assert_eq!(found("Service").as_deref(), Some("r, s=t"));
        assert_eq!(found("scope").as_deref(), Some("x"));
        assert_eq!(found("error").as_deref(), Some("e"));
        assert_eq!(found("s"), None);
        assert_eq!(parameter("realm=\"open", "realm"), None);
    }

    #[test]
    fn a_scope_is_escaped() {
        assert_eq!(
            escaped("repository:a/b-1:pull,push"),
            "repository%3Aa%2Fb-1%3Apull%2Cpush"
        );
    }

    #[test]
    fn what_a_registry_says_is_cut_and_cleaned() {
        let said = |body: &str| {
            let body = body.as_bytes().to_vec();
            Answer {
                status: 400,
                headers: HeaderMap::new(),
                body,
            }
            .said()
        };
        assert_eq!(
            said(r#"{"errors":[{"code":"DENIED","message":"no\u001b[31m"},{"code":"X"}]}"#),
            "DENIED: no[31m; X: "
        );
        assert_eq!(said("<html>"), "");
        let long = format!(r#"{{"errors":[{{"code":"{}"}}]}}"#, "A".repeat(1000));
        assert_eq!(said(&long).len(), 300);
    }
}
