#!/usr/bin/env python3
"""Known answers for what participants sign and servers seal, from the formulas alone: nothing here shares code with the crate.

    pip install cryptography
    python3 derive.py | diff - derive.json

approval (Ed25519 of RFC 8032, by OpenSSL through the package cryptography):
    field(x) = u32be(len(x)) || x
    signed   = "mcbn/v1/consent-signature" || 0x00
               || field(request id) || field(manifest digest) || field(image digest)
               || field(t, 1 byte) || field(n, 1 byte)
               || field(field(key 1) || ... || field(key n)) || field(payload)

sealed (HPKE of RFC 9180 in base mode: its formulas, on X25519, HMAC and ChaCha20-Poly1305; held against the package's own):
    info = "mcbn/v1/threshold-share" || 0x00 || field(request id) || field(digest of the commitments)
    aad  = "mcbn/v1/threshold-share-owner" || 0x00 || field(index, 1 byte)
    out  = enc || ciphertext || tag

generation:
    digest       = SHA-256("mcbn/v1/threshold-commitments" || 0x00 || field(commitment 1) || ...)
    approval     = "mcbn/v1/threshold-generate" || 0x00 || field(purpose) || field(encryption key)
    confirmation = "mcbn/v1/threshold-confirm" || 0x00 || field(group key, which is commitment 1) || field(digest)

signing:
    signed       = "mcbn/v1/threshold-sign-sha256" || 0x00 || field(hash), for a hash
    announcement = "mcbn/v1/threshold-announce" || 0x00 || field(group key) || field(purpose) || field(signed)
    approval     = "mcbn/v1/threshold-sign" || 0x00 || field(group key) || field(purpose) || field(signed)
"""

import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


def sha256(data):
    return hashlib.sha256(data).digest()


def field(data):
    return len(data).to_bytes(4, "big") + data


def labelled(label, *fields):
    return label.encode() + b"\0" + b"".join(field(data) for data in fields)


def raw(key):
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def approval():
    keys = [Ed25519PrivateKey.from_private_bytes(sha256(b"participant %d" % number)) for number in (1, 2, 3)]
    request, manifest, image = (sha256(word) for word in (b"request", b"manifest", b"image"))
    payload = labelled("mcbn/v1/example", b"", b"what is done")
    signed = labelled(
        "mcbn/v1/consent-signature",
        request,
        manifest,
        image,
        bytes([2]),
        bytes([len(keys)]),
        b"".join(field(raw(key)) for key in keys),
        payload,
    )
    return {
        "request": request.hex(),
        "manifest": manifest.hex(),
        "image": image.hex(),
        "participants": [raw(key).hex() for key in keys],
        "payload": payload.hex(),
        "signed": signed.hex(),
        "pkcs8": keys[2]
        .private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .hex(),
        "signature": keys[2].sign(signed).hex(),
    }


KEM_SUITE = b"KEM" + bytes([0x00, 0x20])
HPKE_SUITE = b"HPKE" + bytes([0x00, 0x20, 0x00, 0x01, 0x00, 0x03])


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def labelled_extract(suite, salt, label, ikm):
    return hmac_sha256(salt, b"HPKE-v1" + suite + label + ikm)


def labelled_expand(suite, prk, label, info, length):
    """Of one block."""
    return hmac_sha256(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def seal(public, info, aad, plain, ikm):
    prk = labelled_extract(KEM_SUITE, b"", b"dkp_prk", ikm)
    ephemeral = X25519PrivateKey.from_private_bytes(labelled_expand(KEM_SUITE, prk, b"sk", b"", 32))
    enc = raw(ephemeral)
    prk = labelled_extract(
        KEM_SUITE, b"", b"eae_prk", ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    )
    shared = labelled_expand(KEM_SUITE, prk, b"shared_secret", enc + public, 32)
    context = (
        b"\0"
        + labelled_extract(HPKE_SUITE, b"", b"psk_id_hash", b"")
        + labelled_extract(HPKE_SUITE, b"", b"info_hash", info)
    )
    secret = labelled_extract(HPKE_SUITE, shared, b"secret", b"")
    key = labelled_expand(HPKE_SUITE, secret, b"key", context, 32)
    nonce = labelled_expand(HPKE_SUITE, secret, b"base_nonce", context, 12)
    return enc + ChaCha20Poly1305(key).encrypt(nonce, plain, aad)


def sealed():
    request, commitments, share, ephemeral = (
        sha256(word) for word in (b"request", b"commitments", b"share", b"ephemeral")
    )
    private = X25519PrivateKey.from_private_bytes(sha256(b"opening key"))
    info = labelled("mcbn/v1/threshold-share", request, commitments)
    aad = labelled("mcbn/v1/threshold-share-owner", bytes([7]))
    out = seal(raw(private), info, aad, share, ephemeral)
    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    # The package seals without aad.
    assert suite.decrypt(seal(raw(private), info, b"", share, ephemeral), private, info) == share
    return {
        "request": request.hex(),
        "commitments": commitments.hex(),
        "opening_key": sha256(b"opening key").hex(),
        "encryption_key": raw(private).hex(),
        "share": share.hex(),
        "ephemeral": ephemeral.hex(),
        "sealed": out.hex(),
    }


# The first group of lib/threshold/testdata/threshold.json: 2 of 3.
COMMITMENTS = [
    "b3d18c3a3991e91df9193801af7156800a5b55da313cde0a85114a0459e5912cbcab504b0a5d0bba72e0b94454d81973",
    "b9db429fbc9987c8dd2f83cedd70557c863ff933658edef2b40ed3a1cbb2f19ff6e3fde1039a0e1576d7e43e2afc4ff5",
]


def generation():
    commitments = [bytes.fromhex(commitment) for commitment in COMMITMENTS]
    digest = sha256(labelled("mcbn/v1/threshold-commitments", *commitments))
    purpose = b"sign the releases of Example"
    encryption_key = raw(X25519PrivateKey.from_private_bytes(sha256(b"opening key")))
    return {
        "commitments": COMMITMENTS,
        "digest": digest.hex(),
        "purpose": purpose.decode(),
        "encryption_key": encryption_key.hex(),
        "approval": labelled("mcbn/v1/threshold-generate", purpose, encryption_key).hex(),
        "confirmation": labelled("mcbn/v1/threshold-confirm", commitments[0], digest).hex(),
    }


def signing():
    key = bytes.fromhex(COMMITMENTS[0])
    purpose = b"sign the releases of Example"
    signed = labelled("mcbn/v1/threshold-sign-sha256", sha256(b"a message"))
    return {
        "hash": sha256(b"a message").hex(),
        "signed": signed.hex(),
        "purpose": purpose.decode(),
        "announcement": labelled("mcbn/v1/threshold-announce", key, purpose, signed).hex(),
        "approval": labelled("mcbn/v1/threshold-sign", key, purpose, signed).hex(),
    }


print(json.dumps({"approval": approval(), "sealed": sealed(), "generation": generation(), "signing": signing()}, indent=2))
