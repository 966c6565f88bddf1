//! What Google's clients say went wrong, in the words of lib/gcp-answer.

use google_cloud_gax::error::{CredentialsError, Error as GaxError};
use mcbn_gcp_answer::{Corrupt, Failure, Said, refusal};
use std::error::Error;

/// Google's errors may hold whole answers: what they say themselves is not repeated.
pub(crate) fn of(error: GaxError) -> Failure {
    let error = first(&error);
    if let Some(credentials) = found::<CredentialsError>(error) {
        return of_credentials(credentials);
    }
    if let Some(status) = error.status() {
        return Failure::of_code(status.code.name(), Said::new(status.message.as_bytes()));
    }
    if let Some(status) = error.http_status_code() {
        return Failure::of_http(status);
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

/// Of the answer that Google's message ends with.
fn refusal(message: &str) -> Option<Said> {
    let (_, after) = message.split_once("body=<")?;
    let (body, _) = after.rsplit_once('>')?;
    refusal::of_exchange(body.as_bytes())
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

#[cfg(test)]
mod tests;
