//! What answers requests.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State as Shared};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::algorithm::{Family, Protection};
use super::material::SymmetricKey;
use super::messages::{AsymmetricDecryptRequest, DecryptRequest, EncryptRequest, SignRequest};
use super::signers::Signers;
use super::vault::{State, Vault, Version, is_key, is_version, not_enabled, wrong_purpose};
use crate::google_cloud::fault::Fault;
use crate::google_cloud::iam::{Iam, Permission};
use crate::google_cloud::service::{Call, Front};
use crate::google_cloud::wire::{self, Checksum, Enums, Refusal, base64, checksum};

/// The longest plaintext and additional data, in bytes.
const PLAINTEXT: usize = 64 << 10;

pub(super) struct Desk {
    pub(super) front: Arc<Front>,
    pub(super) iam: Arc<Iam>,
    pub(super) vault: Arc<Vault>,
    pub(super) signers: Arc<Signers>,
}

pub(super) async fn answer(Shared(desk): Shared<Arc<Desk>>, request: Request) -> Response {
    let (call, name) = route(request.method(), request.uri().path());
    let serving = (call == Call::Sign).then(|| desk.signers.arrive());
    let fault = match desk.front.meet(call).await {
        Ok(fault) => fault,
        Err(refusal) => return refusal,
    };
    let answer = match call {
        Call::PublicKey => desk.public_key(&name, request, fault),
        Call::Sign => desk.sign(&name, request, fault).await,
        Call::AsymmetricDecrypt => desk.asymmetric_decrypt(&name, request, fault).await,
        Call::Encrypt => desk.encrypt(&name, request, fault).await,
        Call::Decrypt => desk.decrypt(&name, request, fault).await,
        _ => Err(Refusal::not_found("Requested entity was not found.")),
    };
    drop(serving);
    answer.map(Json).into_response()
}

/// What a request is for, and of which resource.
fn route(method: &Method, path: &str) -> (Call, String) {
    let found = || {
        let path = path.strip_prefix("/v1/")?;
        if *method == Method::GET {
            let name = path.strip_suffix("/publicKey")?;
            return is_version(name).then_some((Call::PublicKey, name));
        }
        let (name, verb) = path.rsplit_once(':')?;
        let call = match verb {
            "asymmetricSign" if is_version(name) => Call::Sign,
            "asymmetricDecrypt" if is_version(name) => Call::AsymmetricDecrypt,
            "encrypt" if is_key(name) => Call::Encrypt,
            "decrypt" if is_key(name) => Call::Decrypt,
            _ => return None,
        };
        (*method == Method::POST).then_some((call, name))
    };
    let (call, name) = found().unwrap_or((Call::Other, ""));
    (call, name.to_owned())
}

impl Desk {
    /// The version of a request, for whoever may use it so.
    fn version(
        &self,
        name: &str,
        request: &Request,
        permission: Permission,
        fault: Option<Fault>,
    ) -> Result<Version, Refusal> {
        self.iam.authorise(request, permission, name)?;
        if fault == Some(Fault::Disabled) {
            return Err(not_enabled(name, State::Disabled));
        }
        self.vault.version(name)
    }

    /// The primary version of a symmetric key, with its name, likewise.
    fn primary(
        &self,
        name: &str,
        request: &Request,
        permission: Permission,
        fault: Option<Fault>,
    ) -> Result<(String, SymmetricKey, Protection), Refusal> {
        self.iam.authorise(request, permission, name)?;
        let primary = format!("{name}/cryptoKeyVersions/1");
        if fault == Some(Fault::Disabled) {
            return Err(not_enabled(&primary, State::Disabled));
        }
        let (key, protection) = self.vault.primary(name)?;
        Ok((primary, key, protection))
    }

