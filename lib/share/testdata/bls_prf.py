#!/usr/bin/env python3
"""Known answers for bls-prf-v1, from the formulas alone: nothing here shares code with the crate.

    python3 -m venv venv && venv/bin/pip install py_ecc==8.0.0
    venv/bin/python bls_prf.py | diff - bls_prf.json

message = "mcbn/v1/consent" || 0x00 || SHA-256 of the manifest
ikm     = the group's signature of it, compressed, in the ciphersuite BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_
salt    = SHA-256 of the manifest, then as hkdf-v1
coefficient i of the group's polynomial = SHA-256("bls-prf-v1 coefficient i"), modulo the order; 0 is the key
"""

import hashlib
import hmac
import json

from py_ecc.bls import G2ProofOfPossession as bls
from py_ecc.optimized_bls12_381 import curve_order

MANIFEST = b'network = "example"\n'


def sha256(data):
    return hashlib.sha256(data).digest()


def hmac_sha256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


coefficients = [int.from_bytes(sha256(f"bls-prf-v1 coefficient {i}".encode()), "big") % curve_order for i in range(2)]
shares = [sum(c * x**i for i, c in enumerate(coefficients)) % curve_order for x in (1, 2, 3)]
message = b"mcbn/v1/consent\0" + sha256(MANIFEST)
signature = bls.Sign(coefficients[0], message)
prk = hmac_sha256(sha256(MANIFEST), signature)
context = b"Client1"
info = b"mcbn/v1/tls-psk\0" + len(context).to_bytes(2, "big") + context

print(json.dumps({
    "source": "bls_prf.py beside this file",
    "manifest": MANIFEST.decode(),
    "commitments_hex": [bls.SkToPk(c).hex() for c in coefficients],
    "shares_hex": [s.to_bytes(32, "big").hex() for s in shares],
    "consents_hex": [bls.Sign(s, message).hex() for s in shares],
    "tls_psk_client1_hex": hmac_sha256(prk, info + b"\x01").hex(),
}, indent=1))
