//! PKI tokens: whoever signs one proves it by a chain of certificates to a pinned root.

mod support;

use base64ct::{Base64, Encoding};
use mcbn_attest::{
    ChainFault, Expected, Issuer, Leeway, NotARoot, Refused, Root, TokenFault, TokenKind,
    Unverified, VerifiedToken, Verifier,
};
use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509;
use openssl::x509::extension::ExtendedKeyUsage;
use serde_json::{Value, json};
use support::authority::*;
use support::*;

fn pinning(root: &X509) -> Verifier {
    let root = Root::from_pem(&root.to_pem().unwrap()).unwrap();
    Verifier::pinned(Issuer::google(), root, Leeway::MAX)
}

fn header(chain: &[&X509]) -> Value {
    let encode = |c: &&X509| Base64::encode_string(&c.to_der().unwrap());
    let chain: Vec<String> = chain.iter().map(encode).collect();
    json!({"alg": "RS256", "typ": "JWT", "x5c": chain})
}

/// A token with this chain, signed by the issuer's key, for a verifier that pins the authority's root.
fn verify_with(chain: &[&X509]) -> Result<VerifiedToken, Refused> {
    let token = KEY.token_with(&header(chain), &claims());
    pinning(&AUTHORITY.root).verify(&token, &EXPECTED)
}

#[track_caller]
fn chain_fault(chain: &[&X509]) -> ChainFault {
    match token_fault(verify_with(chain)) {
        TokenFault::Chain(fault) => fault,
        other => panic!("not the chain's fault: {other:?}"),
    }
}

#[track_caller]
fn path_fault(chain: &[&X509]) -> webpki::Error {
    match chain_fault(chain) {
        ChainFault::Path(error) => error,
        other => panic!("not the path's fault: {other:?}"),
    }
}

#[test]
fn a_token_with_a_chain_to_the_root_is_verified() {
    let token = verify_with(&AUTHORITY.chain()).unwrap();
    assert_eq!(token.kind(), TokenKind::Pki);
    assert_eq!(token.claims().aud, [AUDIENCE]);
    let text = KEY.token_with(&header(&AUTHORITY.chain()), &claims());
    assert_eq!(Unverified::parse(&text).unwrap().kind(), TokenKind::Pki);
}

#[test]
fn a_chain_of_elliptic_curve_authorities_is_verified() {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = || PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let authority = Authority {
        root_key: key(),
        middle_key: key(),
        ..Authority::new()
    };
    let root = authority.root_certificate().issue();
    let middle = authority.middle_certificate().issue();
    let leaf = authority.leaf_certificate(&KEY.pkey()).issue();
    let token = KEY.token_with(&header(&[&leaf, &middle, &root]), &claims());
    assert!(pinning(&root).verify(&token, &EXPECTED).is_ok());
}

/// No extended key usage means attestation: there is nothing to ask for.
#[test]
fn a_leaf_with_any_extended_key_usage_is_taken() {
    let key = KEY.pkey();
    let mut usages = ExtendedKeyUsage::new();
    usages.code_signing();
    let leaf = Certificate {
        usages: Some(usages),
        ..AUTHORITY.leaf_certificate(&key)
    };
    let leaf = leaf.issue();
    assert!(verify_with(&[&leaf, &AUTHORITY.middle, &AUTHORITY.root]).is_ok());
}

#[test]
fn a_truncated_chain_is_refused() {
    let [leaf, middle, root] = AUTHORITY.chain();
    for chain in [&[][..], &[leaf], &[leaf, middle], &[leaf, root], &[root]] {
        assert_eq!(chain_fault(chain), ChainFault::Length, "{}", chain.len());
    }
}

#[test]
fn a_longer_chain_is_refused() {
    let [leaf, middle, root] = AUTHORITY.chain();
    for chain in [[leaf, middle, root, root], [leaf, middle, middle, root]] {
        assert_eq!(chain_fault(&chain), ChainFault::Length);
    }
}

#[test]
fn a_chain_in_another_order_is_refused() {
    let [leaf, middle, root] = AUTHORITY.chain();
    assert_eq!(chain_fault(&[root, middle, leaf]), ChainFault::OtherRoot);
    assert_eq!(chain_fault(&[leaf, root, middle]), ChainFault::OtherRoot);
    let swapped = path_fault(&[middle, leaf, root]);
    assert_eq!(swapped, webpki::Error::CaUsedAsEndEntity);
    assert_eq!(
        path_fault(&[leaf, root, root]),
        webpki::Error::UnknownIssuer
    );
    assert_eq!(
        path_fault(&[leaf, leaf, root]),
        webpki::Error::UnknownIssuer
    );
}