    fn public_key(
        &self,
        name: &str,
        request: Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        let (enums, format) = wire::parameters(&request, "publicKeyFormat")?;
        let version = self.version(name, &request, Permission::ViewPublicKey, fault)?;
        let mut answer = said_of(name, version.protection, enums, fault);
        answer["algorithm"] = version.algorithm.write(enums);
        let is_right = fault != Some(Fault::WrongChecksum);
        let mut checked = |key: &[u8], number, name| {
            answer["publicKeyFormat"] = enums.write(name, number);
            answer["publicKey"] = json!({
                "data": base64(key),
                "crc32cChecksum": checksum(key, is_right),
            });
        };
        let mut pem = version.material.public_pem();
        let mut der = version.material.public_der();
        if fault == Some(Fault::WrongBytes) {
            pem = pem.replace("PUBLIC", "PUBLIQ");
            change_a_bit(&mut der);
        }
        match format.as_deref() {
            None | Some("0" | "PUBLIC_KEY_FORMAT_UNSPECIFIED") => {}
            Some("1" | "PEM") => checked(pem.as_bytes(), 1, "PEM"),
            Some("2" | "DER") => {
                checked(&der, 2, "DER");
                return Ok(answer);
            }
            Some(other) => {
                let message = format!("Public keys of {name} are not given in format {other}.");
                return Err(Refusal::invalid(message));
            }
        }
        answer["pemCrc32c"] = json!(checksum(pem.as_bytes(), is_right));
        answer["pem"] = json!(pem);
        Ok(answer)
    }

    async fn sign(
        &self,
        name: &str,
        request: Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        let (enums, _) = wire::parameters(&request, "")?;
        let version = self.version(name, &request, Permission::Sign, fault)?;
        let body: SignRequest = wire::body(request).await?;
        let entry = version.algorithm.entry();
        if matches!(entry.family, Family::Oaep(_)) {
            return Err(wrong_purpose(name, "ASYMMETRIC_DECRYPT"));
        }
        let digest = body
            .digest
            .ok_or_else(|| Refusal::invalid("There must be one digest."))?
            .of(entry.hash)?;
        let is_verified = Checksum::verify(body.digest_crc32c, "digest_crc32c", &digest)?;

        let turn = self.signers.turn().await;
        let key = Arc::clone(&version.material);
        let signature = apart(move || key.sign(entry, &digest)).await;
        drop(turn);
        let signature = signature.expect("a key of the algorithm signs its digests");
        let mut answer = said_of(name, version.protection, enums, fault);
        say_bytes(&mut answer, "signature", signature, fault);
        say_verified(&mut answer, "verifiedDigestCrc32c", is_verified, fault);
        Ok(answer)
    }

    async fn asymmetric_decrypt(
        &self,
        name: &str,
        request: Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        let (enums, _) = wire::parameters(&request, "")?;
        let version = self.version(name, &request, Permission::Decrypt, fault)?;
        let body: AsymmetricDecryptRequest = wire::body(request).await?;
        let entry = version.algorithm.entry();
        if !matches!(entry.family, Family::Oaep(_)) {
            return Err(wrong_purpose(name, "ASYMMETRIC_SIGN"));
        }
        let ciphertext = body.ciphertext.0;
        let is_verified =
            Checksum::verify(body.ciphertext_crc32c, "ciphertext_crc32c", &ciphertext)?;
        let key = Arc::clone(&version.material);
        let plaintext = apart(move || key.decrypt(entry, &ciphertext)).await;
        let plaintext = plaintext.map_err(|_| not_of_this_key())?;
        let mut answer = unnamed(version.protection, enums, fault);
        say_bytes(&mut answer, "plaintext", plaintext, fault);
        say_verified(&mut answer, "verifiedCiphertextCrc32c", is_verified, fault);
        Ok(answer)
    }

