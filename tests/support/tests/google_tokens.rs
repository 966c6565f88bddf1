//! Where access tokens come from, and who gets none: the STS, the authorization server and the metadata server.

mod google;

use std::time::Duration;

use google::raw::{Reply, ask, ask_json};
use google::{PROVIDER, SECRET, secrets_with};
use mcbn_tests_support::confidential_space::{
    Forgery, Issuer, Machine, Overrides, Profile, TokenRequest,
};
use mcbn_tests_support::google_cloud::{
    Call, Cloud, Condition, Health, Provider, Role, SCOPE, User,
};
use serde_json::{Value, json};

/// A participant's cloud, and the machine that it trusts.
struct Scene {
    cloud: Cloud,
    _issuer: Issuer,
    machine: Machine,
    provider: Provider,
    digest: String,
    version: String,
}

fn scene() -> Scene {
    let (cloud, issuer) = google::cloud_and_issuer();
    let profile = Profile::production();
    let digest = profile.image.digest.clone();
    let provider = cloud
        .sts()
        .set_provider(PROVIDER, Condition::image(&digest));
    let version = cloud.secrets().add_version(SECRET, b"payload");
    let member = provider.image(&digest);
    cloud.iam().bind(&member, SECRET, Role::SecretAccessor);
    Scene {
        machine: Machine::start(&issuer, profile),
        cloud,
        _issuer: issuer,
        provider,
        digest,
        version,
    }
}

