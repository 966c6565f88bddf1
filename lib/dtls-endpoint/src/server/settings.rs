//! The settings of a server of datagrams.

use mcbn_runtime::settings::Setting;
use mcbn_tunnel::settings::ServerRows;

pub const FORWARD: Setting = Setting::value(
    "forward",
    "HOST:PORT",
    "the plain UDP service that gets the decrypted datagrams; without it each is answered with itself",
)
.operator();

pub const INSECURE_PLAINTEXT_FORWARD: Setting = Setting::switch(
    "insecure-plaintext-forward",
    "let decrypted datagrams leave this machine in clear, to a --forward that is not loopback",
);

pub const MAX_HANDSHAKES: Setting = Setting::value(
    "max-handshakes",
    "N",
    "connections at one time whose peers have shown where they are, and not yet that they know the key",
)
.default("1024")
.operator();

pub const ROWS: ServerRows = ServerRows {
    forward: FORWARD,
    insecure_plaintext_forward: INSECURE_PLAINTEXT_FORWARD,
    max_handshakes: MAX_HANDSHAKES,
    what: "datagrams",
};
