#!/usr/bin/env python3
"""Known answers for the derivations, from the formulas alone: nothing here shares code with the crate.

    python3 derive.py | diff - derive.json

hkdf-v1 (HKDF of RFC 5869 on Python's own HMAC):
    ikm  = for each participant in bytewise order of name:
           u16be(len(name)) || name || u16be(len(share)) || share
    salt = SHA-256 of the consent manifest's exact bytes, or 32 zero bytes
    prk  = HMAC-SHA256(key = salt, data = ikm)
    info = "mcbn/v1/" || purpose || 0x00 || u16be(len(context)) || context
    out  = HMAC-SHA256(key = prk, data = info || 0x01), which is HKDF-Expand for 32 bytes

shamir-v1 (GF(256) by tables of logarithms, where the crate has none):
    each byte of a share = secret byte + c1 x + c2 x^2 + ... in the field of AES, x = 1, 2, 3, ...
    coefficient i = SHA-256("coefficient" || byte i), so that the shares can be made again
    ikm  = u16be(0) || u16be(32) || secret, then as hkdf-v1

xor-sha256: SHA-256 of the XOR of the decoded shares.
"""

import hashlib
import hmac
import json
import pathlib


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def framed(field):
    return len(field).to_bytes(2, "big") + field


def hkdf_v1(entries, manifest, purpose, context):
    ikm = b"".join(framed(name.encode()) + framed(share) for name, share in sorted(entries))
    salt = sha256(manifest) if manifest is not None else bytes(32)
    prk = hmac_sha256(salt, ikm)
    info = b"mcbn/v1/" + purpose.encode() + b"\0" + framed(context)
    return hmac_sha256(prk, info + b"\x01")


POWERS = [1]
while len(POWERS) < 255:
    x = POWERS[-1]
    doubled = x << 1 if x < 128 else (x << 1) ^ 0x11B
    POWERS.append(doubled ^ x)
LOGARITHM = {power: i for i, power in enumerate(POWERS)}


def multiply(a, b):
    return 0 if a == 0 or b == 0 else POWERS[(LOGARITHM[a] + LOGARITHM[b]) % 255]


def shamir_share(secret, coefficients, x):
    out = bytearray()
    for i, byte in enumerate(secret):
        value, power = byte, 1
        for c in coefficients:
            power = multiply(power, x)
            value ^= multiply(c[i], power)
        out.append(value)
    return bytes([x]) + bytes(out)


published = json.loads((pathlib.Path(__file__).parent / "combine.json").read_text())
SHARES = {name: bytes.fromhex(share) for name, share in published["shares_hex"].items()}
MANIFEST = b'network = "example"\n'

hkdf = []
for names, manifest, purpose, context in [
    ("alice bob carol", None, "tls-psk", b"Client1"),
    ("alice bob carol", MANIFEST, "tls-psk", b"Client1"),
    ("alice bob carol", MANIFEST, "tls-psk", b"Client2"),
    ("alice bob carol", MANIFEST, "tls-psk", b""),
    ("alice bob carol", MANIFEST, "dtls-psk", b"Client1"),
    ("alice bob carol", MANIFEST, "detrsa-seed", b"2048"),
    ("alice bob carol", MANIFEST, "tpm-psk", b"Client1"),
    ("alice bob carol", None, "tpm-psk", b"Client1"),
    ("alice bob", None, "tls-psk", b"Client1"),
    ("carol", None, "tls-psk", b"Client1"),
]:
    entries = [(name, SHARES[name]) for name in names.split()]
    hkdf.append({
        "participants": names.split(),
        "manifest": manifest.decode() if manifest is not None else None,
        "purpose": purpose,
        "context": context.decode(),
        "key_hex": hkdf_v1(entries, manifest, purpose, context).hex(),
    })

# The names' order is that of their bytes: "a-b" < "a.b" < "a0" < "a_b" < "ab".
ORDER = ["ab", "a_b", "a0", "a.b", "a-b"]
ordered = {name: sha256(name.encode()) for name in ORDER}
order = {
    "shares_hex": {name: share.hex() for name, share in ordered.items()},
    "tls_psk_client1_hex": hkdf_v1(ordered.items(), None, "tls-psk", b"Client1").hex(),
}

secret = sha256(b"the secret that is shared out")
shamir = []
for threshold, count in [(2, 3), (3, 5), (7, 10)]:
    coefficients = [sha256(b"coefficient" + bytes([i])) for i in range(1, threshold)]
    shamir.append({
        "threshold": threshold,
        "secret_hex": secret.hex(),
        "coefficients_hex": [c.hex() for c in coefficients],
        "shares_hex": [shamir_share(secret, coefficients, x).hex() for x in range(1, count + 1)],
        "tls_psk_client1_hex": hkdf_v1([("", secret)], MANIFEST, "tls-psk", b"Client1").hex(),
    })

xor = bytes(a ^ b ^ c for a, b, c in zip(*SHARES.values()))

print(json.dumps({
    "source": "derive.py beside this file",
    "manifest": MANIFEST.decode(),
    "hkdf_v1": hkdf,
    "hkdf_v1_order": order,
    "xor_sha256_hex": sha256(xor).hex(),
    "shamir_v1": shamir,
}, indent=1))
