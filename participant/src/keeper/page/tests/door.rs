//! Who is let in, and whose forms are taken.

use super::*;

/// Fails the test unless it was refused with this, and nothing of the ledger was shown.
#[track_caller]
fn refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(!answer.body.contains("alice"), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None);
}

#[tokio::test]
async fn the_token_is_exchanged_for_a_cookie_and_an_address_without_it() {
    let running = start().await;
    let url = running.url();
    let path = url.strip_prefix(&running.origin()).unwrap();
    let answer = running.request("GET", path).send().await;
    assert_eq!(answer.status, 303);
    let (_, token) = path.split_once("token=").unwrap();
    let location = answer.header("location").unwrap();
    assert!(!location.contains(token) && !answer.body.contains(token));
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.ends_with(&format!("; Path={location}; HttpOnly; SameSite=Strict")));
    assert!(!cookie.contains(token));
    let visitor = running.enter().await;
    let page = visitor.get("").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Keeper of alice in house"));
}

#[tokio::test]
async fn nobody_is_let_in_without_the_token() {
    let running = start().await;
    let url = running.url();
    let wrong = format!("/enter?token={}", "A".repeat(43));
    for path in ["/", "/enter", "/enter?token=", "/enter?other=1", &wrong] {
        refused(&running.request("GET", path).send().await, 403);
    }
    let path = url.strip_prefix(&running.origin()).unwrap();
    let short = &path[..path.len() - 1];
    refused(&running.request("GET", short).send().await, 403);
    let twice = format!("{path}&token=x");
    refused(&running.request("GET", &twice).send().await, 403);
}

#[tokio::test]
async fn no_place_answers_without_a_session() {
    let running = start().await;
    let base = running.enter().await.base;
    running.write([pending("machine")]);
    for path in [
        "",
        "/ledger",
        "/ledger/1",
        "/check",
        "/withdraw",
        "/restore",
    ] {
        let request = running.request("GET", &format!("{base}{path}"));
        refused(&request.send().await, 403);
    }
    for path in ["/approve", "/deny", "/revoke", "/withdraw", "/restore"] {
        let request = running
            .request("POST", &format!("{base}{path}"))
            .with("origin", &running.origin());
        refused(&request.send().await, 403);
    }
    assert_eq!(running.kinds(), ["pending"]);
}

#[tokio::test]
async fn a_cookie_of_another_page_or_of_another_time_is_refused() {
    let (running, other) = (start().await, start().await);
    let (visitor, stranger) = (running.enter().await, other.enter().await);
    let request = visitor.request("GET", "").with("cookie", &stranger.cookie);
    refused(&request.send().await, 403);
    assert_eq!(visitor.get("").await.status, 200);
    let life = access::Session::LIFE.as_millis() as u64;
    running.clock.fetch_add(life, Ordering::SeqCst);
    refused(&visitor.get("").await, 403);
    // The token opens another session.
    assert_eq!(running.enter().await.get("").await.status, 200);
}

/// A site whose name was rebound to loopback, and a proxy.
#[tokio::test]
async fn another_host_is_refused() {
    let running = start().await;
    let visitor = running.enter().await;
    let port = running.address.port();
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        &format!("localhost:{port}"),
        "127.0.0.1",
        "127.0.0.1:1",
        &format!("127.0.0.2:{port}"),
        &format!("[::1]:{port}"),
    ] {
        let request = visitor.request("GET", "").with("host", host);
        refused(&request.send().await, 421);
        let key = visitor.key().await;
        let form = visitor.form("/withdraw", &[("key", &key)]);
        refused(&form.with("host", host).send().await, 421);
    }
    let twice = visitor.request("GET", "").and("host", "evil.example");
    assert!([400, 421].contains(&twice.send().await.status));
    let mut absolute = visitor.request("GET", "");
    absolute.path = format!("http://evil.example{}", absolute.path);
    refused(&absolute.send().await, 421);
    // Not even the style sheet.
    let style = running.request("GET", "/style.css");
    refused(&style.with("host", "evil.example").send().await, 421);
    assert!(running.kinds().is_empty());
}

