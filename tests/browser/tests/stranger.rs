//! What other sites in the same browser, and other programs of the same machine, cannot do.

use mcbn_tests_browser::browser::Browser;
use mcbn_tests_browser::elsewhere::Elsewhere;
use mcbn_tests_browser::house::House;
use mcbn_tests_browser::tab::Tab;

/// A name that a browser in a test looks up on loopback.
const EVIL: &str = "evil.example";

/// A browser in which the page is open, and its tab.
fn visited(house: &House) -> Browser {
    let browser = Browser::knowing(&[(EVIL, "127.0.0.1")]);
    browser.tab().open(&house.page());
    browser
}

/// The form that approves the first request, as the page draws it: with its key, which nobody else can read.
fn form(tab: &Tab<'_>) -> String {
    let form = tab.evaluate(
        "(() => {
            const form = document.querySelector('.request form');
            form.setAttribute('action', form.action);
            return form.outerHTML;
        })()",
    );
    form.as_str().expect("a text").to_owned()
}

/// Even if somebody else had read everything on the page.
#[test]
fn a_form_of_another_origin_is_refused() {
    let house = House::open();
    house.guest("workload-1").knock();
    let browser = visited(&house);
    let tab = browser.tab();
    tab.open(&house.page());
    let page = tab.url();
    let form = form(&tab);
    assert!(form.contains("name=\"key\""), "{form}");
    let elsewhere = Elsewhere::serving(&form);
    let port = elsewhere.address().port();
    // Another program's page on this machine, which to a browser is the same site, and another site.
    for host in ["127.0.0.1", EVIL] {
        let tab = browser.tab();
        tab.open(&format!("http://{host}:{port}/"));
        tab.click("form button");
        assert_eq!(tab.status(), 403, "from {host}: {}", tab.text());
        assert!(tab.text().contains("Nothing was done"), "{}", tab.text());
    }
    assert_eq!(house.kinds(), ["pending"]);
    // The same form is taken where it belongs.
    tab.open(&page);
    tab.click(".request form[action$='/approve'] button");
    assert_eq!(house.kinds(), ["pending", "approved"]);
}

#[test]
fn a_link_of_another_origin_shows_nothing() {
    let house = House::open();
    let browser = visited(&house);
    let tab = browser.tab();
    tab.open(&house.page());
    let elsewhere = Elsewhere::serving(&format!("<a href=\"{}\">a link</a>", tab.url()));
    for host in ["127.0.0.1", EVIL] {
        let tab = browser.tab();
        tab.open(&format!("http://{host}:{}/", elsewhere.address().port()));
        tab.click("a");
        assert_eq!(tab.status(), 403, "from {host}: {}", tab.text());
        assert!(!tab.text().contains("alice"), "{}", tab.text());
    }
}

#[test]
fn it_is_not_drawn_in_a_frame() {
    let house = House::open();
    let browser = visited(&house);
    let tab = browser.tab();
    tab.open(&house.page());
    let elsewhere = Elsewhere::serving(&format!("<iframe src=\"{}\"></iframe>", tab.url()));
    for host in ["127.0.0.1", EVIL] {
        let tab = browser.tab();
        tab.open(&format!("http://{host}:{}/", elsewhere.address().port()));
        assert_eq!(tab.frames(), [false], "from {host}");
    }
}

/// Browsers send a cookie to every port of its host.
#[test]
fn another_port_of_the_host_is_not_sent_the_cookie() {
    let house = House::open();
    let browser = visited(&house);
    let elsewhere = Elsewhere::serving("");
    let tab = browser.tab();
    tab.open(&format!("http://{}/", elsewhere.address()));
    tab.open(&format!("http://{}/enter", elsewhere.address()));
    let heard = elsewhere.heard();
    assert!(heard.contains("GET /enter HTTP/1.1"), "{heard}");
    assert!(!heard.to_lowercase().contains("cookie"), "{heard}");
}

#[test]
fn a_name_that_was_rebound_to_loopback_is_refused() {
    let house = House::open();
    let browser = visited(&house);
    let tab = browser.tab();
    let page = house.page().replace("127.0.0.1", EVIL);
    tab.open(&page);
    assert_eq!(tab.status(), 421, "{}", tab.text());
    assert!(!tab.text().contains("alice"), "{}", tab.text());
}

#[test]
fn a_browser_without_the_token_is_told_where_to_find_it() {
    let house = House::open();
    let browser = Browser::start();
    let tab = browser.tab();
    for path in ["/", "/enter?token=guess"] {
        tab.open(&format!("{}{path}", house.origin()));
        assert_eq!(tab.status(), 403);
        assert!(tab.text().contains("mcbn keeper page --ledger FILE"));
        assert!(!tab.text().contains("alice"));
    }
}
