//! What participants and the two servers say to each other: bodies in JSON, read as [`mcbn_body`] reads them.
//!
//! | request | asks with | is answered with |
//! |---|---|---|
//! | `POST /v1/generation` | nothing | [`Announcement`] |
//! | `POST /v1/generation/standing` | nothing | [`Standing`] |
//! | `POST /v1/generation/approve` | [`AskApprove`] | [`Standing`] |
//! | `POST /v1/generation/share` | [`AskShare`] | [`GivenShare`] |
//! | `POST /v1/generation/confirm` | [`AskConfirm`] | [`Standing`] |
//! | `POST /v1/generation/receipt` | nothing | [`GivenReceipt`] |
//! | `POST /v1/signing` | nothing | [`Session`] |
//! | `POST /v1/signing/announce` | [`AskAnnounce`] | [`Announced`] |
//! | `POST /v1/signing/submit` | [`AskSubmit`] | [`OpenRequest`] |
//! | `POST /v1/signing/request` | [`AskRequest`] | [`OpenRequest`] |
//! | `POST /v1/signing/requests` | [`AskRequests`] | [`OpenRequests`] |
//!
//! Whatever else happens is a [`Refusal`], under the HTTP status of its [`Code`]. How an answer and its token stand
//! together is for the attested connection to say: what the token is over, are these bytes.
//!
//! `lib/ceremony/openapi.yaml` says the same for programs of others: every body and header, its form and its length, and
//! which refusals there are for each request. `tests/openapi` holds messages and servers to it.
//!
//! Keys, ids, signatures and commitments are unpadded base64url, digests hex as people compare them, participants their
//! numbers. Each has one text. A value that was read is valid by itself: a key is a point of its group, a purpose can
//! be shown; whether it is genuine, the state machines say.
//!
//! The largest answer, a receipt of 255 participants, fits the largest body.

mod fixed;
mod generate;
mod refusal;
mod sign;

pub use generate::{
    Announcement, AskApprove, AskConfirm, AskShare, GivenReceipt, GivenShare, Phase, Standing,
};
pub use mcbn_body::{LARGEST as LARGEST_BODY, NotAMessage, read, write};
pub use refusal::{Code, Refusal};
pub use sign::{
    Announced, AskAnnounce, AskRequest, AskRequests, AskSubmit, OpenRequest, OpenRequests, Session,
    Shares,
};

/// Where the messages go.
pub mod path {
    pub mod generation {
        pub const ANNOUNCEMENT: &str = "/v1/generation";
        pub const STANDING: &str = "/v1/generation/standing";
        pub const APPROVE: &str = "/v1/generation/approve";
        pub const SHARE: &str = "/v1/generation/share";
        pub const CONFIRM: &str = "/v1/generation/confirm";
        pub const RECEIPT: &str = "/v1/generation/receipt";
    }

    pub mod signing {
        pub const SESSION: &str = "/v1/signing";
        pub const ANNOUNCE: &str = "/v1/signing/announce";
        pub const SUBMIT: &str = "/v1/signing/submit";
        pub const REQUEST: &str = "/v1/signing/request";
        pub const REQUESTS: &str = "/v1/signing/requests";
    }
}

#[cfg(test)]
mod tests;
