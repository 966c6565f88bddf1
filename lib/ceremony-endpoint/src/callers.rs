//! Who may ask.

use std::collections::BTreeMap;
use std::fmt::Display;

use mcbn_attested::server::Caller;
use mcbn_ceremony::Terms;
use mcbn_ceremony::message::{Code, Refusal};
use mcbn_manifest::{Manifest, Pin};
use mcbn_share::Participant;
use mcbn_threshold::Index;

/// The participants, by the keys of their connections.
#[derive(Debug)]
pub struct Callers {
    indices: BTreeMap<Pin, Index>,
    names: Vec<Participant>,
}

impl Callers {
    /// Those of the terms, with the names that the manifest of the terms has for them.
    pub fn new(manifest: &Manifest, terms: &Terms) -> Self {
        let participants = terms.participants();
        let numbered = participants
            .keys()
            .iter()
            .zip(Index::all(participants.count()));
        let members = manifest.participants().iter();
        Self {
            indices: numbered.map(|(key, index)| (key.pin(), index)).collect(),
            names: members.map(|member| member.name.clone()).collect(),
        }
    }

    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// Who has shown this key: TLS lets in no other.
    pub fn index(&self, caller: &Caller) -> Result<Index, Refusal> {
        let index = self.indices.get(caller.pin()).copied();
        index.ok_or(Code::Approval.into())
    }

    /// Nobody speaks for another.
    pub fn own(&self, caller: &Caller, claimed: Index) -> Result<Index, Refusal> {
        match self.index(caller) {
            Ok(index) if index == claimed => Ok(index),
            _ => Err(Refusal {
                refused: Code::Approval,
                participant: Some(claimed),
            }),
        }
    }

    pub fn name(&self, index: Index) -> Participant {
        self.names[usize::from(index.get()) - 1].clone()
    }

    /// That something of this participant is refused, in the log.
    pub fn log(&self, index: Index, what: &str, reason: &dyn Display) {
        let participant = self.name(index);
        tracing::warn!(%participant, %reason, "{what}");
    }
}
