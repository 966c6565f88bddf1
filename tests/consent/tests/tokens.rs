//! Simulated tokens against the verifier: whichever are genuine, and each way of not being so.

use std::time::Duration;

use mcbn_attest::{ChainFault, Expected, Refused, TokenFault, TokenKind, VerifiedToken, Verifier};
use mcbn_tests_consent::{AUDIENCE, NONCES, Space, after, token_fault, verify, verify_at};
use mcbn_tests_support::confidential_space::{
    Forgery, Hardware, Image, Instance, Machine, Overrides, Placement, Profile, RestartPolicy,
    TokenRequest,
};
use serde_json::json;

const HOUR: u64 = 3600;

#[test]
fn a_token_of_every_hardware_model_is_read_whole() {
    let space = Space::production();
    let verifier = space.offline();
    for hardware in Hardware::ALL {
        for placement in [Placement::Top, Placement::Submods, Placement::Both] {
            space.machine.change(|profile| {
                profile.hardware = hardware;
                profile.placement = placement;
            });
            let token = verify(&verifier, &space.oidc()).unwrap();
            let claims = token.claims();
            assert_eq!(claims.hwmodel.as_deref(), Some(hardware.claim()));
            assert_eq!(
                claims.google_service_accounts,
                Profile::production().service_accounts
            );
            let tcb = claims
                .tdx
                .as_ref()
                .map(|tdx| tdx.gcp_attester_tcb_status.as_deref());
            let is_tdx = hardware.claim().contains("TDX");
            assert_eq!(
                tcb,
                is_tdx.then_some(Some("UpToDate")),
                "{hardware:?} {placement:?}"
            );
        }
    }
}

#[test]
fn every_claim_is_read_as_it_was_meant() {
    let profile = Profile {
        cmd_override: Overrides::Set(vec!["--one".into(), "--two".into()]),
        env_override: Overrides::Set([("A".into(), "b".into())].into()),
        restart_policy: RestartPolicy::OnFailure,
        memory_monitoring: true,
        gpu: true,
        ..Profile::production()
    };
    let space = Space::of(profile.clone());
    let token = verify(&space.offline(), &space.oidc()).unwrap();
    assert_eq!(token.kind(), TokenKind::Oidc);
    let claims = token.claims();
    assert_eq!(claims.iss, space.issuer.url());
    assert_eq!(claims.aud, [AUDIENCE]);
    assert_eq!(claims.sub, profile.instance.self_link());
    assert_eq!(claims.eat_nonce, NONCES);
    assert_eq!((claims.secboot, claims.oemid), (Some(true), Some(11129)));
    assert_eq!(claims.swname.as_deref(), Some("CONFIDENTIAL_SPACE"));
    assert_eq!(claims.swversion, ["250800"]);
    assert_eq!(claims.dbgstat.as_deref(), Some("disabled-since-boot"));
    assert_eq!(
        claims.confidential_space.support_attributes,
        ["LATEST", "STABLE", "USABLE"]
    );
    assert_eq!(claims.confidential_space.monitoring_memory, Some(true));
    assert_eq!(
        claims.nvidia_gpu.as_ref().unwrap().cc_mode.as_deref(),
        Some("ON")
    );
    let (gce, instance) = (&claims.gce, Instance::named("workload-1"));
    assert_eq!(gce.zone, Some(instance.zone));
    assert_eq!(gce.project_id, Some(instance.project));
    assert_eq!(gce.project_number, Some(instance.project_number));
    assert_eq!(gce.instance_name, Some(instance.name));
    assert_eq!(gce.instance_id, Some(instance.id));
    let (container, image) = (
        claims.container.as_ref().unwrap(),
        Image::named("psk-server"),
    );
    assert_eq!(container.image_reference, Some(image.reference));
    assert_eq!(container.image_digest, Some(image.digest));
    assert_eq!(container.image_id, Some(image.id));
    assert_eq!(container.restart_policy.as_deref(), Some("OnFailure"));
    assert_eq!(
        container.args.as_deref(),
        Some(&["/psk-server".to_owned()][..])
    );
    assert_eq!(container.cmd_override, ["--one", "--two"]);
    assert_eq!(container.env_override, [("A".into(), "b".into())].into());
    let env: Vec<_> = container.env.as_ref().unwrap().keys().collect();
    assert_eq!(env, ["A", "HOSTNAME", "PATH"]);
}

