//! What people see.

use super::*;

#[tokio::test]
async fn claims_stand_beside_what_was_demanded() {
    let running = start().await;
    running.write([Event::Pending {
        instance: instance("machine-1"),
        findings: vec![
            finding(true, "any of A, B", "B"),
            finding(false, "off", "on"),
        ],
    }]);
    let visitor = running.enter().await;
    for path in ["", "/ledger/1"] {
        let page = visitor.get(path).await.text();
        for row in ["hardware any of A, B B ✓ holds", "hardware off on ✗ fails"] {
            assert!(page.contains(row), "{page}");
        }
    }
}

#[tokio::test]
async fn what_strangers_chose_is_shown_as_text_in_which_nothing_hides() {
    let running = start().await;
    let odd = "<script>alert(1)</script>\u{202e}\u{1b}[2J\"'&lt;\n";
    running.write([
        Event::Pending {
            instance: instance(odd),
            findings: vec![finding(true, odd, odd)],
        },
        released(odd),
        Event::Refused {
            code: mcbn_consent::message::Code::Policy,
            reasons: vec!["debug".parse().unwrap()],
            subject: Some(odd.into()),
            image: None,
            findings: vec![finding(false, odd, odd)],
        },
        Event::Denied {
            instance: instance(odd).id(),
            by: by(Via::Command),
        },
        pending(odd),
    ]);
    let visitor = running.enter().await;
    for path in [
        "",
        "?entry=4",
        "/ledger",
        "/ledger/1",
        "/ledger/2",
        "/ledger/3",
    ] {
        let answer = visitor.get(path).await;
        assert!(!answer.body.contains("<script"), "{path}");
        assert!(answer.body.contains("&lt;script&gt;"), "{path}");
        for hidden in ['\u{202e}', '\u{1b}', '\n'] {
            assert!(!answer.body.contains(hidden), "{path} {hidden:?}");
        }
        let text = answer.text();
        assert!(
            text.contains("<script>alert(1)</script>U+202EU+001B[2J\"'&lt;U+000A"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn the_ledger_is_paged_the_last_entry_first() {
    let running = start().await;
    let renewed = || Event::Renewed {
        instance: instance("machine-1").id(),
        lease: lease(),
        until: Time(START),
    };
    running.write([pending("machine-1")]);
    running.write((0..120).map(|_| renewed()));
    let visitor = running.enter().await;
    let mut seen = Vec::new();
    let mut next = Some("/ledger".to_owned());
    while let Some(path) = next {
        let page = visitor.get(&path).await.body;
        let rows = page.split("<span class=\"aloud\">entry </span>").skip(1);
        seen.extend(rows.map(|row| row.split('<').next().unwrap().parse::<u64>().unwrap()));
        let older = page
            .split_once("rel=\"next\" href=\"")
            .map(|(_, rest)| rest);
        let older = older.map(|rest| rest.split_once('"').unwrap().0);
        next = older.map(|path| {
            let path = path.strip_prefix(&visitor.base).unwrap();
            path.replace("&amp;", "&")
        });
    }
    assert!(seen.iter().copied().eq((1..=121).rev()), "{seen:?}");
    let short = visitor.get("/ledger?renewals=hidden").await;
    assert!(short.text().contains("pending") && !short.text().contains("renewed"));
    assert!(!short.body.contains("rel=\"next\""));
    for path in [
        "/ledger?before=x",
        "/ledger?renewals=1",
        "/ledger/0",
        "/ledger/122",
        "/ledger/x",
    ] {
        assert_eq!(visitor.get(path).await.status, 404, "{path}");
    }
    let far = format!("/ledger?before={}", u64::MAX);
    assert_eq!(visitor.get(&far).await.status, 200);
}

#[tokio::test]
async fn an_entry_with_a_name_alone_is_shown_with_what_is_known_of_it() {
    let running = start().await;
    running.write([
        pending("machine-1"),
        Event::Approved {
            instance: instance("machine-1").id(),
            by: by(Via::Command),
        },
    ]);
    let visitor = running.enter().await;
    let ledger = visitor.get("/ledger").await.text();
    assert_eq!(ledger.matches("machine-1").count(), 2, "{ledger}");
    assert!(ledger.contains("on the command line, as user 1000"));
    let entry = visitor.get("/ledger/2").await.text();
    assert!(entry.contains("Machine machine-1"), "{entry}");
}

#[tokio::test]
async fn the_ledger_says_whether_its_chain_verifies() {
    let running = start().await;
    running.write([
        pending("machine-1"),
        pending("machine-2"),
        pending("machine-3"),
    ]);
    let visitor = running.enter().await;
    for path in ["/ledger", "/check"] {
        let page = visitor.get(path).await.text();
        assert!(page.contains("The chain verifies."), "{page}");
    }
    // As a program would that knows no better than to drop the guards.
    let ledger = rusqlite::Connection::open(running.path()).unwrap();
    let triggers = "SELECT sql FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> = {
        let mut query = ledger.prepare(triggers).unwrap();
        let all = query.query_map((), |row| row.get(0)).unwrap();
        all.collect::<Result<_, _>>().unwrap()
    };
    ledger
        .execute_batch(
            "DROP TRIGGER no_entry_is_changed; DROP TRIGGER no_entry_is_removed;
             UPDATE entries SET body = CAST(replace(body, 'psk-server', 'psk-servet') AS BLOB) WHERE seq = 2;",
        )
        .unwrap();
    for trigger in triggers {
        ledger.execute_batch(&trigger).unwrap();
    }
    drop(ledger);
    for path in ["/ledger", "/check"] {
        let page = visitor.get(path).await.text();
        assert!(
            page.contains("The chain does not verify: entry 2 is not the one that was written"),
            "{page}"
        );
    }
    let entry = visitor.get("/ledger/2").await.text();
    assert!(entry.contains("it is not what was written"), "{entry}");
    let entry = visitor.get("/ledger/1").await.text();
    assert!(!entry.contains("it is not what was written"), "{entry}");
}

#[tokio::test]
async fn bytes_that_are_no_entry_are_shown_and_said_to_be_none() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let ledger = rusqlite::Connection::open(running.path()).unwrap();
    ledger
        .execute(
            "INSERT INTO entries (seq, body, hash, time, kind) VALUES (2, x'3c623e07', zeroblob(32), 0, 'refused')",
            (),
        )
        .unwrap();
    let visitor = running.enter().await;
    assert_eq!(visitor.get("").await.status, 200);
    let page = visitor.get("/ledger").await.text();
    assert!(page.contains("This is not an entry."), "{page}");
    assert!(page.contains("entry 1"), "{page}");
    let entry = visitor.get("/ledger/2").await.text();
    assert!(entry.contains("not those of an entry"), "{entry}");
    assert!(entry.contains("<b>U+0007"), "{entry}");
}

#[tokio::test]
async fn a_message_is_only_ever_what_a_person_said() {
    let running = start().await;
    running.write([pending("machine-1")]);
    let visitor = running.enter().await;
    for path in ["?entry=1", "?entry=2", "?entry=x", "?entry="] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, 200);
        assert!(!answer.body.contains("role=\"status\""), "{path}");
    }
}

#[tokio::test]
async fn pages_can_be_read_aloud_and_need_no_script() {
    let running = start().await;
    running.write([pending("machine-1"), released("machine-2")]);
    let visitor = running.enter().await;
    for path in ["", "/ledger", "/ledger/1", "/withdraw", "/check"] {
        let page = visitor.get(path).await.body;
        assert!(page.starts_with("<!DOCTYPE html><html lang=\"en\">"));
        assert!(page.contains("<meta name=\"viewport\""));
        assert!(page.contains("<main>") && page.contains("<h1>"));
        assert!(!page.contains("style=") && !page.contains("<script"));
        // Each button says what it is about, each table what it shows.
        assert_eq!(
            page.matches("<table").count(),
            page.matches("<caption").count()
        );
    }
    let page = visitor.get("").await.text();
    assert!(page.contains("Approve psk-server on machine-1"), "{page}");
    assert!(page.contains("Revoke psk-server on machine-2"), "{page}");
}
