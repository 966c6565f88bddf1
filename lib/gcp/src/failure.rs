//! Why Google Cloud gave nothing, by who is at fault.

use google_cloud_gax::error::rpc::Code;
use google_cloud_gax::error::{CredentialsError, Error as GaxError};
use mcbn_launcher::Said;
use std::error::Error;
use std::fmt::{self, Display};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// This side is at fault: there are no credentials as they were described.
    NoCredentials(String),
    /// Whoever exchanges credentials for access tokens refuses these: the wrong image, another audience, an identity
    /// pool that is switched off.
    TokenRefused(Said),
    /// There is no access token for now.
    NoToken(Said),
    /// An access token was not taken. It may have been taken back, or the clocks differ.
    Unauthenticated(Said),
    /// Who we are may not do this.
    Denied(Said),
    /// There is no such key, version or secret, or none that we may know of.
    Missing(Said),
    /// There is, and it is switched off or destroyed.
    Disabled(Said),
    /// The request is refused whoever sends it.
    Rejected(Said),
    /// There were too many requests.
    Busy(Said),
    /// The service cannot be reached, or is out of order.
    Away(Said),
    /// The deadline passed.
    Slow,
    /// The answer is not what the service promises.
    Corrupt(Corrupt),
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Corrupt {
    /// Its checksum is missing, or another.
    Checksum,
    /// The service did not get what was sent.
    Request,
    /// It is of another key, version or secret.
    Name,
    /// The key is kept in another way than it was.
    Protection,
    /// It is in none of the forms that are known.
    Form,
}

impl Failure {
    /// A short fixed word for logs and metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Failure::NoCredentials(_) => "no_credentials",
            Failure::TokenRefused(_) => "access_token_refused",
            Failure::NoToken(_) => "no_access_token",
            Failure::Unauthenticated(_) => "unauthenticated",
            Failure::Denied(_) => "permission_denied",
            Failure::Missing(_) => "not_found",
            Failure::Disabled(_) => "disabled",
            Failure::Rejected(_) => "rejected",
            Failure::Busy(_) => "too_many_requests",
            Failure::Away(_) => "unavailable",
            Failure::Slow => "deadline",
            Failure::Corrupt(_) => "corrupt",
        }
    }

    /// Asking again changes nothing until somebody changes something at Google Cloud, or here.
    pub fn is_final(&self) -> bool {
        match self {
            Failure::NoCredentials(_)
            | Failure::TokenRefused(_)
            | Failure::Denied(_)
            | Failure::Missing(_)
            | Failure::Disabled(_)
            | Failure::Rejected(_) => true,
            Failure::NoToken(_)
            | Failure::Unauthenticated(_)
            | Failure::Busy(_)
            | Failure::Away(_)
            | Failure::Slow
            | Failure::Corrupt(_) => false,
        }
    }

    /// What is known of credentials is used up: the next call needs them anew.
    pub(crate) fn spends_credentials(&self) -> bool {
        matches!(
            self,
            Failure::NoCredentials(_)
                | Failure::TokenRefused(_)
                | Failure::NoToken(_)
                | Failure::Unauthenticated(_)
        )
    }
}

impl From<GaxError> for Failure {
    fn from(error: GaxError) -> Failure {
        let error = first(&error);
        if let Some(credentials) = found::<CredentialsError>(error) {
            return of_credentials(credentials);
        }
        if let Some(status) = error.status() {
            return of_code(status.code, Said::new(status.message.as_bytes()));
        }
        if let Some(status) = error.http_status_code() {
            return of_http(status);
        }
        if error.is_timeout() || error.is_exhausted() {
            return Failure::Slow;
        }
        if error.is_deserialization() {
            return Failure::Corrupt(Corrupt::Form);
        }
        if error.is_binding() || error.is_serialization() {
            return Failure::Rejected(Said::new(b"the name is in no form that the service has"));
        }
        Failure::Away(Said::new(deepest(error).as_bytes()))
    }
}

