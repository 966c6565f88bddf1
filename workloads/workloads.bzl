"""The list of workloads: one line a folder. Tests that hold for every workload take it from here."""

WORKLOADS = [
    "psk-client",
    "psk-server",
]
