//! The settings of a server of streams.

use mcbn_runtime::settings::Setting;
use mcbn_tunnel::settings::ServerRows;

pub const FORWARD: Setting = Setting::value(
    "forward",
    "HOST:PORT",
    "the plain TCP service that gets the decrypted streams; without it GET / is answered with ok",
)
.operator();

pub const INSECURE_PLAINTEXT_FORWARD: Setting = Setting::switch(
    "insecure-plaintext-forward",
    "let decrypted streams leave this machine in clear, to a --forward that is not loopback",
);

pub const MAX_HANDSHAKES: Setting = Setting::value(
    "max-handshakes",
    "N",
    "connections at one time whose peers have not shown yet that they know the key",
)
.default("1024")
.operator();

pub const ROWS: ServerRows = ServerRows {
    forward: FORWARD,
    insecure_plaintext_forward: INSECURE_PLAINTEXT_FORWARD,
    max_handshakes: MAX_HANDSHAKES,
    what: "streams",
};