    async fn decrypt(
        &self,
        name: &str,
        request: Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        let (enums, _) = wire::parameters(&request, "")?;
        let (_, key, protection) = self.primary(name, &request, Permission::Decrypt, fault)?;
        let body: DecryptRequest = wire::body(request).await?;
        let (ciphertext, data) = (body.ciphertext.0, body.additional_authenticated_data.0);
        Checksum::verify(body.ciphertext_crc32c, "ciphertext_crc32c", &ciphertext)?;
        let field = "additional_authenticated_data_crc32c";
        Checksum::verify(body.additional_authenticated_data_crc32c, field, &data)?;
        let plaintext = key
            .decrypt(&ciphertext, &data)
            .ok_or_else(not_of_this_key)?;
        let mut answer = unnamed(protection, enums, fault);
        say_bytes(&mut answer, "plaintext", plaintext, fault);
        answer["usedPrimary"] = json!(true);
        Ok(answer)
    }

    async fn encrypt(
        &self,
        name: &str,
        request: Request,
        fault: Option<Fault>,
    ) -> Result<Value, Refusal> {
        let (enums, _) = wire::parameters(&request, "")?;
        let (primary, key, protection) =
            self.primary(name, &request, Permission::Encrypt, fault)?;
        let body: EncryptRequest = wire::body(request).await?;
        let (plaintext, data) = (body.plaintext.0, body.additional_authenticated_data.0);
        if plaintext.len().max(data.len()) > PLAINTEXT {
            return Err(Refusal::invalid("More than 64 KiB cannot be encrypted."));
        }
        let is_verified = Checksum::verify(body.plaintext_crc32c, "plaintext_crc32c", &plaintext)?;
        let field = "additional_authenticated_data_crc32c";
        let is_data_verified =
            Checksum::verify(body.additional_authenticated_data_crc32c, field, &data)?;
        let ciphertext = key.encrypt(&plaintext, &data);
        let mut answer = said_of(&primary, protection, enums, fault);
        say_bytes(&mut answer, "ciphertext", ciphertext, fault);
        say_verified(&mut answer, "verifiedPlaintextCrc32c", is_verified, fault);
        let field = "verifiedAdditionalAuthenticatedDataCrc32c";
        say_verified(&mut answer, field, is_data_verified, fault);
        Ok(answer)
    }
}

/// Work that keeps no other request waiting.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let done = tokio::task::spawn_blocking(work).await;
    done.expect("OpenSSL does not panic")
}

/// What an answer says of the version that made it.
fn said_of(name: &str, protection: Protection, enums: Enums, fault: Option<Fault>) -> Value {
    let name = match fault {
        Some(Fault::OtherName) => format!("{name}0"),
        _ => name.to_owned(),
    };
    let mut answer = unnamed(protection, enums, fault);
    answer["name"] = json!(name);
    answer
}

/// What the answer to a decryption says, which names nothing.
fn unnamed(protection: Protection, enums: Enums, fault: Option<Fault>) -> Value {
    let protection = match fault {
        Some(Fault::OtherProtection) => protection.another(),
        _ => protection,
    };
    json!({ "protectionLevel": protection.write(enums) })
}

/// Bytes and their checksum.
fn say_bytes(answer: &mut Value, field: &str, mut bytes: Vec<u8>, fault: Option<Fault>) {
    if fault == Some(Fault::WrongBytes) {
        change_a_bit(&mut bytes);
    }
    let checksum = checksum(&bytes, fault != Some(Fault::WrongChecksum));
    answer[field] = json!(base64(&bytes));
    answer[format!("{field}Crc32c")] = json!(checksum);
}

/// JSON has no field for what is false.
fn say_verified(answer: &mut Value, field: &str, is_verified: bool, fault: Option<Fault>) {
    if is_verified && fault != Some(Fault::Unverified) {
        answer[field] = json!(true);
    }
}

fn not_of_this_key() -> Refusal {
    Refusal::invalid("Decryption failed: verify that 'name' refers to the correct CryptoKey.")
}

/// In the middle, where neither an encoding's head nor its tail is.
fn change_a_bit(bytes: &mut [u8]) {
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
}
