//! One target for each parser, named by what it eats.
//!
//! A target is a plain function of bytes that panics when a promise is broken, so that any engine can drive it (the
//! body of a `fuzz_target!` is one call). The tests here drive each one for a moment: mutations of its seeds, the same
//! ones in every run.
#![forbid(unsafe_code)]

mod bls;
mod cloud;
mod manifest;
mod network;
mod settings;
mod share;
#[cfg(test)]
mod smoke;
mod token;
mod tpm;
mod units;

pub use bls::{bls_public_key, bls_signature, ceremony_message};
pub use cloud::cloud_name;
pub use manifest::manifest;
pub use network::{client_flight, dtls_datagram, psk_identity, server_flight, target_text};
pub use settings::{admin_address, arguments, variables};
pub use share::{
    derivation_label, hmac_key_text, participant_name, secret_place, shamir_share_text,
    share_source, share_text, threshold,
};
pub use token::{key_set, token_claims, token_text};
pub use tpm::{key_file, key_parent, key_structure, pcrs_text, tcti_text};
pub use units::{count, period, size};

/// A parser's target and texts to start from.
#[derive(Clone, Copy)]
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: &'static [&'static [u8]],
}

/// Declares [`TARGETS`], and a smoke test for each of them.
macro_rules! targets {
    ($($name:ident: $seeds:expr;)*) => {
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $name, seeds: $seeds },)*
        ];

        #[cfg(test)]
        mod smoke_of {
            $(
                #[test]
                fn $name() {
                    crate::smoke::run(stringify!($name));
                }
            )*
        }
    };
}