#[tokio::test]
async fn what_another_site_or_port_sends_is_refused() {
    let running = start().await;
    let visitor = running.enter().await;
    let key = visitor.key().await;
    let form = || visitor.form("/withdraw", &[("key", &key)]);
    for site in ["cross-site", "same-site", "none", "?"] {
        refused(&form().with("sec-fetch-site", site).send().await, 403);
    }
    let other = format!("http://127.0.0.1:{}", running.address.port() ^ 1);
    let tls = running.origin().replace("http", "https");
    for origin in ["null", "http://evil.example", &other, &tls] {
        refused(&form().with("origin", origin).send().await, 403);
        // A browser that does not say more.
        let form = form().without("sec-fetch-site");
        refused(&form.with("origin", origin).send().await, 403);
    }
    refused(&form().without("origin").send().await, 403);
    let twice = form().and("origin", "http://evil.example");
    refused(&twice.send().await, 403);
    for site in ["cross-site", "same-site"] {
        let request = visitor.request("GET", "").with("sec-fetch-site", site);
        refused(&request.send().await, 403);
    }
    assert!(running.kinds().is_empty());
    // What is left of it is what works.
    let form = form().without("sec-fetch-site");
    assert_eq!(form.send().await.status, 303);
}

#[tokio::test]
async fn a_form_without_its_key_is_refused() {
    let running = start().await;
    let (visitor, other) = (running.enter().await, running.enter().await);
    let others = other.key().await;
    refused(&visitor.form("/withdraw", &[]).send().await, 400);
    for key in ["", "x", &others] {
        let form = visitor.form("/withdraw", &[("key", key)]);
        refused(&form.send().await, 403);
    }
    let key = visitor.key().await;
    let twice = [("key", others.as_str()), ("key", key.as_str())];
    refused(&visitor.form("/withdraw", &twice).send().await, 400);
    // In the address, where a form cannot be told from a link.
    let form = visitor.form(&format!("/withdraw?key={key}"), &[]);
    refused(&form.send().await, 400);
    assert!(running.kinds().is_empty());
}

#[tokio::test]
async fn a_get_changes_nothing() {
    let running = start().await;
    running.write([pending("machine")]);
    let visitor = running.enter().await;
    let key = visitor.key().await;
    let id = instance("machine").id();
    for action in ["/approve", "/deny", "/revoke"] {
        let path = format!("{action}?instance={id}&seen=9&key={key}");
        let answer = visitor.get(&path).await;
        refused(&answer, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
    }
    for question in ["/withdraw", "/restore"] {
        let path = format!("{question}?key={key}&seen=9");
        assert_eq!(visitor.get(&path).await.status, 200);
    }
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        let request = visitor.request(method, "/withdraw");
        let request = request.with("origin", &running.origin());
        refused(&request.send().await, 405);
    }
    assert_eq!(running.kinds(), ["pending"]);
}

#[tokio::test]
async fn a_form_that_is_too_large_or_of_another_type_is_refused() {
    let running = start().await;
    let visitor = running.enter().await;
    let key = visitor.key().await;
    let form = |fields: &[(&str, &str)]| visitor.form("/withdraw", fields);
    let fits = "x".repeat(super::super::door::FORM - key.len() - 10);
    let large = fits.clone() + "xxxxxx";
    let answer = form(&[("key", &key), ("more", &large)]).send().await;
    refused(&answer, 413);
    let plain = form(&[("key", &key)]).with("content-type", "text/plain");
    refused(&plain.send().await, 415);
    assert!(running.kinds().is_empty());
    let answer = form(&[("key", &key), ("more", &fits)]).send().await;
    assert_eq!(answer.status, 303);
}

#[tokio::test]
async fn every_answer_is_sealed() {
    let running = start().await;
    let visitor = running.enter().await;
    for answer in [
        visitor.get("").await,
        visitor.get("/ledger").await,
        visitor.get("/nothing").await,
        visitor.get("/approve").await,
        running.request("GET", "/").send().await,
        running.request("GET", "/style.css").send().await,
        visitor
            .request("GET", "")
            .with("host", "evil.example")
            .send()
            .await,
        visitor.send("/withdraw", &[]).await,
    ] {
        for (name, value) in [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
    }
}
