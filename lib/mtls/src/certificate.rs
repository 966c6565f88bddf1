//! Certificates of our key, made anew for each run and before they end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyUsagePurpose,
    SanType, SerialNumber,
};
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;
use webpki::EndEntityCert;

use crate::error::Setup;
use crate::issuer::{self, Issuer};
use crate::key::Key;

/// What a certificate says beside the key.
#[derive(Clone, Debug)]
pub struct Subject {
    names: Vec<ServerName<'static>>,
}

impl Subject {
    /// The first name is the common name as well.
    pub fn new(names: Vec<ServerName<'static>>) -> Self {
        Self { names }
    }

    fn params(&self) -> Result<CertificateParams, Setup> {
        let failed = Setup::step("write the certificate's names");
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        if let Some(first) = self.names.first() {
            params
                .distinguished_name
                .push(DnType::CommonName, first.to_str().into_owned());
        }
        let names = self.names.iter().map(|name| match name {
            ServerName::IpAddress(address) => Ok(SanType::IpAddress((*address).into())),
            other => other.to_str().into_owned().try_into().map(SanType::DnsName),
        });
        params.subject_alt_names = names.collect::<Result<_, _>>().map_err(failed)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        Ok(params)
    }
}

/// A request that an outside CA makes a certificate of: PEM of PKCS #10 ([RFC 2986]).
///
/// [RFC 2986]: https://www.rfc-editor.org/rfc/rfc2986
pub fn request(key: &Key, subject: &Subject) -> Result<String, Setup> {
    let request = subject.params()?.serialize_request(key);
    let pem = request.and_then(|request| request.pem());
    pem.map_err(Setup::step("write the request"))
}

/// The key with a certificate of it that is good now.
///
/// Where the issuer is at hand, a new certificate takes the place of one that has passed half of its time, so that a
/// program may run for as long as it likes.
pub struct Credentials {
    key: Key,
    subject: Subject,
    issuer: Issuer,
    validity: Duration,
    clock: Arc<dyn TimeProvider>,
    issued: Mutex<Issued>,
}

struct Issued {
    certified: Arc<CertifiedKey>,
    renewed_at: Option<UnixTime>,
}

/// Clocks of peers may be behind ours.
const BACKDATED: Duration = Duration::from_secs(5 * 60);

impl Credentials {
    /// With a first certificate, which is good for `validity` and a little earlier.
    pub fn new(
        key: Key,
        subject: Subject,
        issuer: Issuer,
        validity: Duration,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, Setup> {
        let now = clock.current_time().ok_or_else(Setup::no_clock)?;
        let issued = issue(&key, &subject, &issuer, validity, now)?;
        Ok(Self {
            key,
            subject,
            issuer,
            validity,
            clock,
            issued: Mutex::new(issued),
        })
    }

    pub fn key(&self) -> &Key {
        &self.key
    }

    pub(crate) fn clock(&self) -> Arc<dyn TimeProvider> {
        Arc::clone(&self.clock)
    }

    /// The chain that is shown to peers, the leaf first.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.certified().cert.clone()
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        // What is in there is whole at any time.
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.current_time();
        if let (Some(now), Some(due)) = (now, issued.renewed_at)
            && now >= due
        {
            // Where it fails the old one is shown on: a peer will say when that is no longer good.
            if let Ok(new) = issue(&self.key, &self.subject, &self.issuer, self.validity, now) {
                *issued = new;
            }
        }
        Arc::clone(&issued.certified)
    }
}

fn issue(
    key: &Key,
    subject: &Subject,
    issuer: &Issuer,
    validity: Duration,
    now: UnixTime,
) -> Result<Issued, Setup> {
    let failed = || Setup::step("make the certificate");
    let mut params = subject.params()?;
    params.not_before = moment(now.as_secs().saturating_sub(BACKDATED.as_secs()))?;
    params.not_after = moment(now.as_secs().saturating_add(validity.as_secs()))?;
    params.serial_number = Some(serial()?);
    params.use_authority_key_identifier_extension = true;
    let chain = match issuer {
        Issuer::Own => {
            let own = params.self_signed(key).map_err(failed())?;
            vec![own.der().clone()]
        }
        Issuer::OfThisRun => {
            let mut of_ca = params.clone();
            of_ca.serial_number = Some(serial()?);
            let (ca, certificate) = issuer::of_this_run(of_ca).map_err(failed())?;
            let leaf = params.signed_by(key, &ca).map_err(failed())?;
            vec![leaf.der().clone(), certificate]
        }
        Issuer::Operators(ca) => {
            let leaf = params.signed_by(key, &ca.issuer()).map_err(failed())?;
            vec![leaf.der().clone(), ca.certificate().clone()]
        }
        Issuer::Outside(chain) => chain.clone(),
    };
    let is_ours = chain.first().is_some_and(|leaf| {
        EndEntityCert::try_from(leaf)
            .is_ok_and(|leaf| leaf.subject_public_key_info().as_ref() == key.spki())
    });
    if !is_ours {
        return Err(Setup::other_key());
    }
    let renewed_at = (!matches!(issuer, Issuer::Outside(_)))
        .then(|| UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + validity / 2));
    Ok(Issued {
        certified: Arc::new(CertifiedKey::new(chain, Arc::new(key.clone()))),
        renewed_at,
    })
}

fn moment(seconds: u64) -> Result<OffsetDateTime, Setup> {
    let seconds = i64::try_from(seconds).ok();
    let moment = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    moment.ok_or_else(Setup::no_clock)
}

/// Positive, and of 16 bytes whatever was drawn ([RFC 5280 §4.1.2.2]).
///
/// [RFC 5280 §4.1.2.2]: https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2
fn serial() -> Result<SerialNumber, Setup> {
    let mut bytes = [0; 16];
    openssl::rand::rand_bytes(&mut bytes).map_err(Setup::step("draw random bytes"))?;
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

impl ResolvesServerCert for Credentials {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified())
    }
}

impl ResolvesClientCert for Credentials {
    /// Whichever issuers the server names: none of them matters.
    fn resolve(
        &self,
        _issuers: &[&[u8]],
        _schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(self.certified())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("subject", &self.subject)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}
