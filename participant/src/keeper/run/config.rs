//! The settings of a keeper, read and understood before anything is opened.

use crate::keeper::serve::Limits;
use crate::keeper::settings::*;
use crate::trust::Trust;
use mcbn_runtime::admin::Loopback;
use mcbn_runtime::settings::{Given, Reported};
use mcbn_runtime::units::Count;
use mcbn_share::{Claimed, Inheritance, Participant, Place, Source};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What keeper run was told.
pub struct Config {
    pub manifest: PathBuf,
    pub participant: Participant,
    pub share: Claimed,
    pub key: PathBuf,
    pub listen: SocketAddr,
    pub ledger: PathBuf,
    pub ask: bool,
    pub page: Option<Loopback>,
    pub trust: Trust,
    pub limits: Limits,
}

impl Config {
    pub fn read(given: &mut Given) -> Result<Config, Reported> {
        let manifest = given.one(&MANIFEST);
        let participant = given.one(&PARTICIPANT);
        let share = given.one(&SHARE);
        let key = given.one(&KEY);
        let listen = given.one(&LISTEN);
        let ledger = given.one(&LEDGER);
        let ask = given.on(&ASK);
        let page = given.optional(&PAGE);
        let trust = Trust::read(given);
        let limits = limits(given);
        let (participant, share) = (participant?, share?);
        let share = claim(given, &participant, share)?;
        Ok(Config {
            manifest: manifest?,
            participant,
            share,
            key: key?,
            listen: listen?,
            ledger: ledger?,
            ask,
            page: page?,
            trust: trust?,
            limits: limits?,
        })
    }
}

fn limits(given: &mut Given) -> Result<Limits, Reported> {
    let mut count = |setting| given.one::<Count>(setting).map(Count::get);
    let connections = count(&MAX_CONNECTIONS);
    let connections_of_a_peer = count(&MAX_CONNECTIONS_PER_PEER);
    let handshakes = count(&MAX_HANDSHAKES);
    let verifications = count(&MAX_VERIFICATIONS);
    let tokens = given.one(&TOKENS_PER_MINUTE);
    Ok(Limits {
        connections: connections?,
        connections_of_a_peer: connections_of_a_peer?,
        handshakes: handshakes?,
        verifications: verifications?,
        tokens: tokens?,
    })
}

/// Before anything else is opened: a descriptor's number could then be that of something else.
fn claim(given: &mut Given, participant: &Participant, place: Place) -> Result<Claimed, Reported> {
    let source = Source::new(participant.clone(), place);
    source.claim(&mut Inheritance::new()).map_err(|fault| {
        if let Some(hint) = fault.hint() {
            given.hint(hint);
        }
        given.refuse_because(&[&SHARE], &fault)
    })
}
