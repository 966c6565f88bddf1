//! Google's errors, and what is made of them.

use super::*;
use google_cloud_gax::error::rpc::{Code, Status};
use std::io;

#[test]
fn what_a_service_says_is_read_by_its_code() {
    for (code, reason) in [
        (Code::PermissionDenied, "permission_denied"),
        (Code::FailedPrecondition, "disabled"),
        (Code::ResourceExhausted, "too_many_requests"),
        (Code::Internal, "unavailable"),
    ] {
        let status = Status::default().set_code(code);
        assert_eq!(of(GaxError::service(status)).reason(), reason);
    }
}

#[test]
fn an_attempt_that_ended_it_is_seen_below_what_gave_up() {
    let status = Status::default().set_code(Code::Unavailable);
    let error = GaxError::exhausted(GaxError::service(status));
    assert_eq!(of(error).reason(), "unavailable");
}

#[test]
fn a_broken_connection_says_what_the_system_said() {
    let error = io::Error::from(io::ErrorKind::ConnectionReset);
    let failure = of(GaxError::io(error));
    assert_eq!(failure.reason(), "unavailable");
    assert!(failure.to_string().contains("reset"), "{failure}");
}

fn exchange(is_transient: bool, message: &str) -> Failure {
    let error = CredentialsError::from_msg(is_transient, message);
    of(GaxError::authentication(error))
}

#[test]
fn what_the_token_service_says_is_read_out_of_its_answer() {
    let failure = exchange(
        false,
        r#"failed to exchange token, body=<{"error":"unauthorized_client","error_description":"rejected by the attribute condition"}>"#,
    );
    assert_eq!(failure.reason(), "access_token_refused");
    assert_eq!(
        failure.to_string(),
        "an access token is refused: unauthorized_client: rejected by the attribute condition"
    );
}

#[test]
fn nothing_else_of_a_credentials_error_is_shown() {
    for (is_transient, message) in [
        (
            false,
            r#"failed to read subject token field, body=<{"token":"eyJh"}>"#,
        ),
        (
            false,
            r#"body=<{"error":{"nested":"eyJh"},"token":"eyJh"}>"#,
        ),
        (true, "body=<eyJh>"),
        (true, "the token eyJh is bad"),
    ] {
        let failure = exchange(is_transient, message);
        assert_eq!(failure.is_final(), !is_transient);
        let shown = format!("{failure} {failure:?}");
        assert!(!shown.contains("eyJh"), "{shown}");
    }
}
