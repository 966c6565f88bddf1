//! Who may do what with which resource, and the access tokens that say who asks.

use std::collections::HashMap;
use std::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use axum::extract::Request;
use openssl::rand::rand_bytes;

use super::SCOPE;
use super::service::{EXPIRED, bearer};
use super::service_account::ServiceAccount;
use super::wire::Refusal;
use crate::confidential_space::key::hex;

/// How long an access token is good, unless a service is told otherwise. The real ones say a second less.
pub(super) const LIFETIME: Duration = Duration::from_secs(3599);

/// The roles that these services know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// `roles/cloudkms.publicKeyViewer`
    PublicKeyViewer,
    /// `roles/cloudkms.signer`: it may not read the public key.
    Signer,
    /// `roles/cloudkms.signerVerifier`
    SignerVerifier,
    /// `roles/cloudkms.cryptoKeyEncrypter`
    Encrypter,
    /// `roles/cloudkms.cryptoKeyDecrypter`: of symmetric and of asymmetric keys.
    Decrypter,
    /// `roles/secretmanager.secretAccessor`
    SecretAccessor,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Permission {
    ViewPublicKey,
    Sign,
    Encrypt,
    Decrypt,
    AccessSecret,
}

impl Permission {
    fn name(self) -> &'static str {
        match self {
            Self::ViewPublicKey => "cloudkms.cryptoKeyVersions.viewPublicKey",
            Self::Sign => "cloudkms.cryptoKeyVersions.useToSign",
            Self::Encrypt => "cloudkms.cryptoKeyVersions.useToEncrypt",
            Self::Decrypt => "cloudkms.cryptoKeyVersions.useToDecrypt",
            Self::AccessSecret => "secretmanager.versions.access",
        }
    }

    /// The service that asks for it.
    fn audience(self) -> &'static str {
        match self {
            Self::AccessSecret => "https://secretmanager.googleapis.com/",
            _ => "https://cloudkms.googleapis.com/",
        }
    }

    fn scope(self) -> Option<&'static str> {
        // Secret Manager has none of its own.
        (self != Self::AccessSecret).then_some("https://www.googleapis.com/auth/cloudkms")
    }
}

impl Role {
    fn allows(self, permission: Permission) -> bool {
        use Permission::{AccessSecret, Decrypt, Encrypt, Sign, ViewPublicKey};
        match self {
            Self::PublicKeyViewer => permission == ViewPublicKey,
            Self::Signer => permission == Sign,
            Self::SignerVerifier => matches!(permission, Sign | ViewPublicKey),
            Self::Encrypter => permission == Encrypt,
            Self::Decrypter => permission == Decrypt,
            Self::SecretAccessor => permission == AccessSecret,
        }
    }
}

/// Bindings, tokens and accounts, all of which may change while the services run.
pub struct Iam(RwLock<State>);

struct State {
    /// Identifiers and numbers.
    projects: Vec<(String, String)>,
    bindings: Vec<Binding>,
    /// What was issued, and until when it is good.
    tokens: HashMap<String, (Grant, Instant)>,
    accounts: Vec<ServiceAccount>,
}

#[derive(PartialEq, Eq)]
struct Binding {
    member: String,
    resource: String,
    role: Role,
}

/// What an access token stands for.
pub(super) struct Grant {
    /// Every name that bindings may have for whoever holds it.
    pub(super) members: Vec<String>,
    pub(super) reach: Reach,
}

/// Where a token is good.
pub(super) enum Reach {
    Scopes(Vec<String>),
    Audience(String),
}

impl Iam {
    pub(super) fn new() -> Self {
        Self(RwLock::new(State {
            projects: vec![("example-project".to_owned(), "123456789012".to_owned())],
            bindings: Vec::new(),
            tokens: HashMap::new(),
            accounts: Vec::new(),
        }))
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().expect("no test panics while it changes this")
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0
            .write()
            .expect("no test panics while it changes this")
    }

    /// Another project.
    pub fn add_project(&self, id: &str, number: &str) {
        let project = (id.to_owned(), number.to_owned());
        self.write().projects.push(project);
    }

