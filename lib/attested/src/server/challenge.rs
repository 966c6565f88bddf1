//! The challenge of a request.

use crate::CHALLENGE;
use hyper::HeaderMap;
use mcbn_binding::Challenge;

/// The one that a request carries. None where there is none, or more than one, or one of another form: which of them a
/// token answers must be beyond doubt.
pub fn of(headers: &HeaderMap) -> Option<Challenge> {
    let mut all = headers.get_all(CHALLENGE).iter();
    match (all.next(), all.next()) {
        (Some(one), None) => one.to_str().ok()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    const TEXT: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

    fn read(values: &[&[u8]]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CHALLENGE, HeaderValue::from_bytes(value).unwrap());
        }
        of(&headers)
    }

    #[test]
    fn one_is_read() {
        let challenge = read(&[TEXT.as_bytes()]).unwrap();
        assert_eq!(challenge.to_string(), TEXT);
    }

    #[test]
    fn a_missing_challenge_is_refused() {
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn two_challenges_are_refused() {
        assert_eq!(read(&[TEXT.as_bytes(), TEXT.as_bytes()]), None);
        let list = format!("{TEXT}, {TEXT}");
        assert_eq!(read(&[list.as_bytes()]), None);
    }

    #[test]
    fn a_malformed_challenge_is_refused() {
        let padded = format!("{TEXT}=");
        for text in ["", &TEXT[1..], &padded, "*"] {
            assert_eq!(read(&[text.as_bytes()]), None, "{text:?}");
        }
        assert_eq!(read(&[b"\xff"]), None);
    }
}
