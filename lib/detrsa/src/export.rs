//! A key for programs that must hold it themselves.
//!
//! What leaves here is no longer under anyone's consent: whoever has the file is the network's member for ever.

use crate::RsaKey;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use zeroize::Zeroizing;

/// PEM of PKCS#8, `BEGIN PRIVATE KEY`.
pub fn pkcs8_pem(key: &RsaKey) -> Result<Zeroizing<Vec<u8>>, ErrorStack> {
    // To write it out: that is what was asked for.
    let key = PKey::private_key_from_pkcs8(key.pkcs8_der().expose_secret())?;
    Ok(Zeroizing::new(key.private_key_to_pem_pkcs8()?))
}
