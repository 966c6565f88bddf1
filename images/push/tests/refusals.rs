//! What is refused before anything is sent, and what a server can do wrong.

mod support;

use std::fs;
use std::net::TcpListener;
use std::sync::Arc;

use support::Bench;
use support::fake::{Asked, Fake, Reply, Store, reply};

/// A registry in memory that answers some requests otherwise.
fn registry(other: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Fake {
    let store = Store::default();
    Fake::start(move |asked| other(asked).unwrap_or_else(|| store.answer(asked)))
}

#[test]
fn a_registry_with_the_referrers_api_gets_no_tag_for_them() {
    let bench = Bench::new();
    let fake = registry(|_| None);
    // Configuration, layer, manifest; empty configuration, bill, its manifest.
    assert_eq!(bench.push(&fake.host, &[]).uploads(), 6);
    let asked = fake.asked();
    assert!(
        asked
            .iter()
            .any(|asked| asked.path.contains("/referrers/sha256:"))
    );
    assert!(
        !asked
            .iter()
            .any(|asked| asked.path.contains("/manifests/sha256-"))
    );
}

#[test]
fn an_image_that_is_not_as_locked_is_not_sent() {
    let bench = Bench::new();
    let fake = registry(|_| None);
    fs::remove_dir_all(bench.path("one")).unwrap();
    bench.assemble("one", "#!another program\n");
    let refused = bench.push(&fake.host, &[]).refused(1);
    assert!(
        refused.starts_with("oci-push: error: one: DIFFERS: the program\n"),
        "{refused}"
    );
    assert_eq!(fake.asked().len(), 0);
}

#[test]
fn a_bill_of_another_image_is_not_sent() {
    let bench = Bench::new();
    let fake = registry(|_| None);
    bench.put(
        "one.cdx.json",
        r#"{"metadata":{"component":{"name":"two"}}}"#,
    );
    let refused = bench.push(&fake.host, &[]).refused(65);
    assert!(
        refused.contains("the bill of \"two\", which is not pushed"),
        "{refused}"
    );
    let twice = format!("--sbom={}", bench.text("two.cdx.json"));
    let refused = bench.push(&fake.host, &[&twice]).refused(65);
    assert!(
        refused.contains("a second bill of materials of two"),
        "{refused}"
    );
    let twice = format!("--image={}", bench.text("one"));
    bench.put(
        "one.cdx.json",
        r#"{"metadata":{"component":{"name":"one"}}}"#,
    );
    let refused = bench.push(&fake.host, &[&twice]).refused(65);
    assert!(
        refused.contains("a second image of the name one"),
        "{refused}"
    );
    assert_eq!(fake.asked().len(), 0);
}

#[test]
fn a_command_line_that_cannot_be_right_is_refused() {
    let bench = Bench::new();
    let refused = bench.push("http://registry.example", &[]).refused(64);
    assert_eq!(
        refused,
        "oci-push: error: registry.example is another machine: http:// is refused\n\
         oci-push: hint: use TLS, or say --insecure-plaintext where no one can listen\n"
    );
    let refused = bench.push("alice:secret@registry.example", &[]).refused(64);
    assert!(
        refused.contains("is not of the form HOST[:PORT][/PREFIX]"),
        "{refused}"
    );
    let refused = bench.push("localhost:1", &["--tag=a:b"]).refused(64);
    assert!(refused.contains("--tag takes letters, digits"), "{refused}");
}

#[test]
fn a_port_without_a_server_is_named() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let refused = bench.push(&host, &[]).refused(69);
    assert!(
        refused.contains(&format!("http://{host}/v2/: no answer: ")),
        "{refused}"
    );
}

#[test]
fn a_server_that_is_no_registry_is_named() {
    let bench = Bench::new();
    let fake = Fake::start(|_| reply(404));
    let expected = format!(
        "oci-push: error: http://{}/v2/ answers 404: this is no registry\n\
         oci-push: hint: is the host right, and the port?\n",
        fake.host
    );
    assert_eq!(bench.push(&fake.host, &[]).refused(76), expected);
}

#[test]
fn what_the_registry_says_of_a_refusal_is_passed_on() {
    let bench = Bench::new();
    let fake = registry(|asked| {
        let body = r#"{"errors":[{"code":"DENIED","message":"quota exceeded"}]}"#;
        (asked.method == "POST").then(|| reply(403).body(body))
    });
    let refused = bench.push(&fake.host, &["--tag=latest"]).refused(76);
    assert_eq!(
        refused,
        "oci-push: error: uploading the configuration of one: the registry answers 403: \
         DENIED: quota exceeded\n"
    );
    assert!(
        !fake
            .asked()
            .iter()
            .any(|asked| asked.path.ends_with("/manifests/latest"))
    );
}

