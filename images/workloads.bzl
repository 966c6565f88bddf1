"""The workloads that become images, and what every image says of its origin."""

# Each is a folder of that name in workloads/, and a line here.
WORKLOADS = [
    "detrsa-mtls",
    "dtls-client",
    "dtls-server",
    "kms-mtls",
    "psk-client",
    "psk-server",
    "threshold-generate",
    "threshold-sign",
    "tpm-psk",
]

# No revision and no time: they would change the digest of an unchanged image.
SOURCE = "https://source.example/mcbn"
LICENSES = "Apache-2.0"
