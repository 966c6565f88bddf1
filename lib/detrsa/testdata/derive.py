#!/usr/bin/env python3
"""Known answers for `chacha20-v1`, with a cipher, arithmetic and a DER writer that share no code with the crate.

    python3 derive.py | diff - derive.json

Miller-Rabin's bases are random here: the keys do not depend on them.
"""

import base64
import hashlib
import json
import random
import struct


def chacha20_block(key, counter, nonce):
    """RFC 8439 §2.3."""

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xFFFFFFFF
            word = state[z] ^ state[x]
            state[z] = (word << turn | word >> (32 - turn)) & 0xFFFFFFFF

    start = list(struct.unpack("<4I", b"expand 32-byte k") + struct.unpack("<8I", key) + (counter,) + struct.unpack("<3I", nonce))
    state = list(start)
    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for diagonal in range(4):
            quarter(diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, start)))


def stream(key):
    counter = 0
    while True:
        yield from chacha20_block(key, counter, bytes(12))
        counter += 1


def is_prime(n):
    """Miller-Rabin with 64 random bases."""
    if any(n % small == 0 for small in range(3, 2000, 2)):
        return False
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(64):
        x = pow(random.randrange(2, n - 1), odd, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def key(seed, bits):
    octets = stream(seed)

    def prime():
        while True:
            candidate = bytearray(next(octets) for _ in range(bits // 2 // 8))
            candidate[0] |= 0xC0
            candidate[-1] |= 0x01
            number = int.from_bytes(candidate, "big")
            if is_prime(number) and (number - 1) % 65537 != 0:
                return number

    p = prime()
    q = prime()
    while abs(p - q) <= 2 ** (bits // 2 - 100):
        q = prime()
    return max(p, q), min(p, q)


def der(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(number):
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def spki(n):
    rsa_encryption = bytes.fromhex("06092a864886f70d0101010500")
    public_key = der(0x30, integer(n) + integer(65537))
    return der(0x30, der(0x30, rsa_encryption) + der(0x03, b"\0" + public_key))


def entry(seed, bits):
    p, q = key(seed, bits)
    digest = hashlib.sha256(spki(p * q)).digest()
    return {
        "seed_hex": seed.hex(),
        "bits": bits,
        "p_hex": f"{p:x}",
        "q_hex": f"{q:x}",
        "spki_sha256_base64url": base64.urlsafe_b64encode(digest).decode().rstrip("="),
    }


SEEDS = [bytes(range(32)), hashlib.sha256(b"mcbn/v1/detrsa").digest()]
KEYS = [(SEEDS[0], 2048), (SEEDS[1], 2048), (SEEDS[0], 3072), (SEEDS[0], 4096)]

print(json.dumps({"chacha20_v1": [entry(*each) for each in KEYS]}, indent=1))