/// The error that ended the first of the attempts that are known.
fn first(error: &GaxError) -> &GaxError {
    let mut first = error;
    while first.is_exhausted()
        && let Some(below) = first.source().and_then(|source| {
            let itself = source.downcast_ref();
            itself.or_else(|| source.source()?.downcast_ref())
        })
    {
        first = below;
    }
    first
}

fn of_code(code: Code, said: Said) -> Failure {
    match code {
        Code::Unauthenticated => Failure::Unauthenticated(said),
        Code::PermissionDenied => Failure::Denied(said),
        Code::NotFound => Failure::Missing(said),
        Code::FailedPrecondition => Failure::Disabled(said),
        Code::ResourceExhausted => Failure::Busy(said),
        Code::DeadlineExceeded => Failure::Slow,
        Code::InvalidArgument | Code::OutOfRange | Code::Unimplemented => Failure::Rejected(said),
        _ => Failure::Away(said),
    }
}

/// An answer that is none of the service: of something on the way.
fn of_http(status: u16) -> Failure {
    let said = Said::new(format!("HTTP status {status}").as_bytes());
    match status {
        401 => Failure::Unauthenticated(said),
        403 => Failure::Denied(said),
        404 => Failure::Missing(said),
        429 => Failure::Busy(said),
        500.. => Failure::Away(said),
        _ => Failure::Rejected(said),
    }
}

/// Google's message may hold a whole answer, and an answer may hold a token: only the fields that say what is wrong are
/// read out of it.
fn of_credentials(error: &CredentialsError) -> Failure {
    let said = chain(error).find_map(|error| refusal(&error.to_string()));
    let said = said.unwrap_or_else(|| match error.is_transient() {
        true => Said::new(b"whoever gives access tokens cannot be reached, or is out of order"),
        false => Said::new(b"the credentials cannot be used"),
    });
    match error.is_transient() {
        true => Failure::NoToken(said),
        false => Failure::TokenRefused(said),
    }
}

/// [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)
fn refusal(message: &str) -> Option<Said> {
    let (_, after) = message.split_once("body=<")?;
    let (body, _) = after.rsplit_once('>')?;
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let error = body.get("error")?.as_str()?;
    let more = body.get("error_description").and_then(|more| more.as_str());
    let said = match more {
        Some(more) => format!("{error}: {more}"),
        None => error.to_owned(),
    };
    Some(Said::new(said.as_bytes()))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

fn found<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|error| error.downcast_ref())
}

/// What the system said of a connection. The errors above it repeat addresses and headers.
fn deepest(error: &(dyn Error + 'static)) -> String {
    let io = found::<std::io::Error>(error).map(ToString::to_string);
    io.unwrap_or_else(|| "the connection broke".into())
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NoCredentials(why) => write!(f, "there are no credentials: {why}"),
            Failure::TokenRefused(said) => write!(f, "an access token is refused: {said}"),
            Failure::NoToken(said) => write!(f, "there is no access token: {said}"),
            Failure::Unauthenticated(said) => write!(f, "the access token is not taken: {said}"),
            Failure::Denied(said) => write!(f, "permission denied: {said}"),
            Failure::Missing(said) => write!(f, "not found: {said}"),
            Failure::Disabled(said) => write!(f, "not usable: {said}"),
            Failure::Rejected(said) => write!(f, "the request is refused: {said}"),
            Failure::Busy(said) => write!(f, "too many requests: {said}"),
            Failure::Away(said) => write!(f, "the service cannot be reached: {said}"),
            Failure::Slow => f.write_str("the service took too long"),
            Failure::Corrupt(corrupt) => corrupt.fmt(f),
        }
    }
}

impl Display for Corrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Corrupt::Checksum => "the answer's checksum is missing or wrong",
            Corrupt::Request => "the service got something else than what was sent",
            Corrupt::Name => "the answer is of another resource than the one that was asked for",
            Corrupt::Protection => "the key's protection level is another than the one that it had",
            Corrupt::Form => "the answer is in no form that is known",
        })
    }
}

impl Error for Failure {}

#[cfg(test)]
mod tests;