    /// Gives a member (`principalSet://…`, `principal://…`, `serviceAccount:…`) a role at a resource and at all below it.
    pub fn bind(&self, member: &str, resource: &str, role: Role) {
        let binding = self.binding(member, resource, role);
        self.write().bindings.push(binding);
    }

    /// Takes it away again, at once. There must be one.
    pub fn unbind(&self, member: &str, resource: &str, role: Role) {
        let binding = self.binding(member, resource, role);
        let mut state = self.write();
        let before = state.bindings.len();
        state.bindings.retain(|other| *other != binding);
        let is_gone = state.bindings.len() < before;
        drop(state);
        assert!(is_gone, "{member} has no such role at {resource}");
    }

    fn binding(&self, member: &str, resource: &str, role: Role) -> Binding {
        Binding {
            member: member.to_owned(),
            resource: self.canonical(resource),
            role,
        }
    }

    /// Makes an account with a key.
    pub fn add_service_account(&self, email: &str) -> ServiceAccount {
        let account = ServiceAccount::generate(email);
        self.write().accounts.push(account.clone());
        account
    }

    /// Deletes an account's key: what it signed is good no longer.
    pub fn remove_service_account(&self, account: &ServiceAccount) {
        self.write()
            .accounts
            .retain(|other| other.email() != account.email());
    }

    /// From now on, no access token that was issued until now is good, whatever was said of its lifetime.
    pub fn revoke_tokens(&self) {
        self.write().tokens.clear();
    }

    /// An access token for a member, as if some credential had been exchanged for it.
    pub fn issue_token(&self, member: &str) -> String {
        let grant = Grant {
            members: vec![member.to_owned()],
            reach: Reach::Scopes(vec![SCOPE.to_owned()]),
        };
        self.issue(grant, LIFETIME)
    }

    pub(super) fn issue(&self, grant: Grant, lifetime: Duration) -> String {
        let mut random = [0; 32];
        rand_bytes(&mut random).expect("OpenSSL has randomness");
        let token = format!("ya29-{}", hex(&random));
        let until = Instant::now() + lifetime;
        self.write().tokens.insert(token.clone(), (grant, until));
        token
    }

    /// The name of a resource with its project's number.
    pub(super) fn canonical(&self, resource: &str) -> String {
        let mut parts = resource.splitn(3, '/');
        let (Some("projects"), Some(id)) = (parts.next(), parts.next()) else {
            return resource.to_owned();
        };
        let state = self.read();
        let number = state.projects.iter().find(|(name, _)| name == id);
        let number = number.map_or(id, |(_, number)| number);
        match parts.next() {
            Some(rest) => format!("projects/{number}/{rest}"),
            None => format!("projects/{number}"),
        }
    }

    /// Whoever asks may not do it: 401 if nobody knows who asks, 403 if everybody does.
    pub(super) fn authorise(
        &self,
        request: &Request,
        permission: Permission,
        resource: &str,
    ) -> Result<(), Refusal> {
        let unknown = || Refusal::unauthenticated(EXPIRED);
        let token = bearer(request).ok_or_else(unknown)?;
        let name = self.canonical(resource);
        let state = self.read();
        let signed;
        let grant = match state.tokens.get(token) {
            Some((_, until)) if *until <= Instant::now() => return Err(unknown()),
            Some((grant, _)) => grant,
            None => {
                let accounts = &state.accounts;
                signed = accounts.iter().find_map(|account| account.grant(token));
                signed.as_ref().ok_or_else(unknown)?
            }
        };
        match &grant.reach {
            Reach::Scopes(scopes) => {
                let is_enough =
                    |scope: &String| scope == SCOPE || Some(scope.as_str()) == permission.scope();
                if !scopes.iter().any(is_enough) {
                    let message = "Request had insufficient authentication scopes.";
                    return Err(Refusal::denied(message));
                }
            }
            Reach::Audience(audience) if audience == permission.audience() => {}
            Reach::Audience(_) => return Err(unknown()),
        }
        let is_allowed = state.bindings.iter().any(|binding| {
            grant.members.contains(&binding.member)
                && binding.role.allows(permission)
                && name
                    .strip_prefix(&binding.resource)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if is_allowed {
            return Ok(());
        }
        Err(Refusal::denied(format!(
            "Permission '{}' denied on resource '{resource}' (or it may not exist).",
            permission.name()
        )))
    }
}
