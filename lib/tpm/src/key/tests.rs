use super::*;

/// The project's published sample, made by tpm2_encodeobject.
const SAMPLE: &str = include_str!("../../testdata/tss2_private.pem");

fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

/// The sample with some bytes of its structure put in the place of others.
fn changed(from: &str, to: &str) -> Result<KeyFile, NotAKey> {
    let (label, der) = der::pem::decode_vec(SAMPLE.as_bytes()).unwrap();
    let (from, to) = (hex(from), hex(to));
    let at = der.windows(from.len()).position(|bytes| bytes == from);
    let at = at.expect("the sample has it");
    let mut other = [&der[..at], &to, &der[at + from.len()..]].concat();
    // > SEQUENCE, one byte of length
    other[2] = u8::try_from(other.len() - 3).unwrap();
    let pem = der::pem::encode_string(label, LineEnding::LF, &other).unwrap();
    KeyFile::from_pem(pem.as_bytes())
}

#[test]
fn the_published_sample_is_read_field_for_field() {
    let key = KeyFile::from_pem(SAMPLE.as_bytes()).unwrap();
    assert!(!key.empty_auth);
    assert_eq!(key.policy, None);
    assert_eq!(key.parent, Parent::Primary(Hierarchy::Owner));
    // `openssl asn1parse` shows the octets; each begins with its size.
    let public = "0008000b0004004000000005000b0020\
                  9a6b739d7eb74e31555e9ba1a769ca244d6b7ead0f132c97e14d9b26ffb0e0ef";
    assert_eq!(key.public.bytes(), hex(public));
    let attributes: Vec<&str> = key.public.attributes().collect();
    assert_eq!(attributes, ["userWithAuth", "sign"]);
    assert!(key.public.is_opened_by_auth() && !key.public.has_policy());
    assert_eq!(key.private().len(), 0x9e);
    assert!(
        key.private()
            .starts_with(&hex("00207fb6505155387831330bdcb7c1f9"))
    );
    assert!(key.private().ends_with(&hex("a78054748c3dc8f6c8d739")));
}

#[test]
fn what_is_read_is_written_again() {
    let key = KeyFile::from_pem(SAMPLE.as_bytes()).unwrap();
    assert_eq!(key.to_pem(), SAMPLE);
}

#[test]
fn a_name_is_the_digest_of_the_public_part() {
    let key = KeyFile::from_pem(SAMPLE.as_bytes()).unwrap();
    // Computed by sha256sum over the bytes above, after the algorithm's number.
    assert_eq!(key.public.name().to_string(), NAME);
}

const NAME: &str = "000b6f838a53ae11af27af41595c496c3c95e7d91078edf58508215ecdee7d4f0849";

#[test]
fn a_true_flag_may_be_any_byte_but_zero() {
    // tpm2-tools writes 1.
    for (byte, flag) in [("01", true), ("ff", true), ("00", false)] {
        let key = changed("a003010100", &format!("a0030101{byte}")).unwrap();
        assert_eq!(key.empty_auth, flag, "{byte}");
    }
}

#[test]
fn a_persistent_parent_is_understood() {
    let key = changed("020440000001", "02050081000001").unwrap();
    assert_eq!(key.parent.to_string(), "0x81000001");
    assert_eq!(KeyFile::from_pem(key.to_pem().as_bytes()), Ok(key));
}

#[test]
fn a_key_of_another_form_is_refused() {
    for (from, to, reason) in [
        // Importable, and sealed data.
        ("0606678105", "0606678104", NotAKey::Kind),
        ("0a0103a003", "0a0104a003", NotAKey::Kind),
        // A length that says more than there is.
        ("0432003000", "0433003000", NotAKey::Der),
        ("04320030", "04320031", NotAKey::Size),
        ("0481a0009e", "0481a0009f", NotAKey::Size),
        // A transient handle.
        ("020440000001", "02050080000001", NotAKey::Parent),
        ("020440000001", "020440000002", NotAKey::Parent),
        // With an RSA parent, and with a secret for import.
        ("020440000001", "a5030101ff020440000001", NotAKey::RsaParent),
        (
            "020440000001",
            "a203040100020440000001",
            NotAKey::Unsupported,
        ),
        // A policy that the public part does not have.
        ("020440000001", "a1023000020440000001", NotAKey::Policy),
        // Neither a policy nor a use by its authorization value.
        ("0008000b00040040", "0008000b00040000", NotAKey::Policy),
        // RSA, SHA-1 names, XOR, a restricted key, one that decrypts.
        (
            "0008000b00040040",
            "0001000b00040040",
            NotAKey::Public(NotForThis::Malformed),
        ),
        (
            "0008000b00040040",
            "0008000400040040",
            NotAKey::Public(NotForThis::NameAlgorithm),
        ),
        (
            "0000000500",
            "0000000a00",
            NotAKey::Public(NotForThis::Malformed),
        ),
        (
            "0008000b00040040",
            "0008000b00050040",
            NotAKey::Public(NotForThis::Attributes),
        ),
        (
            "0008000b00040040",
            "0008000b00060040",
            NotAKey::Public(NotForThis::Attributes),
        ),
        (
            "0008000b00040040",
            "0008000b00000040",
            NotAKey::Public(NotForThis::Attributes),
        ),
    ] {
        assert_eq!(changed(from, to), Err(reason), "{to} for {from}");
    }
}

#[test]
fn what_is_no_pem_is_refused() {
    for text in [
        "",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        "-----BEGIN TSS2 PRIVATE KEY-----\n",
        "-----BEGIN TSS2 PRIVATE KEY-----\nA*AA\n-----END TSS2 PRIVATE KEY-----\n",
    ] {
        let refused = KeyFile::from_pem(text.as_bytes()).unwrap_err();
        assert_eq!(refused, NotAKey::Pem, "{text}");
    }
    for cut in 0..SAMPLE.len() - 2 {
        KeyFile::from_pem(&SAMPLE.as_bytes()[..cut]).unwrap_err();
    }
}

#[test]
fn parents_have_their_names() {
    for text in ["owner", "endorsement", "platform", "null", "0x81000001"] {
        let parent: Parent = text.parse().unwrap();
        assert_eq!(parent.to_string(), text);
        assert_eq!(Parent::of(parent.number()), Some(parent));
    }
    for text in [
        "",
        "Owner",
        "0x80000001",
        "81000001",
        "0x8100001",
        "0x+1000001",
    ] {
        assert_eq!(text.parse::<Parent>(), Err(NotAParent), "{text}");
    }
}