targets! {
    admin_address: &[b"127.0.0.1:9000", b"[::1]:0", b"0.0.0.0:1", b"[::ffff:127.0.0.1]:65535"];
    arguments: &[
        b"--listen\x00127.0.0.1:7443\0--share\0alice=fd:3\0--tls12",
        b"--share=alice=file:/a\0--share=bob=fd:4\0--idle-timeout=30s\0-h",
        b"--key=2c6f63f8c0f53a565db041b91c0a95ad\0--\0stray",
        b"--settings\0--version\0-V\0-xyz",
    ];
    bls_public_key: &[
        // The generator, infinity, a point outside the group of prime order, and the generator as a text.
        b"\x97\xf1\xd3\xa7\x31\x97\xd7\x94\x26\x95\x63\x8c\x4f\xa9\xac\x0f\xc3\x68\x8c\x4f\x97\x74\xb9\x05\xa1\x4e\x3a\x3f\x17\x1b\xac\x58\x6c\x55\xe8\x3f\xf9\x7a\x1a\xef\xfb\x3a\xf0\x0a\xdb\x22\xc6\xbb",
        b"\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"\x81\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef",
        b"97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
    ];
    bls_signature: &[&[0xc0; 96], &[0x97; 96]];
    ceremony_message: &[
        br#"{"participant":1,"encryption_key":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8","approval":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#,
        br#"{"commitments":[],"proof":"","sealed":""}"#,
        br#"{"announcement":{"request":"","manifest":"","image":"","threshold":2,"participants":[],"purpose":"a"},"commitments":[],"proof":"","confirmations":[]}"#,
    ];
    client_flight: &[
        // Captured from `openssl s_client` with the fixed key of the target.
        include_bytes!("../testdata/client_hello_tls13"),
        include_bytes!("../testdata/client_hello_tls12"),
        b"GET / HTTP/1.1\r\n\r\n",
    ];
    cloud_name: &[
        b"projects/house-1/locations/europe-west3/keyRings/mcbn/cryptoKeys/share/cryptoKeyVersions/7",
        b"projects/1/locations/europe-west3/secrets/mcbn-share/versions/12",
        b"projects/1/locations/global/workloadIdentityPools/mcbn/providers/attested",
        b"https://kms-house.p.googleapis.com:8443",
        b"http://[::1]:4000",
    ];
    count: &[b"1", b"0", b"004096", b"18446744073709551615", b"18446744073709551616"];
    derivation_label: &[b"hkdf-v1", b"sha256-concat-hex", b"shamir-v1", b"bls-prf-v1", b"bls-reveal-v1"];
    dtls_datagram: &[
        // Captured from dtls-client.
        include_bytes!("../testdata/dtls_client_hello"),
        // An alert, and application data of a later epoch.
        b"\x15\xfe\xfd\0\0\0\0\0\0\0\0\0\x02\x02\x28",
        b"\x17\xfe\xfd\0\x01\0\0\0\0\0\x01\0\x04abcd",
        b"hello",
    ];
    hmac_key_text: &[
        b"2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90\n",
        b"LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA",
        b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ];
    key_file: &[
        // The published sample.
        include_bytes!("../testdata/tss2_private.pem"),
        b"-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n",
    ];
    key_parent: &[b"owner", b"endorsement", b"platform", b"null", b"0x81000001", b"0x81FFFFFF"];
    key_set: &[include_bytes!("../testdata/key_set.json")];
    key_structure: &[
        // What is in the sample, and a key that is sealed to PCRs.
        include_bytes!("../testdata/tss2_key"),
        include_bytes!("../testdata/tss2_sealed_key"),
    ];
    manifest: &[
        include_bytes!("../testdata/manifest.toml"),
        include_bytes!("../testdata/manifest_cloud.toml"),
        b"rule = { threshold = 2 }\nderivation = \"bls-prf-v1\"\ncommitments = [\"97f1d3a73197d794\"]\nsigning-key = \"\"",
        b"version = 1\nrule = \"unanimous\"\n[[participant]]\nname = \"alice\"\n[attestation]\ndebug = false",
        b"\xef\xbb\xbfversion = 1",
    ];
    participant_name: &[b"alice", b"a.b_c-0", b"Alice"];
    pcrs_text: &[b"sha256:0", b"sha256:0,7", b"sha256:23,1", b"sha256:24", b"sha1:0"];
    period: &[b"500ms", b"30s", b"5m", b"8760h", b"18446744073709551615h"];
    psk_identity: &[b"Client1", b"\xc3\xa9", b"a b"];
    secret_place: &[b"file:/run/secrets/key", b"fd:3", b"fd:0"];
    server_flight: &[
        // Captured from `openssl s_server` with the same key.
        include_bytes!("../testdata/server_hello_tls13"),
        b"\x15\x03\x03\0\x02\x02\x28",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
    ];
    shamir_share_text: &[
        b"012c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90",
        b"ByxvY_jA9TpWXbBBuRwKla3YkT_BAmcFids5giKNv-2Q\n",
    ];
    share_source: &[b"alice=file:/run/shares/alice", b"bob=fd:3", b"carol=fd:0"];
    share_text: &[
        b"2c6f63f8c0f53a565db041b91c0a95add8913fc102670589db3982228dbfed90\n",
        b" B15244FAF36E5E4B178D3891701D245F2E45E881D913B6C35C0EA0AC14224CC2",
        b"LG9j-MD1OlZdsEG5HAqVrdiRP8ECZwWJ2zmCIo2_7ZA",
    ];
    size: &[b"1", b"64KiB", b"3MiB", b"1GiB", b"18446744073709551615GiB", b"8589934592GiB"];
    target_text: &[
        b"127.0.0.1:8443",
        b"[2001:db8::1]:8443",
        b"server.example:8443",
        b"localhost:1",
        b"srv:_mcbn._tcp.server.example",
    ];
    tcti_text: &[
        b"device:/dev/tpmrm0",
        b"swtpm:host=127.0.0.1,port=2321",
        b"swtpm:host=::1",
        b"swtpm:path=/run/tpm",
        b"tabrmd:bus_type=session,bus_name=com.intel.tss2.Tabrmd",
    ];
    threshold: &[b"2", b"255", b"1", b"256"];
    token_claims: &[
        include_bytes!("../testdata/token_claims.json"),
        br#"{"iss":"x","aud":["x"],"sub":"x","iat":1,"nbf":1,"exp":2,"submods":{"tdx":{},"gce":null}}"#,
    ];
    token_text: &[
        // {"alg":"RS256","kid":"first","typ":"JWT"}, {"alg":"RS256","x5c":["MIIB","MIIB","MIIB"]} and {"alg":"none"}.
        b"eyJhbGciOiJSUzI1NiIsImtpZCI6ImZpcnN0IiwidHlwIjoiSldUIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoieCIsInN1YiI6InkiLCJpYXQiOjEsIm5iZiI6MSwiZXhwIjoyLCJlYXRfbm9uY2UiOiJ6In0.AAAA",
        b"eyJhbGciOiJSUzI1NiIsIng1YyI6WyJNSUlCIiwiTUlJQiIsIk1JSUIiXX0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoieCIsInN1YiI6InkiLCJpYXQiOjEsIm5iZiI6MSwiZXhwIjoyLCJlYXRfbm9uY2UiOiJ6In0.AAAA",
        b"eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkIjoieCIsInN1YiI6InkiLCJpYXQiOjEsIm5iZiI6MSwiZXhwIjoyLCJlYXRfbm9uY2UiOiJ6In0.",
    ];
    variables: &[
        b"MCBN_LISTEN=127.0.0.1:7443\0MCBN_SHARE=alice=fd:3,bob=fd:4\0PATH=/bin",
        b"MCBN_TLS12=true\0MCBN_SHARE=a=fd:3\0MCBN_LOG_LEVEL=debug",
        b"MCBN_KEY=2c6f63f8c0f53a565db041b91c0a95ad\0MCBN_=1",
    ];
}
