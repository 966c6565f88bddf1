//! Why Google Cloud gave nothing, by who is at fault.

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

/// One table, and both spellings of it.
macro_rules! reasons {
    ($($failure:pat => $reason:literal,)*) => {
        /// A short fixed word for logs and metrics.
        pub fn reason(&self) -> &'static str {
            match self {
                $($failure => $reason,)*
            }
        }

        /// The same of Cloud KMS, where others have reasons too.
        pub fn reason_of_kms(&self) -> &'static str {
            match self {
                $($failure => concat!("kms_", $reason),)*
            }
        }
    };
}

impl Failure {
    reasons! {
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

    /// No service was asked, or none took who we are: credentials are missing, or are not taken.
    pub fn is_of_credentials(&self) -> bool {
        matches!(
            self,
            Failure::NoCredentials(_)
                | Failure::TokenRefused(_)
                | Failure::NoToken(_)
                | Failure::Unauthenticated(_)
        )
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
}

impl Failure {
    /// What a service says, by the name of its code ([google.rpc.Code]).
    ///
    /// [google.rpc.Code]: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    pub fn of_code(name: &str, said: Said) -> Failure {
        // The code says something, too.
        let said = match said.is_empty() {
            true => Said::new(name.as_bytes()),
            false => said,
        };
        match name {
            "UNAUTHENTICATED" => Failure::Unauthenticated(said),
            "PERMISSION_DENIED" => Failure::Denied(said),
            "NOT_FOUND" => Failure::Missing(said),
            "FAILED_PRECONDITION" => Failure::Disabled(said),
            "RESOURCE_EXHAUSTED" => Failure::Busy(said),
            "DEADLINE_EXCEEDED" => Failure::Slow,
            "INVALID_ARGUMENT" | "OUT_OF_RANGE" | "UNIMPLEMENTED" => Failure::Rejected(said),
            _ => Failure::Away(said),
        }
    }

    /// An answer that is none of the service: of something on the way.
    pub fn of_http(status: u16) -> Failure {
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
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_told_apart() {
        for (code, reason, is_final) in [
            ("UNAUTHENTICATED", "unauthenticated", false),
            ("PERMISSION_DENIED", "permission_denied", true),
            ("NOT_FOUND", "not_found", true),
            ("FAILED_PRECONDITION", "disabled", true),
            ("INVALID_ARGUMENT", "rejected", true),
            ("RESOURCE_EXHAUSTED", "too_many_requests", false),
            ("UNAVAILABLE", "unavailable", false),
            ("INTERNAL", "unavailable", false),
            ("DEADLINE_EXCEEDED", "deadline", false),
        ] {
            let failure = Failure::of_code(code, Said::new(b"no\nsuch luck"));
            assert_eq!(failure.reason(), reason);
            assert_eq!(failure.is_final(), is_final, "{reason}");
            let said = failure.to_string();
            assert!(!said.contains('\n'), "{said:?}");
        }
    }

    /// Both are the names of what is counted and logged.
    #[test]
    fn a_reason_is_the_same_word_of_kms() {
        for (failure, reason, of_kms) in [
            (Failure::Slow, "deadline", "kms_deadline"),
            (Failure::Corrupt(Corrupt::Name), "corrupt", "kms_corrupt"),
            (
                Failure::of_http(403),
                "permission_denied",
                "kms_permission_denied",
            ),
            (Failure::of_http(404), "not_found", "kms_not_found"),
        ] {
            assert_eq!(failure.reason(), reason);
            assert_eq!(failure.reason_of_kms(), of_kms);
        }
    }

    #[test]
    fn credentials_are_told_from_what_they_are_for() {
        assert!(Failure::NoCredentials("none".into()).is_of_credentials());
        assert!(Failure::of_http(401).is_of_credentials());
        assert!(!Failure::of_http(403).is_of_credentials());
        assert!(!Failure::Slow.is_of_credentials());
    }

    #[test]
    fn what_somebody_on_the_way_says_is_told_apart() {
        for (status, reason) in [
            (401, "unauthenticated"),
            (403, "permission_denied"),
            (404, "not_found"),
            (429, "too_many_requests"),
            (400, "rejected"),
            (502, "unavailable"),
        ] {
            assert_eq!(Failure::of_http(status).reason(), reason);
        }
    }
}