#[test]
fn no_override_is_read_the_same_in_each_of_its_forms() {
    for (cmd, env) in [
        (Overrides::Absent, Overrides::Absent),
        (Overrides::Null, Overrides::Null),
        (Overrides::Set(Vec::new()), Overrides::Set([].into())),
    ] {
        let space = Space::of(Profile {
            cmd_override: cmd,
            env_override: env,
            ..Profile::production()
        });
        let token = verify(&space.offline(), &space.oidc()).unwrap();
        let container = token.claims().container.as_ref().unwrap();
        assert!(container.cmd_override.is_empty() && container.env_override.is_empty());
    }
}

#[test]
fn one_nonce_is_taken_as_one() {
    let space = Space::production();
    let request = TokenRequest::oidc(AUDIENCE, [NONCES[0]]);
    let token = space.machine.token(&request).unwrap();
    let with = |nonces: &[&str]| {
        let expected = Expected {
            audience: AUDIENCE,
            nonces,
            now: after(0),
        };
        space.offline().verify(&token, &expected)
    };
    with(&NONCES[..1]).unwrap();
    assert_eq!(token_fault(with(&NONCES)), TokenFault::Nonces);
}

#[test]
fn one_audience_in_a_list_is_taken_and_two_are_refused() {
    let space = Space::production();
    space
        .machine
        .edit_claims(|claims| claims["aud"] = json!([AUDIENCE]));
    verify(&space.offline(), &space.oidc()).unwrap();
    space
        .machine
        .edit_claims(|claims| claims["aud"] = json!([AUDIENCE, "another"]));
    let refused = verify(&space.offline(), &space.oidc());
    assert_eq!(token_fault(refused), TokenFault::Audience);
}

/// What the verifier of OIDC tokens says of a forgery, which may be a PKI token.
fn oidc_fault(forgery: Forgery) -> TokenFault {
    match forgery {
        Forgery::Expired => TokenFault::Expired,
        Forgery::NotYetValid => TokenFault::NotYetValid,
        Forgery::LongLived => TokenFault::Lifetime,
        Forgery::ExpiredKey | Forgery::UnknownKey => TokenFault::UnknownKey,
        Forgery::BorrowedKid | Forgery::TamperedPayload => TokenFault::Signature,
        Forgery::NonceDropped | Forgery::NonceReplaced | Forgery::NoncesReordered => {
            TokenFault::Nonces
        }
        Forgery::OtherAudience => TokenFault::Audience,
        Forgery::OtherIssuer => TokenFault::Issuer,
        Forgery::AlgNone | Forgery::HmacWithPublicKey => TokenFault::Algorithm,
        Forgery::TruncatedChain(_) | Forgery::SelfMadeRoot => TokenFault::Parameter("x5c"),
    }
}

/// What the verifier of PKI tokens says of it, but for what webpki says of a chain.
fn pki_fault(forgery: Forgery) -> TokenFault {
    match forgery {
        Forgery::UnknownKey | Forgery::BorrowedKid => TokenFault::Signature,
        Forgery::TruncatedChain(_) => TokenFault::Chain(ChainFault::Length),
        Forgery::SelfMadeRoot => TokenFault::Chain(ChainFault::OtherRoot),
        claims => oidc_fault(claims),
    }
}

#[test]
fn every_forged_oidc_token_is_refused_for_what_is_wrong_with_it() {
    let space = Space::production();
    for verifier in [space.offline(), space.discovering()] {
        for forgery in Forgery::ALL {
            space.machine.set_forgery(Some(forgery));
            let fault = token_fault(verify(&verifier, &space.oidc()));
            assert_eq!(fault, oidc_fault(forgery), "{forgery:?}");
        }
        space.machine.set_forgery(None);
        verify(&verifier, &space.oidc()).unwrap();
    }
}