/// An exchange as Google's client asks for it, but for some fields; one of nothing is left out.
fn exchange(scene: &Scene, token: &str, changes: &[(&str, &str)]) -> Reply {
    let audience = scene.provider.audience();
    let mut fields = vec![
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        (
            "requested_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("scope", "https://www.googleapis.com/auth/cloud-platform"),
        ("audience", &audience),
        ("subject_token", token),
    ];
    for (name, value) in changes {
        fields.retain(|(other, _)| other != name);
        fields.push((name, value));
    }
    fields.retain(|(_, value)| !value.is_empty());
    let form: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    ask(
        scene.cloud.sts().endpoint(),
        "POST /v1/token",
        &kind,
        &form.join("&"),
    )
}

/// Why an exchange of the machine's default token is refused.
fn refused(scene: &Scene, changes: &[(&str, &str)]) -> (u16, String) {
    error(&exchange(scene, &scene.machine.default_token(), changes))
}

fn error(reply: &Reply) -> (u16, String) {
    let json = reply.json();
    assert!(json["error_description"].is_string(), "{json}");
    (reply.status, json["error"].as_str().unwrap().to_owned())
}

fn access(scene: &Scene, token: &str) -> u16 {
    let line = format!("GET /v1/{}:access", scene.version);
    ask_json(scene.cloud.secrets().endpoint(), &line, token, "").status
}

fn access_token(reply: &Reply) -> String {
    reply.json()["access_token"].as_str().unwrap().to_owned()
}

#[test]
fn an_attestation_token_is_exchanged() {
    let scene = scene();
    scene.cloud.sts().set_lifetime(Duration::from_secs(600));
    let reply = exchange(&scene, &scene.machine.default_token(), &[]);
    let json = reply.json();
    assert_eq!((reply.status, &json["expires_in"]), (200, &json!(600)));
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(
        json["issued_token_type"],
        "urn:ietf:params:oauth:token-type:access_token"
    );
    assert_eq!(access(&scene, &access_token(&reply)), 200);
    assert_eq!(scene.cloud.sts().requests().of(Call::ExchangeToken), 1);
}

#[test]
fn another_image_is_refused() {
    let scene = scene();
    scene
        .machine
        .change(|profile| profile.image.digest = format!("sha256:{}", "1".repeat(64)));
    assert_eq!(
        refused(&scene, &[]),
        (401, "unauthorized_client".to_owned())
    );
    // Where the condition does not say it, the binding does.
    scene.cloud.sts().set_provider(PROVIDER, Condition::none());
    let reply = exchange(&scene, &scene.machine.default_token(), &[]);
    assert_eq!(access(&scene, &access_token(&reply)), 403);
    let everyone = scene.provider.everyone();
    scene
        .cloud
        .iam()
        .bind(&everyone, SECRET, Role::SecretAccessor);
    assert_eq!(access(&scene, &access_token(&reply)), 200);
}

#[test]
fn a_machine_that_is_not_as_the_condition_says_is_refused() {
    let changes: [fn(&mut Profile); 6] = [
        |profile| *profile = Profile::debug(),
        |profile| profile.software = "OTHER".to_owned(),
        |profile| profile.support = Some(vec!["USABLE".to_owned()]),
        |profile| profile.support = None,
        |profile| profile.cmd_override = Overrides::Set(vec!["--other".to_owned()]),
        |profile| {
            let variable = ("A".to_owned(), "b".to_owned());
            profile.env_override = Overrides::Set([variable].into());
        },
    ];
    for change in changes {
        let scene = scene();
        assert_eq!(
            exchange(&scene, &scene.machine.default_token(), &[]).status,
            200
        );
        scene.machine.change(change);
        assert_eq!(
            refused(&scene, &[]),
            (401, "unauthorized_client".to_owned())
        );
    }
}

#[test]
fn overrides_of_nothing_are_taken() {
    let scene = scene();
    scene.machine.change(|profile| {
        profile.cmd_override = Overrides::Null;
        profile.env_override = Overrides::Set([].into());
    });
    assert_eq!(
        exchange(&scene, &scene.machine.default_token(), &[]).status,
        200
    );
}

#[test]
fn a_forged_token_is_refused() {
    let scene = scene();
    for forgery in Forgery::ALL {
        scene.machine.set_forgery(Some(forgery));
        let expected = match forgery {
            // It has no nonces, and its length of life is nobody's matter here.
            Forgery::NonceDropped
            | Forgery::NonceReplaced
            | Forgery::NoncesReordered
            | Forgery::LongLived => None,
            _ => Some((400, "invalid_grant".to_owned())),
        };
        let reply = exchange(&scene, &scene.machine.default_token(), &[]);
        match expected {
            Some(expected) => assert_eq!(error(&reply), expected, "{forgery:?}"),
            None => assert_eq!(reply.status, 200, "{forgery:?}"),
        }
    }
}

#[test]
fn a_token_for_another_reader_is_refused() {
    let scene = scene();
    let request = TokenRequest::oidc("https://sts.example", ["a-nonce-of-some-length"]);
    let token = scene.machine.token(&request).unwrap();
    let invalid_grant = (400, "invalid_grant".to_owned());
    assert_eq!(error(&exchange(&scene, &token, &[])), invalid_grant);
    let request = TokenRequest::pki::<String>("https://sts.googleapis.com", []);
    let token = scene.machine.token(&request).unwrap();
    assert_eq!(error(&exchange(&scene, &token, &[])), invalid_grant);
    let other = Issuer::start();
    let machine = Machine::start(&other, Profile::production());
    assert_eq!(
        error(&exchange(&scene, &machine.default_token(), &[])),
        invalid_grant
    );
    let malformed = exchange(&scene, "no-token", &[]);
    assert_eq!(error(&malformed), (400, "invalid_request".to_owned()));
}

#[test]
fn an_exchange_in_another_form_is_refused() {
    let scene = scene();
    let refused = |name: &str, value: &str| refused(&scene, &[(name, value)]).1;
    assert_eq!(refused("grant_type", "password"), "unsupported_grant_type");
    assert_eq!(
        refused("requested_token_type", "id_token"),
        "invalid_request"
    );
    assert_eq!(refused("subject_token_type", "saml"), "invalid_request");
    assert_eq!(refused("scope", "everything"), "invalid_scope");
    assert_eq!(refused("scope", ""), "invalid_request");
    assert_eq!(refused("audience", ""), "invalid_request");
    assert_eq!(refused("client_secret", "x"), "invalid_request");
    let other = "//iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/mcbn/providers/x";
    assert_eq!(refused("audience", other), "invalid_target");
    let endpoint = scene.cloud.sts().endpoint();
    assert_eq!(ask(endpoint, "GET /v1/token", &[], "").refusal().0, 404);
    assert_eq!(
        ask(endpoint, "POST /v1/oauthtoken", &[], "").refusal().0,
        404
    );
}

#[test]
fn a_scope_of_another_service_is_refused() {
    let scene = scene();
    let scope = "https://www.googleapis.com/auth/cloudkms";
    let reply = exchange(&scene, &scene.machine.default_token(), &[("scope", scope)]);
    assert_eq!(access(&scene, &access_token(&reply)), 403);
}

#[test]
fn what_is_withdrawn_is_refused() {
    let scene = scene();
    let token = scene.machine.default_token();
    let first = access_token(&exchange(&scene, &token, &[]));
    assert_eq!(access(&scene, &first), 200);
    let member = scene.provider.image(&scene.digest);
    scene
        .cloud
        .iam()
        .unbind(&member, SECRET, Role::SecretAccessor);
    assert_eq!(access(&scene, &first), 403);
    scene
        .cloud
        .iam()
        .bind(&member, SECRET, Role::SecretAccessor);
    scene.cloud.sts().remove_provider(&scene.provider);
    assert_eq!(refused(&scene, &[]), (400, "invalid_target".to_owned()));
    // What was exchanged before is good until its end.
    assert_eq!(access(&scene, &first), 200);
    scene.cloud.iam().revoke_tokens();
    assert_eq!(access(&scene, &first), 401);
}

#[test]
fn a_token_whose_time_is_over_is_refused() {
    let scene = scene();
    scene.cloud.sts().set_lifetime(Duration::ZERO);
    let reply = exchange(&scene, &scene.machine.default_token(), &[]);
    assert_eq!(access(&scene, &access_token(&reply)), 401);
}

#[tokio::test]
async fn google_s_client_tells_why_an_exchange_is_refused() {
    let scene = scene();
    scene.machine.change(|profile| *profile = Profile::debug());
    let token = scene.machine.write_default_token();
    let file = scene
        .cloud
        .external_account_file("bob.json", &scene.provider, &token);
    let file = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let credentials = google_cloud_auth::credentials::external_account::Builder::new(file)
        .build()
        .unwrap();
    let client = secrets_with(&scene.cloud, credentials).await;
    let request = client.access_secret_version().set_name(&scene.version);
    let refused = request.send().await.unwrap_err();
    assert!(refused.is_authentication(), "{refused:?}");
    assert!(
        format!("{refused:?}").contains("unauthorized_client"),
        "{refused:?}"
    );
    assert_eq!(scene.cloud.secrets().requests().total(), 0);
}

/// A refresh as Google's client asks for it, but for some fields; one of null is left out.
fn refresh(scene: &Scene, user: &User, changes: Value) -> Reply {
    let mut fields = json!({
        "grant_type": "refresh_token",
        "client_id": user.client_id(),
        "client_secret": user.client_secret(),
        "refresh_token": user.refresh_token(),
        "scope": SCOPE,
    });
    let all = fields.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    let kind = [("Content-Type", "application/json")];
    let endpoint = scene.cloud.oauth().endpoint();
    ask(endpoint, "POST /token", &kind, &fields.to_string())
}

fn user(scene: &Scene, email: &str) -> User {
    let user = scene.cloud.oauth().add_user(email);
    let iam = scene.cloud.iam();
    iam.bind(&user.member(), SECRET, Role::SecretAccessor);
    user
}

#[test]
fn a_refresh_token_is_good_until_it_is_revoked() {
    let scene = scene();
    let carol = user(&scene, "carol@example.com");
    for changes in [json!({}), json!({ "scope": null })] {
        let reply = refresh(&scene, &carol, changes);
        let json = reply.json();
        assert_eq!((reply.status, &json["expires_in"]), (200, &json!(3599)));
        assert_eq!(
            (&json["token_type"], &json["scope"]),
            (&json!("Bearer"), &json!(SCOPE))
        );
        assert_eq!(access(&scene, &access_token(&reply)), 200);
    }
    let before = access_token(&refresh(&scene, &carol, json!({})));
    scene.cloud.oauth().revoke(&carol);
    let reply = refresh(&scene, &carol, json!({}));
    assert_eq!(error(&reply), (400, "invalid_grant".to_owned()));
    assert_eq!(access(&scene, &before), 200);
    assert_eq!(scene.cloud.oauth().requests().of(Call::RefreshToken), 4);
    // Others have not taken anything back.
    let dave = user(&scene, "dave@example.com");
    assert_eq!(refresh(&scene, &dave, json!({})).status, 200);
}

#[test]
fn a_refresh_that_is_not_of_its_client_is_refused() {
    let scene = scene();
    let (carol, dave) = (
        user(&scene, "carol@example.com"),
        user(&scene, "dave@example.com"),
    );
    let (client, grant, request) = ("invalid_client", "invalid_grant", "invalid_request");
    for (changes, status, reason) in [
        (json!({ "client_id": "another" }), 401, client),
        (json!({ "client_id": dave.client_id() }), 401, client),
        (
            json!({ "client_secret": dave.client_secret() }),
            401,
            client,
        ),
        (json!({ "client_secret": "" }), 401, client),
        (json!({ "refresh_token": dave.refresh_token() }), 400, grant),
        (json!({ "refresh_token": "" }), 400, grant),
        (
            json!({ "grant_type": "password" }),
            400,
            "unsupported_grant_type",
        ),
        (
            json!({ "scope": "https://www.googleapis.com/auth/drive" }),
            400,
            "invalid_scope",
        ),
        (
            json!({ "scope": format!("{SCOPE} openid") }),
            400,
            "invalid_scope",
        ),
        (json!({ "grant_type": null }), 400, request),
        (json!({ "client_id": null }), 400, request),
        (json!({ "client_secret": null }), 400, request),
        (json!({ "refresh_token": null }), 400, request),
        (json!({ "redirect_uri": "http://localhost" }), 400, request),
    ] {
        let reply = refresh(&scene, &carol, changes.clone());
        assert_eq!(error(&reply), (status, reason.to_owned()), "{changes}");
    }
    let endpoint = scene.cloud.oauth().endpoint();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let reply = ask(endpoint, "POST /token", &form, "grant_type=refresh_token");
    assert_eq!(error(&reply), (400, request.to_owned()));
    let reply = ask(endpoint, "POST /token?alt=json", &form, "");
    assert_eq!(error(&reply), (400, request.to_owned()));
    assert_eq!(ask(endpoint, "GET /token", &[], "").refusal().0, 404);
    assert_eq!(ask(endpoint, "POST /revoke", &[], "").refusal().0, 404);
}

const TOKEN: &str = "GET /computeMetadata/v1/instance/service-accounts/default/token";
const GOOGLE: (&str, &str) = ("Metadata-Flavor", "Google");

#[test]
fn a_machine_s_account_has_tokens() {
    let scene = scene();
    let metadata = scene.cloud.metadata();
    metadata.set_account(Some("other@example-project.iam.gserviceaccount.com"));
    let member = metadata.member().unwrap();
    scene
        .cloud
        .iam()
        .bind(&member, SECRET, Role::SecretAccessor);
    let reply = ask(metadata.endpoint(), TOKEN, &[GOOGLE], "");
    assert!(reply.headers.contains("metadata-flavor: google"));
    assert_eq!(reply.json()["expires_in"], 3599);
    assert_eq!(access(&scene, &access_token(&reply)), 200);
    let line = "GET /computeMetadata/v1/instance/service-accounts/default/email";
    let reply = ask(metadata.endpoint(), line, &[GOOGLE], "");
    assert_eq!(format!("serviceAccount:{}", reply.body), member);
    let line = "GET /computeMetadata/v1/universe/universe-domain";
    assert_eq!(
        ask(metadata.endpoint(), line, &[GOOGLE], "").body,
        "googleapis.com"
    );
    // Only these scopes, if only these are asked for.
    let line = format!("{TOKEN}?scopes=https://www.googleapis.com/auth/cloudkms");
    let reply = ask(metadata.endpoint(), &line, &[GOOGLE], "");
    assert_eq!(access(&scene, &access_token(&reply)), 403);
}

#[test]
fn a_request_for_metadata_without_its_header_is_refused() {
    let scene = scene();
    let metadata = scene.cloud.metadata();
    let status =
        |line: &str, headers: &[(&str, &str)]| ask(metadata.endpoint(), line, headers, "").status;
    assert_eq!(status(TOKEN, &[]), 403);
    assert_eq!(status(TOKEN, &[("Metadata-Flavor", "Other")]), 403);
    assert_eq!(
        status(TOKEN, &[GOOGLE, ("X-Forwarded-For", "10.0.0.1")]),
        403
    );
    assert_eq!(status(&TOKEN.replace("GET", "POST"), &[GOOGLE]), 405);
    assert_eq!(status(&format!("{TOKEN}?alt=text"), &[GOOGLE]), 400);
    assert_eq!(
        status("GET /computeMetadata/v1/project/project-id", &[GOOGLE]),
        404
    );
    metadata.set_account(None);
    assert_eq!(status(TOKEN, &[GOOGLE]), 404);
    metadata.set_health(Health::Failing);
    assert_eq!(status(TOKEN, &[GOOGLE]), 500);
}
