//! Names in Google Cloud, which become parts of requests.

use crate::share::with_text;
use mcbn_gcp_name::{Endpoint, KeyName, KeyVersionName, ProviderName, SecretVersionName};

pub fn cloud_name(data: &[u8]) {
    with_text(data, |text| {
        let key = text.parse::<KeyName>().map(|name| {
            assert!(!name.location().is_empty());
            name.to_string()
        });
        let version = text.parse::<KeyVersionName>().map(|name| {
            assert!(text.starts_with(name.key().as_str()));
            name.to_string()
        });
        let secret = text.parse::<SecretVersionName>().map(|name| {
            assert!(text.starts_with(name.secret()));
            assert!(
                name.location()
                    .is_none_or(|location| text.contains(location))
            );
            name.to_string()
        });
        let provider = text.parse::<ProviderName>().map(|name| {
            assert!(name.audience().ends_with(text) && text.contains(name.pool()));
            name.to_string()
        });
        let names = [key.ok(), version.ok(), secret.ok(), provider.ok()];
        for name in names.into_iter().flatten() {
            assert_eq!(name, text);
            let may_stand = |b: u8| b.is_ascii_alphanumeric() || b"/-_".contains(&b);
            assert!(
                text.bytes().all(may_stand) && !text.contains("//"),
                "{text:?}"
            );
        }
        if let Ok(endpoint) = text.parse::<Endpoint>() {
            assert_eq!(endpoint.as_str(), text);
            assert!(text.starts_with("https://") || endpoint.is_googles_or_loopback());
            assert_eq!(text.matches('/').count(), 2);
        }
    });
}
