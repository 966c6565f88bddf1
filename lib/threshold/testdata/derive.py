#!/usr/bin/env python3
"""Known answers for sharing, signing and combining, from the formulas alone: nothing here shares code with the crate.

    python3 -m venv venv && venv/bin/pip install py_ecc==8.0.0
    venv/bin/python derive.py | diff - threshold.json

coefficient i of a t-of-n set = SHA-256("keys-in-g1 t-of-n coefficient i"), big-endian, modulo the order; 0 is the key
share x = the polynomial at x, in Python's integers; commitment i = coefficient i times the generator of G1
signatures = Sign of py_ecc's G2ProofOfPossession; that of the group is made with the key itself
"""

import hashlib
import json

from py_ecc.bls import G2ProofOfPossession as bls
from py_ecc.optimized_bls12_381 import curve_order


def key(scalar):
    return bls.SkToPk(scalar).hex()


def scalar_hex(scalar):
    return scalar.to_bytes(32, "big").hex()


def answers(threshold, count):
    name = f"{threshold}-of-{count}"
    coefficients = [
        int.from_bytes(hashlib.sha256(f"keys-in-g1 {name} coefficient {i}".encode()).digest(), "big") % curve_order
        for i in range(threshold)
    ]
    shares = [
        sum(c * pow(x, i, curve_order) for i, c in enumerate(coefficients)) % curve_order
        for x in range(1, count + 1)
    ]
    texts = [b"", f"keys in G1, signatures in G2, {threshold} of {count}".encode()]
    return {
        "threshold": threshold,
        "count": count,
        "coefficients": [scalar_hex(c) for c in coefficients],
        "commitments": [key(c) for c in coefficients],
        "shares": [scalar_hex(s) for s in shares],
        "share_public_keys": [key(s) for s in shares],
        "messages": [
            {
                "message": text.hex(),
                "partial_signatures": [bls.Sign(s, text).hex() for s in shares],
                "signature": bls.Sign(coefficients[0], text).hex(),
            }
            for text in texts
        ],
    }


print(json.dumps({"sets": [answers(2, 3), answers(3, 5)]}, indent=1))
