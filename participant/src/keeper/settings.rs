//! The settings of all the keeper's programs. A row that several have stands here once.

use crate::trust::{INSECURE_ISSUER, JWKS, PKI_ROOT};
use mcbn_runtime::settings::Setting;

pub const LEDGER: Setting = Setting::value(
    "ledger",
    "FILE",
    "where every request, every decision and everything that a person said is written",
)
.required();

pub const MANIFEST: Setting = Setting::value(
    "manifest",
    "FILE",
    "the consent manifest: who takes part, and what a machine must prove",
)
.required();

pub const PARTICIPANT: Setting = Setting::value(
    "participant",
    "NAME",
    "whose keeper this is, by the manifest's name",
)
.required();

pub const SHARE: Setting = Setting::value(
    "share",
    "file:PATH|fd:N",
    "where the participant's share is read",
)
.required();

pub const KEY: Setting = Setting::value(
    "key",
    "FILE",
    "the keeper's TLS key, whose pin the manifest names; mcbn keeper key makes it",
)
.required();

pub const LISTEN: Setting = Setting::value(
    "listen",
    "ADDR:PORT",
    "where to answer workloads; [::] takes IPv4 as well",
)
.default("[::]:7400");

pub const ASK: Setting = Setting::switch(
    "ask",
    "let no machine have the share until a person has approved it",
);

pub const PAGE: Setting = Setting::value(
    "page",
    "ADDR:PORT",
    "a loopback address for a web page that shows requests and takes decisions; there is none unless it is given, and \
     mcbn keeper page prints where it is",
);

pub const MAX_CONNECTIONS: Setting = Setting::value(
    "max-connections",
    "N",
    "accepted connections at one time; one more is closed at once",
)
.default("1024");

pub const MAX_CONNECTIONS_PER_PEER: Setting = Setting::value(
    "max-connections-per-peer",
    "N",
    "connections at one time from one IPv4 address or IPv6 /64",
)
.default("512");

pub const MAX_HANDSHAKES: Setting = Setting::value(
    "max-handshakes",
    "N",
    "connections at one time that have not finished their TLS handshake",
)
.default("256");

pub const MAX_VERIFICATIONS: Setting = Setting::value(
    "max-verifications",
    "N",
    "tokens that are verified at one time",
)
.default("16");

pub const TOKENS_PER_MINUTE: Setting = Setting::value(
    "tokens-per-minute",
    "N",
    "tokens that are verified in a minute, and at once, for one IPv4 address or IPv6 /64",
)
.default("1200");

/// What keeper run has.
pub const OF_RUN: &[Setting] = &[
    MANIFEST,
    PARTICIPANT,
    SHARE,
    KEY,
    LISTEN,
    LEDGER,
    ASK,
    PAGE,
    INSECURE_ISSUER,
    JWKS,
    PKI_ROOT,
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_PEER,
    MAX_HANDSHAKES,
    MAX_VERIFICATIONS,
    TOKENS_PER_MINUTE,
];

pub const OUT: Setting = Setting::value("out", "FILE", "the new file").required();

pub const JSON: Setting = Setting::switch("json", "one JSON object a line, for programs");

pub const LAST: Setting = Setting::value("last", "N", "only the last entries, so many of them");

pub const HEAD: Setting = Setting::value(
    "head",
    "HASH",
    "a hash that was noted before: one of the entries must have it, or entries were cut off",
);

pub const ID: Setting = Setting::operand(
    "id",
    "ID",
    "the request, as mcbn keeper list names it; its first digits are enough",
)
.required();

pub const LEASE: Setting = Setting::operand(
    "lease",
    "LEASE",
    "the lease, as mcbn keeper list names it; its first digits are enough",
);

pub const INSTANCE: Setting = Setting::value(
    "instance",
    "ID",
    "revoke everything that this instance has, and give it nothing until it is approved",
);

pub const ALL: Setting = Setting::switch(
    "all",
    "withdraw consent from every instance, until mcbn keeper restore",
);

/// What the other programs have, so that one environment can do for all of them.
pub const OF_OTHERS: &[Setting] = &[OUT, JSON, LAST, HEAD, INSTANCE, ALL];