#[test]
fn every_forged_pki_token_is_refused_for_what_is_wrong_with_it() {
    let space = Space::production();
    let verifier = space.pinned();
    for forgery in Forgery::ALL {
        space.machine.set_forgery(Some(forgery));
        let fault = token_fault(verify(&verifier, &space.pki()));
        if forgery == Forgery::ExpiredKey {
            let is_path = matches!(fault, TokenFault::Chain(ChainFault::Path(_)));
            assert!(is_path, "{fault:?}");
        } else {
            assert_eq!(fault, pki_fault(forgery), "{forgery:?}");
        }
    }
    space.machine.set_forgery(None);
    let token = verify(&verifier, &space.pki()).unwrap();
    assert_eq!(token.kind(), TokenKind::Pki);
}

#[test]
fn a_token_of_the_other_kind_is_refused() {
    let space = Space::production();
    let refused = verify(&space.offline(), &space.pki());
    assert_eq!(token_fault(refused), TokenFault::Parameter("x5c"));
    let refused = verify(&space.pinned(), &space.oidc());
    assert_eq!(token_fault(refused), TokenFault::NoParameter("x5c"));
}

#[test]
fn a_token_of_another_issuer_is_refused() {
    let (ours, theirs) = (Space::production(), Space::production());
    let refused = verify(&ours.offline(), &theirs.oidc());
    assert_eq!(token_fault(refused), TokenFault::UnknownKey);
    let refused = verify(&ours.pinned(), &theirs.pki());
    assert_eq!(
        token_fault(refused),
        TokenFault::Chain(ChainFault::OtherRoot)
    );
}

#[test]
fn the_default_token_is_refused() {
    let space = Space::production();
    let refused = verify(&space.offline(), &space.machine.default_token());
    assert_eq!(token_fault(refused), TokenFault::Audience);
    // Nor is it taken by who expects its audience: it carries no nonce.
    let expected = Expected {
        audience: mcbn_tests_support::confidential_space::DEFAULT_AUDIENCE,
        nonces: &[],
        now: after(0),
    };
    let refused = space
        .offline()
        .verify(&space.machine.default_token(), &expected);
    assert_eq!(token_fault(refused), TokenFault::Nonces);
}

#[test]
fn a_token_of_another_exchange_is_refused() {
    let space = Space::production();
    let other = Machine::start(&space.issuer, Profile::production());
    let earlier = TokenRequest::oidc(AUDIENCE, [NONCES[1], NONCES[0], NONCES[2]]);
    for machine in [&space.machine, &other] {
        let token = machine.token(&earlier).unwrap();
        let refused = verify(&space.offline(), &token);
        assert_eq!(token_fault(refused), TokenFault::Nonces);
    }
}

#[test]
fn clocks_may_differ_by_a_minute_and_no_more() {
    let space = Space::production();
    let verifier = space.offline();
    // A few seconds are left for the test itself.
    space.machine.set_clock_ahead(Duration::from_secs(50));
    verify(&verifier, &space.oidc()).unwrap();
    space.machine.set_clock_ahead(Duration::from_secs(120));
    let refused = verify(&verifier, &space.oidc());
    assert_eq!(token_fault(refused), TokenFault::NotYetValid);
    space.machine.set_clock_behind(Duration::from_secs(HOUR));
    verify(&verifier, &space.oidc()).unwrap();
    space
        .machine
        .set_clock_behind(Duration::from_secs(HOUR + 61));
    let refused = verify(&verifier, &space.oidc());
    assert_eq!(token_fault(refused), TokenFault::Expired);
}

#[test]
fn a_token_is_good_for_its_hour() {
    let space = Space::production();
    let token = space.oidc();
    let at = |seconds| -> Result<VerifiedToken, Refused> {
        let verifier: Verifier = space.offline();
        verify_at(&verifier, &token, seconds)
    };
    at(HOUR - 60).unwrap();
    assert_eq!(token_fault(at(HOUR + 61)), TokenFault::Expired);
}