#[test]
fn a_manifest_that_the_registry_changed_is_noticed_before_any_tag() {
    let bench = Bench::new();
    let put = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let fake = registry(move |asked| {
        use std::sync::atomic::Ordering::SeqCst;
        let manifest = asked.path.contains("/manifests/");
        let before = if manifest && asked.method == "PUT" {
            put.swap(true, SeqCst)
        } else {
            put.load(SeqCst)
        };
        (manifest && asked.method == "GET" && before).then(|| reply(200).body("{}"))
    });
    let refused = bench.push(&fake.host, &["--tag=latest"]).refused(76);
    assert!(
        refused.contains("the registry is at fault: it keeps sha256:"),
        "{refused}"
    );
    assert!(
        !fake
            .asked()
            .iter()
            .any(|asked| asked.path.ends_with("/manifests/latest"))
    );
}

#[test]
fn a_token_is_fetched_where_the_registry_says_and_used_for_one_repository() {
    let bench = Bench::new();
    let tokens = Fake::start(|_| reply(200).body(r#"{"token":"t0ken"}"#));
    let realm = format!("http://{}/token", tokens.host);
    let fake = registry(move |asked| {
        let known = asked
            .headers
            .get("authorization")
            .is_some_and(|header| header == "Bearer t0ken");
        let challenge = format!(r#"Bearer realm="{realm}",service="the registry",scope="ignored""#);
        (!known).then(|| reply(401).header("WWW-Authenticate", challenge))
    });
    assert_eq!(bench.push(&fake.host, &[]).uploads(), 6);
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1, "one token serves the whole repository");
    assert_eq!(
        asked[0].path,
        "/token?service=the%20registry&scope=repository%3Aone%3Apull%2Cpush"
    );
    assert_eq!(asked[0].headers.get("authorization"), None);

    // The same with a password: only the token service sees it.
    bench.configure(&format!(
        r#"{{"auths":{{"{}":{{"auth":"YWxpY2U6c2VzYW1l"}}}}}}"#,
        fake.host
    ));
    assert_eq!(bench.push(&fake.host, &[]).uploads(), 0);
    let last = tokens.asked().pop().unwrap();
    assert_eq!(last.headers["authorization"], "Basic YWxpY2U6c2VzYW1l");
    let basic = |asked: &Asked| {
        asked
            .headers
            .get("authorization")
            .is_some_and(|header| header.starts_with("Basic"))
    };
    assert!(!fake.asked().iter().any(basic));
}

#[test]
fn credentials_are_not_sent_in_clear_to_another_machine() {
    let bench = Bench::new();
    let fake = registry(|asked| {
        let challenge = r#"Bearer realm="http://auth.example/token",service="s""#;
        (asked.path != "/v2/").then(|| reply(401).header("WWW-Authenticate", challenge))
    });
    let refused = bench.push(&fake.host, &[]).refused(78);
    assert!(
        refused.contains("to be sent in clear, to http://auth.example/token"),
        "{refused}"
    );
}

#[test]
fn an_upload_that_leads_to_another_host_takes_no_credentials_there() {
    let bench = Bench::new();
    let storage = Fake::start(|_| reply(201));
    let place = format!("http://{}/upload?signature=s", storage.host);
    let fake = registry(move |asked| {
        if !asked.headers.contains_key("authorization") {
            return Some(reply(401).header("WWW-Authenticate", "Basic realm=\"r\""));
        }
        (asked.method == "POST").then(|| reply(202).header("Location", place.clone()))
    });
    bench.configure(&format!(
        r#"{{"auths":{{"{}":{{"auth":"YWxpY2U6c2VzYW1l"}}}}}}"#,
        fake.host
    ));
    assert_eq!(bench.push(&fake.host, &[]).uploads(), 6);
    let asked = storage.asked();
    assert_eq!(asked.len(), 4);
    assert!(
        asked
            .iter()
            .all(|asked| asked.path.starts_with("/upload?signature=s&digest=sha256:"))
    );
    assert!(
        asked
            .iter()
            .all(|asked| !asked.headers.contains_key("authorization"))
    );
}

#[test]
fn an_upload_that_leads_out_in_clear_is_refused() {
    let bench = Bench::new();
    for (place, shown) in [
        (
            Some("http://storage.example/u?signature=secret"),
            "an unusable place, http://storage.example/u\n",
        ),
        (
            Some("ftp://storage.example/u"),
            "an unusable place, ftp://storage.example/u\n",
        ),
        (None, "names no place to upload to\n"),
    ] {
        let fake = registry(move |asked| {
            let answer = match place {
                Some(place) => reply(202).header("Location", place),
                None => reply(202),
            };
            (asked.method == "POST").then_some(answer)
        });
        let refused = bench.push(&fake.host, &[]).refused(76);
        assert!(refused.ends_with(shown), "{refused}");
    }
}
