//! Who takes part.

use super::value::{Table, Value};
use super::{Distinct, MOST_PARTICIPANTS};
use crate::asked::{Place, label};
use crate::mistake::{Noted, Shown};
use crate::{
    Address, Asked, Cloud, CloudShare, Endpoint, Endpoints, Keeper, KeyName, Member, Name, Pin,
    SigningKey,
};
use mcbn_share::{Participant, Threshold};

/// `network` is missing where it is a mistake itself.
pub(super) fn members(
    value: Value<'_>,
    network: Option<&Name>,
    threshold: Option<(Threshold, Value<'_>)>,
) -> Result<Vec<Member>, Noted> {
    let mut names = Distinct::<Participant>::default();
    let mut keys = Distinct::<SigningKey>::default();
    let mut places = Places::default();
    let members = value.tables(|table| {
        let name = table.required("name", |value| names.parsed(value, "participant"));
        let asked = match table.has("share") {
            true => {
                let label = || match (&name, network) {
                    (Ok(name), Some(network)) => label(name, network),
                    // The manifest is none.
                    _ => String::new(),
                };
                places.cloud(table, label).map(Asked::Cloud)
            }
            false => places.keeper(table).map(Asked::Keeper),
        };
        let signing_key = table.optional("signing-key", |value| keys.parsed(value, "signing key"));
        Ok(Member {
            asked: asked?,
            signing_key: signing_key?,
            name: name?,
        })
    });
    let Some(count) = value.count() else {
        return members;
    };
    if count > MOST_PARTICIPANTS {
        return Err(value.note(format_args!(
            "{count} participants; a network has at most {MOST_PARTICIPANTS}"
        )));
    }
    match threshold {
        Some((threshold, at)) if threshold.get() > count => Err(at.note(format_args!(
            "a threshold of {} cannot be reached by {count} participant{}",
            threshold.get(),
            if count == 1 { "" } else { "s" },
        ))),
        _ => members,
    }
}

/// Those that have a participant already.
#[derive(Default)]
struct Places {
    keepers: Distinct<Address>,
    pins: Distinct<Pin>,
    /// Whichever version.
    secrets: Distinct<String>,
    keys: Distinct<KeyName>,
}

impl Places {
    fn keeper(&mut self, table: &mut Table<'_>) -> Result<Keeper, Noted> {
        let address = table.required("keeper", |value| self.keepers.parsed(value, "address"));
        let pin = table.required("pin", |value| self.pins.parsed(value, "pin"));
        let identity = table.never(
            "identity",
            "'identity' is for a share in Google Cloud: 'share' says where it is",
        );
        let ciphertext = table.never(
            "ciphertext",
            "'ciphertext' is for a share in Google Cloud: 'share' says which key opens it",
        );
        identity?;
        ciphertext?;
        Ok(Keeper {
            address: address?,
            pin: pin?,
        })
    }

    fn cloud(
        &mut self,
        table: &mut Table<'_>,
        label: impl FnOnce() -> String,
    ) -> Result<Cloud, Noted> {
        let no_keeper = ["keeper", "pin"].map(|key| {
            table.never(key, "a participant has a keeper and its pin, or a share in Google Cloud and an identity, not both")
        });
        let place = table.required("share", |value| {
            let place = value.parsed::<Place>()?;
            match &place {
                Place::Secret(version) => {
                    self.secrets
                        .admit(value, "secret", version.secret().to_owned())?;
                }
                Place::Key(key) => {
                    self.keys.admit(value, "key", key.clone())?;
                }
            }
            Ok(place)
        });
        let identity = table.required("identity", Value::parsed);
        let share = match place {
            Ok(Place::Secret(version)) => {
                let why = "'ciphertext' is for gcp-kms: a secret is the share itself";
                let none = table.never("ciphertext", why);
                none.map(|()| CloudShare::Secret(version))
            }
            Ok(Place::Key(key)) => {
                let ciphertext = table.required("ciphertext", Value::parsed);
                ciphertext.map(|ciphertext| CloudShare::Sealed {
                    key,
                    ciphertext,
                    label: label(),
                })
            }
            Err(noted) => {
                // Whether there must be one is not known.
                table.has("ciphertext");
                Err(noted)
            }
        };
        let [keeper, pin] = no_keeper;
        keeper?;
        pin?;
        Ok(Cloud {
            share: share?,
            identity: identity?,
        })
    }
}

/// Whoever answers gets tokens with which shares can be read. A workload gets its manifest from its operator, and asks with
/// tokens before it knows whether the participants agreed to it; so no manifest can send tokens to anybody else.
fn endpoint(value: Value<'_>) -> Result<Endpoint, Noted> {
    let endpoint: Endpoint = value.parsed()?;
    match endpoint.is_googles_or_loopback() {
        true => Ok(endpoint),
        false => Err(value.note(format_args!(
            "an endpoint is below googleapis.com, or a loopback address, not {}",
            Shown(endpoint.as_str())
        ))),
    }
}

/// `members` are missing where they are a mistake themselves.
pub(super) fn endpoints(value: Value<'_>, members: Option<&[Member]>) -> Result<Endpoints, Noted> {
    let endpoints = value.table(|table| {
        let kms = table.optional("kms", endpoint);
        let secret_manager = table.optional("secret-manager", endpoint);
        let sts = table.optional("sts", endpoint);
        Ok(Endpoints {
            kms: kms?,
            secret_manager: secret_manager?,
            sts: sts?,
        })
    });
    match members {
        Some(members) if members.iter().all(|member| member.cloud().is_none()) => Err(value.note(
            "'google-cloud' is for participants whose share is in Google Cloud, and there is none",
        )),
        _ => endpoints,
    }
}
