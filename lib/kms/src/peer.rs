//! Whom we talk to.

use std::sync::Arc;
use std::time::Duration;

use mcbn_mutual::{PeerFault, no_chain, refused};
use mcbn_tls13::{End, Judge, Shown, provider};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::{CertificateError, CommonState, Error, HandshakeKind, ProtocolVersion, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use crate::certificate::{Leaf, certificates};
use crate::credentials::Version;
use crate::error::{NotACertificate, Unfit};
use crate::turn::Turn;

/// Who may be at the other end: whoever has a certificate of one of these CAs, with one of these names where there are any.
#[derive(Clone, Debug)]
pub struct Peers {
    roots: Arc<RootCertStore>,
    names: Vec<ServerName<'static>>,
}

impl Peers {
    /// The CAs are PEM; there is at least one.
    pub fn new(roots: &[u8], names: Vec<ServerName<'static>>) -> Result<Peers, NotACertificate> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(roots)? {
            let added = store.add(certificate);
            added.map_err(|_| NotACertificate::Malformed)?;
        }
        Ok(Peers {
            roots: Arc::new(store),
            names,
        })
    }

    /// What is asked for in the handshake.
    pub(crate) fn name(&self) -> Option<&ServerName<'static>> {
        self.names.first()
    }
}

/// Judges peers inside the handshake, and says how long their sessions may be resumed.
#[derive(Debug)]
pub(crate) struct Judgement {
    peers: Peers,
    algorithms: WebPkiSupportedAlgorithms,
    lifetime: Option<Duration>,
}

impl Judgement {
    pub(crate) fn new(peers: Peers, lifetime: Option<Duration>) -> Judgement {
        Judgement {
            peers,
            algorithms: provider().signature_verification_algorithms,
            lifetime,
        }
    }

    /// When what was shown ends, or the lifetime, whichever is first.
    fn good_until(&self, shown: Shown<'_>) -> Option<UnixTime> {
        let lifetime = self.lifetime?;
        let mut until = later(shown.now, lifetime);
        for certificate in std::iter::once(shown.certificate).chain(shown.others) {
            until = until.min(Leaf::read(certificate).ok()?.ends());
        }
        Some(until)
    }

    fn verify(&self, shown: Shown<'_>) -> Result<(), Error> {
        let leaf = EndEntityCert::try_from(shown.certificate).map_err(refused)?;
        let usage = match shown.peer {
            End::Client => KeyUsage::client_auth(),
            End::Server => KeyUsage::server_auth(),
        };
        leaf.verify_for_usage(
            self.algorithms.all,
            &self.peers.roots.roots,
            shown.others,
            shown.now,
            usage,
            None,
            None,
        )
        .map_err(no_chain)?;
        // webpki takes a certificate that says nothing of its uses.
        let own_words = Leaf::read(shown.certificate).map_err(|_| CertificateError::BadEncoding)?;
        own_words.is_for(shown.peer, shown.now).map_err(unfit)?;
        let names = &self.peers.names;
        let mut found = names
            .iter()
            .map(|name| leaf.verify_is_valid_for_subject_name(name));
        match names.is_empty() || found.any(|found| found.is_ok()) {
            true => Ok(()),
            false => Err(CertificateError::NotValidForName.into()),
        }
    }
}

impl Judge for Judgement {
    fn judge(&self, shown: Shown<'_>) -> Result<(), Error> {
        self.verify(shown)?;
        if let (Some(turn), Some(until)) = (Turn::current(), self.good_until(shown)) {
            turn.set_good_until(until);
        }
        Ok(())
    }
}

/// No later than times go.
fn later(now: UnixTime, by: Duration) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(
        now.as_secs().saturating_add(by.as_secs()),
    ))
}

fn unfit(why: Unfit) -> Error {
    Error::InvalidCertificate(match why {
        Unfit::Expired => CertificateError::Expired,
        Unfit::NotYetValid => CertificateError::NotValidYet,
        Unfit::Usage(_) => CertificateError::InvalidPurpose,
        Unfit::Unreadable(_) | Unfit::OtherKey => CertificateError::BadEncoding,
    })
}

/// The peer has shown who it is, in this handshake or in the one that this one resumes. Made only from a finished
/// handshake, never otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatedPeer {
    certificate: CertificateDer<'static>,
    resumed: bool,
}

impl AuthenticatedPeer {
    /// What the peer showed.
    pub fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// No signature was asked of either end.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Asks a finished handshake. Where it was full, rustls has asked the judge, and has checked that the peer signed it;
    /// where it was resumed nobody was asked, and the judge is now.
    pub(crate) fn of(
        connection: &CommonState,
        peer: End,
        judgement: &Judgement,
        (version, now): (Version, Option<UnixTime>),
    ) -> Result<AuthenticatedPeer, PeerFault> {
        let spoken = match version {
            Version::Tls12 => ProtocolVersion::TLSv1_2,
            Version::Tls13 => ProtocolVersion::TLSv1_3,
        };
        if connection.protocol_version() != Some(spoken) {
            return Err(PeerFault::Version);
        }
        let chain = connection.peer_certificates().unwrap_or_default();
        let (certificate, others) = chain.split_first().ok_or(PeerFault::NoCertificate)?;
        let resumed = match connection.handshake_kind() {
            Some(HandshakeKind::Full | HandshakeKind::FullWithHelloRetryRequest) => false,
            Some(HandshakeKind::Resumed) if judgement.lifetime.is_some() => true,
            _ => return Err(PeerFault::Protocol),
        };
        if resumed {
            let shown = Shown {
                peer,
                certificate,
                others,
                now: now.ok_or(PeerFault::Certificate)?,
            };
            judgement.verify(shown).map_err(|error| match error {
                Error::InvalidCertificate(refused) => PeerFault::of_certificate(&refused),
                _ => PeerFault::Certificate,
            })?;
        }
        Ok(AuthenticatedPeer {
            certificate: certificate.clone().into_owned(),
            resumed,
        })
    }
}