#[test]
fn a_self_made_root_is_refused() {
    let own = Authority::new();
    let [leaf, middle, root] = own.chain();
    // All its own, under the same names.
    assert_eq!(chain_fault(&[leaf, middle, root]), ChainFault::OtherRoot);
    // The pinned root beside a chain that it did not issue.
    let grafted = path_fault(&[leaf, middle, &AUTHORITY.root]);
    assert_eq!(grafted, webpki::Error::InvalidSignatureForPublicKey);
    let grafted = path_fault(&[leaf, &AUTHORITY.middle, &AUTHORITY.root]);
    assert_eq!(grafted, webpki::Error::InvalidSignatureForPublicKey);
}

/// The pinned root's key in another certificate is another root.
#[test]
fn a_root_that_was_issued_anew_is_refused() {
    let anew = Certificate {
        to: NOW + 2000 * DAY,
        ..AUTHORITY.root_certificate()
    };
    let [leaf, middle, _] = AUTHORITY.chain();
    assert_eq!(
        chain_fault(&[leaf, middle, &anew.issue()]),
        ChainFault::OtherRoot
    );
}

#[test]
fn a_leaf_that_issues_is_refused() {
    let (leaf_key, key) = (OTHER_KEY.pkey(), KEY.pkey());
    let leaf = AUTHORITY.leaf_certificate(&leaf_key).issue();
    let below = Certificate {
        name: "below",
        issuer: "leaf",
        issuer_key: &leaf_key,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let fault = path_fault(&[&below.issue(), &leaf, &AUTHORITY.root]);
    assert_eq!(fault, webpki::Error::EndEntityUsedAsCa);
    // Issued by the root itself, and still no authority.
    let direct = Certificate {
        issuer: "root",
        issuer_key: &AUTHORITY.root_key,
        ..AUTHORITY.leaf_certificate(&leaf_key)
    };
    let below = Certificate {
        name: "below",
        issuer: "leaf",
        issuer_key: &leaf_key,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let fault = path_fault(&[&below.issue(), &direct.issue(), &AUTHORITY.root]);
    assert_eq!(fault, webpki::Error::EndEntityUsedAsCa);
}

#[test]
fn an_authority_as_leaf_is_refused() {
    let key = KEY.pkey();
    let leaf = Certificate {
        authority: last_authority(),
        ..AUTHORITY.leaf_certificate(&key)
    };
    let fault = path_fault(&[&leaf.issue(), &AUTHORITY.middle, &AUTHORITY.root]);
    assert_eq!(fault, webpki::Error::CaUsedAsEndEntity);
}

/// Every certificate is genuine, but the one between the second and the root is left out.
#[test]
fn a_chain_with_a_link_missing_is_refused() {
    let lower_key = OTHER_KEY.pkey();
    let lower = Certificate {
        name: "lower",
        key: &lower_key,
        issuer: "middle",
        issuer_key: &AUTHORITY.middle_key,
        ..AUTHORITY.middle_certificate()
    };
    let key = KEY.pkey();
    let leaf = Certificate {
        issuer: "lower",
        issuer_key: &lower_key,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let fault = path_fault(&[&leaf.issue(), &lower.issue(), &AUTHORITY.root]);
    assert_eq!(fault, webpki::Error::UnknownIssuer);
}

/// A leaf straight from the root needs no intermediate: what stands there could be anything.
#[test]
fn a_leaf_of_the_root_is_refused() {
    let key = KEY.pkey();
    let leaf = Certificate {
        issuer: "root",
        issuer_key: &AUTHORITY.root_key,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let fault = chain_fault(&[&leaf.issue(), &AUTHORITY.middle, &AUTHORITY.root]);
    assert_eq!(fault, ChainFault::Length);
}

#[test]
fn an_expired_certificate_is_refused() {
    let key = KEY.pkey();
    let leaf = Certificate {
        to: NOW - 1,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let middle = Certificate {
        to: NOW - 1,
        ..AUTHORITY.middle_certificate()
    };
    let [good_leaf, good_middle, root] = AUTHORITY.chain();
    for chain in [
        [&leaf.issue(), good_middle, root],
        [good_leaf, &middle.issue(), root],
    ] {
        let fault = path_fault(&chain);
        assert!(
            matches!(fault, webpki::Error::CertExpired { .. }),
            "{fault:?}"
        );
    }
}

#[test]
fn a_certificate_that_is_not_valid_yet_is_refused() {
    let key = KEY.pkey();
    let leaf = Certificate {
        from: NOW + 1,
        ..AUTHORITY.leaf_certificate(&key)
    };
    let middle = Certificate {
        from: NOW + 1,
        ..AUTHORITY.middle_certificate()
    };
    let [good_leaf, good_middle, root] = AUTHORITY.chain();
    for chain in [
        [&leaf.issue(), good_middle, root],
        [good_leaf, &middle.issue(), root],
    ] {
        let fault = path_fault(&chain);
        assert!(
            matches!(fault, webpki::Error::CertNotValidYet { .. }),
            "{fault:?}"
        );
    }
}

/// webpki asks no anchor for its time.
#[test]
fn a_root_out_of_its_time_is_refused() {
    for (from, to) in [(NOW - 1000 * DAY, NOW - 1), (NOW + 1, NOW + 1000 * DAY)] {
        let root = Certificate {
            from,
            to,
            ..AUTHORITY.root_certificate()
        };
        let root = root.issue();
        let [leaf, middle, _] = AUTHORITY.chain();
        let token = KEY.token_with(&header(&[leaf, middle, &root]), &claims());
        let fault = token_fault(pinning(&root).verify(&token, &EXPECTED));
        let TokenFault::Chain(ChainFault::Root(error)) = fault else {
            panic!("not the root's fault: {fault:?}");
        };
        use webpki::Error::{CertExpired, CertNotValidYet};
        assert!(matches!(error, CertExpired { .. } | CertNotValidYet { .. }));
    }
}

#[test]
fn a_token_signed_by_another_than_the_leaf_is_refused() {
    let token = OTHER_KEY.token_with(&header(&AUTHORITY.chain()), &claims());
    let fault = token_fault(pinning(&AUTHORITY.root).verify(&token, &EXPECTED));
    assert_eq!(fault, TokenFault::Signature);
}

#[test]
fn a_leaf_with_another_sort_of_key_is_refused() {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let leaf = AUTHORITY.leaf_certificate(&key).issue();
    let fault = chain_fault(&[&leaf, &AUTHORITY.middle, &AUTHORITY.root]);
    assert_eq!(fault, ChainFault::Key);
}

#[test]
fn a_leaf_with_a_small_key_is_refused() {
    let small = Key::new("small", 1024);
    let key = small.pkey();
    let leaf = AUTHORITY.leaf_certificate(&key).issue();
    let chain = [&leaf, &AUTHORITY.middle, &AUTHORITY.root];
    let token = small.token_with(&header(&chain), &claims());
    let fault = token_fault(pinning(&AUTHORITY.root).verify(&token, &EXPECTED));
    assert_eq!(fault, TokenFault::Signature);
}

#[test]
fn certificates_that_are_none_are_refused() {
    let [leaf, middle, root] = AUTHORITY.chain();
    let good = header(&[leaf, middle, root]);
    let fault_with = |place: usize, value: Value| {
        let mut header = good.clone();
        header["x5c"][place] = value;
        let token = KEY.token_with(&header, &claims());
        token_fault(pinning(&AUTHORITY.root).verify(&token, &EXPECTED))
    };
    for place in 0..3 {
        let fault = fault_with(place, json!("MIIB*"));
        assert_eq!(fault, TokenFault::Chain(ChainFault::Base64));
        // No padding where there must be, and the alphabet of the token's parts.
        let fault = fault_with(place, json!("_-8"));
        assert_eq!(fault, TokenFault::Chain(ChainFault::Base64));
        assert!(matches!(
            fault_with(place, json!("AAAA")),
            TokenFault::Chain(_)
        ));
        assert_eq!(fault_with(place, json!(1)), TokenFault::NoParameter("x5c"));
    }
}

#[test]
fn a_token_of_the_other_kind_is_refused() {
    let pki = KEY.token_with(&header(&AUTHORITY.chain()), &claims());
    assert_eq!(fault(&pki), TokenFault::Parameter("x5c"));
    let oidc = KEY.token(&claims());
    let fault = token_fault(pinning(&AUTHORITY.root).verify(&oidc, &EXPECTED));
    assert_eq!(fault, TokenFault::NoParameter("x5c"));
}

#[test]
fn claims_of_a_certified_token_are_judged_too() {
    let expected = Expected {
        nonces: &NONCES[..2],
        ..EXPECTED
    };
    let token = KEY.token_with(&header(&AUTHORITY.chain()), &claims());
    let fault = token_fault(pinning(&AUTHORITY.root).verify(&token, &expected));
    assert_eq!(fault, TokenFault::Nonces);
}

#[test]
fn a_root_that_is_no_root_is_refused() {
    let pem = |certificate: &X509| String::from_utf8(certificate.to_pem().unwrap()).unwrap();
    let root = pem(&AUTHORITY.root);
    let two = format!("{root}{root}");
    let refused = |pem: &str| Root::from_pem(pem.as_bytes()).unwrap_err();
    let key = String::from_utf8(AUTHORITY.root_key.public_key_to_pem().unwrap()).unwrap();
    for none in ["", "root", &two, &key] {
        assert_eq!(refused(none), NotARoot::NotOne, "{none}");
    }
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(refused(no_certificate), NotARoot::Malformed);
    // Issued by another, or by itself; valid for years, or since the beginning of time.
    let alone = Certificate {
        authority: None,
        ..AUTHORITY.root_certificate()
    };
    let old = Certificate {
        authority: None,
        from: 0,
        ..AUTHORITY.root_certificate()
    };
    for none in [&AUTHORITY.leaf, &alone.issue(), &old.issue()] {
        assert_eq!(refused(&pem(none)), NotARoot::NotAnAuthority);
    }
    let old = Certificate {
        from: 0,
        ..AUTHORITY.root_certificate()
    };
    assert!(Root::from_pem(pem(&old.issue()).as_bytes()).is_ok());
}
