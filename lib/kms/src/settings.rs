//! The settings of a key in Cloud KMS, its certificate and its peers, and what they come to.

mod end;
mod key;

pub use end::{
    CERTIFICATE, EndConfig, KMS_CONCURRENCY, Opened, PEER_CA, PEER_NAME, RESUMPTION_LIFETIME,
    SECRET_MANAGER_ENDPOINT, TLS_VERSION,
};
pub use key::{
    GOOGLE_CREDENTIALS, KEY, KMS_ENDPOINT, KMS_TIMEOUT, KmsConfig, PROTECTION_LEVEL, STS_ENDPOINT,
    TOKEN_SOCKET,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// An operator who could would choose who sees our credentials.
    #[test]
    fn no_operator_chooses_where_google_is() {
        for setting in [
            PROTECTION_LEVEL,
            KMS_ENDPOINT,
            STS_ENDPOINT,
            TOKEN_SOCKET,
            SECRET_MANAGER_ENDPOINT,
        ] {
            assert!(!setting.is_operators(), "{}", setting.name());
        }
    }
}
