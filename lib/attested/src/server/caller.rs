//! The proof that a participant is at the other end.

use super::admission::Admission;
use crate::handshake::{exporter, is_full};
use mcbn_binding::Exporter;
use mcbn_manifest::Pin;
use rustls::ServerConnection;

/// Who asks: a participant who has shown their key on this connection. Made only from a finished TLS 1.3 handshake;
/// handlers have it as an extension of each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pin: Pin,
    exporter: Exporter,
}

impl Caller {
    /// Of the key that they have shown.
    pub fn pin(&self) -> &Pin {
        &self.pin
    }

    /// What both ends of this connection can compute, and nobody else: its channel binding.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Asks a finished handshake. rustls has checked that the client signed it with the key in this certificate.
    pub(super) fn of(connection: &ServerConnection, admission: &Admission) -> Option<Caller> {
        if !is_full(connection) {
            return None;
        }
        let pin = admission.admits(connection.peer_certificates()?).ok()?;
        let exporter = exporter(connection)?;
        Some(Caller { pin, exporter })
    }
}
