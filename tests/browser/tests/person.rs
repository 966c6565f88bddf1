//! What a person sees and does.

use mcbn_tests_browser::browser::Browser;
use mcbn_tests_browser::house::House;
use mcbn_tests_browser::tab::Tab;
use mcbn_tests_support::confidential_space::Profile;

const APPROVE: &str = ".request form[action$='/approve'] button";
const DENY: &str = ".request form[action$='/deny'] button";
const REVOKE: &str = "section[aria-labelledby='leases'] form[action$='/revoke'] button";

/// Opens the page as the command prints it.
fn visit<'b>(browser: &'b Browser, house: &House) -> Tab<'b> {
    let tab = browser.tab();
    tab.open(&house.page());
    tab
}

#[track_caller]
fn shows(tab: &Tab<'_>, wanted: &str) {
    let text = tab.text();
    assert!(text.contains(wanted), "no {wanted:?} in {text}");
}

#[test]
fn a_machine_is_approved_its_lease_is_seen_and_consent_is_taken_back() {
    let house = House::open();
    let guest = house.guest("workload-1");
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    // The token is gone from where others may look.
    assert!(!tab.url().contains("token"), "{}", tab.url());
    shows(&tab, "No machine waits for a decision");

    guest.knock();
    tab.open(&tab.url());
    shows(&tab, "Waiting for you 1");
    shows(&tab, "instances/workload-1");
    let row = |demand: &str| {
        let rows = tab
            .evaluate("[...document.querySelectorAll('.findings tbody tr')].map(r => r.innerText)");
        let rows = rows.as_array().cloned().unwrap_or_default();
        let words = |row: &serde_json::Value| {
            let row = row.as_str().expect("a text");
            row.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let mut rows = rows.iter().map(words);
        let row = rows.find(|row| row.starts_with(demand));
        row.unwrap_or_else(|| panic!("no {demand} in {}", tab.text()))
    };
    assert_eq!(
        row("hardware"),
        "hardware GCP_AMD_SEV_SNP, GCP_INTEL_TDX GCP_AMD_SEV_SNP ✓ holds"
    );
    assert_eq!(
        row("debug"),
        "debug disabled-since-boot disabled-since-boot ✓ holds"
    );
    assert!(row("image-digest").ends_with("✓ holds"));

    tab.click(APPROVE);
    assert!(
        tab.text_of(".done")
            .starts_with("Approved: psk-server on https://")
    );
    shows(&tab, "No machine waits for a decision");
    assert_eq!(house.kinds(), ["pending", "approved"]);
    assert!(house.keeper("log", &[]).contains("by=page"));

    let granted = guest.ask().expect("it was approved");
    tab.open(&tab.url());
    shows(&tab, "Leases that run 1");
    let lease = tab.text_of("section[aria-labelledby='leases'] tbody tr");
    assert!(
        lease.contains("workload-1") && lease.contains(" min "),
        "{lease}"
    );
    guest.renew(&granted.lease).expect("the lease runs");

    tab.click(REVOKE);
    assert!(
        tab.text_of(".done")
            .starts_with("Revoked: psk-server on https://")
    );
    shows(&tab, "No machine has the share now");
    let renewed = guest
        .renew(&granted.lease)
        .map_err(|failure| failure.reason());
    assert_eq!(renewed, Err("withdrawn"));
    let asked = guest.ask().map(drop).map_err(|failure| failure.reason());
    assert_eq!(asked, Err("withdrawn"));

    tab.click("nav[aria-label='Pages'] a:nth-child(2)");
    shows(&tab, "The chain verifies.");
    let kinds = tab.evaluate(
        "[...document.querySelectorAll('tbody .standing')].map(e => e.innerText).join(' ')",
    );
    assert_eq!(
        kinds,
        "refused revoked renewed released approved pending started"
    );
    tab.click("tbody tr:nth-last-child(2) th a");
    assert_eq!(tab.text_of("h1"), "Entry 2");
    shows(&tab, "GCP_AMD_SEV_SNP");

    let written = house.keeper_has_written();
    let page = house.page();
    let (_, token) = page.split_once("token=").expect("the token");
    assert!(!written.contains(token), "the keeper's log has the token");
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn a_machine_is_denied() {
    let house = House::open();
    let guest = house.guest("workload-1");
    guest.knock();
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    tab.click(DENY);
    assert!(
        tab.text_of(".done")
            .starts_with("Denied: psk-server on https://")
    );
    let asked = guest.ask().map(drop).map_err(|failure| failure.reason());
    assert_eq!(asked, Err("denied"));
}

#[test]
fn consent_is_withdrawn_from_all_after_a_question_and_restored() {
    let house = House::open();
    let guest = house.guest("workload-1");
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    tab.click("a[href$='/withdraw']");
    assert_eq!(tab.text_of("h1"), "Withdraw consent from every machine?");
    assert!(house.kinds().is_empty());
    tab.click("form[action$='/withdraw'] button");
    shows(&tab, "Consent is withdrawn from every machine.");
    let asked = guest.ask().map(drop).map_err(|failure| failure.reason());
    assert_eq!(asked, Err("withdrawn"));
    // Loading the page again says no more than that.
    let entries = house.kinds();
    tab.open(&tab.url());
    assert_eq!(house.kinds(), entries);
    tab.click("a[href$='/restore']");
    tab.click("form[action$='/restore'] button");
    assert!(tab.text_of(".done").starts_with("Consent is restored."));
    guest.knock();
}

#[test]
fn a_decision_that_somebody_else_took_first_is_not_taken_again() {
    let house = House::open();
    let guest = house.guest("workload-1");
    guest.knock();
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    let page = tab.url();
    let id = tab.evaluate("document.querySelector('.request').id.slice('request-'.length)");
    house.keeper("deny", &[id.as_str().expect("a text")]);
    tab.click(APPROVE);
    assert_eq!(
        (tab.status(), tab.text_of("h1").as_str()),
        (409, "Nothing was done")
    );
    shows(&tab, "was denied on the command line");
    assert_eq!(house.kinds(), ["pending", "denied"]);
    tab.click("a.button");
    assert_eq!(tab.url(), page);
    shows(&tab, "Decided by a person 1");
}

/// The issuer lets whoever starts a machine name it.
#[test]
fn markup_in_the_name_of_a_machine_is_drawn_as_text() {
    let house = House::open();
    let name = "<script>document.title='taken'</script><img/src=x>";
    house.guest(name).knock();
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    shows(&tab, name);
    assert_eq!(tab.title(), "demo · Consent");
    assert_eq!(tab.count("script, img"), 0);
    assert_eq!(tab.complaints(), [""; 0]);
}

#[test]
fn a_machine_that_fails_a_demand_is_shown_with_what_it_fails() {
    let house = House::open();
    let guest = house.guest_like(Profile::debug());
    let asked = guest.ask().map(drop).map_err(|failure| failure.reason());
    assert_eq!(asked, Err("policy"));
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    let refused = tab.text_of("ul.refused > li");
    assert!(refused.contains("policy debug support"), "{refused}");
    tab.click("ul.refused a");
    shows(&tab, "debug disabled-since-boot enabled ✗ fails");
}

#[test]
fn a_keyboard_is_enough() {
    let house = House::open();
    house.guest("workload-1").knock();
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    let focused = || tab.evaluate("document.activeElement.innerText");
    for _ in 0..20 {
        tab.press_tab();
        let outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle");
        assert_eq!(outline, "solid", "nobody sees where {} is", focused());
        if focused()
            .as_str()
            .is_some_and(|text| text.starts_with("Approve"))
        {
            break;
        }
    }
    tab.press_enter();
    assert_eq!(house.kinds(), ["pending", "approved"]);
    assert!(tab.text_of(".done").starts_with("Approved"));
}

/// The least contrast of a text with what is behind it, as [WCAG](https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio)
/// counts.
const CONTRAST: &str = "(() => {
    const parts = color => color.match(/[\\d.]+/g).map(Number);
    const light = color => {
        const [r, g, b] = parts(color).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let e = element; e; e = e.parentElement) {
            const color = getComputedStyle(e).backgroundColor;
            if (parts(color)[3] !== 0) return color;
        }
        return 'rgb(255, 255, 255)';
    };
    let least = [21, ''];
    for (const element of document.querySelectorAll('body *')) {
        if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < least[0]) least = [contrast, element.outerHTML];
    }
    return least;
})()";

#[test]
fn it_can_be_read_on_a_telephone_and_in_the_dark() {
    let house = House::open();
    for guest in ["workload-1", "workload-2"] {
        house.guest(guest).knock();
    }
    house
        .guest_like(Profile::debug())
        .ask()
        .expect_err("a debug image");
    let browser = Browser::start();
    let tab = visit(&browser, &house);
    tab.click(
        APPROVE
            .replace(".request", ".request:first-of-type")
            .as_str(),
    );
    let base = tab.url();
    let (base, _) = base.split_once('?').expect("it says what was done");
    for page in [
        "",
        "/ledger",
        "/ledger/2",
        "/ledger/4",
        "/withdraw",
        "/check",
    ] {
        let url = format!("{base}{page}");
        for width in [320, 1200] {
            tab.resize(width);
            for scheme in ["light", "dark"] {
                tab.prefer(scheme);
                tab.open(&url);
                let wide = tab.evaluate("document.documentElement.scrollWidth");
                assert!(
                    wide.as_u64() <= Some(width.into()),
                    "{page} is {wide} wide in {width}"
                );
                let contrast = tab.evaluate(CONTRAST);
                assert!(
                    contrast[0].as_f64() >= Some(4.5),
                    "{page} in {scheme}: {contrast}"
                );
                // For whoever changes how it looks.
                if let Some(folder) = std::env::var_os("PICTURES") {
                    let name = page.replace('/', "-");
                    let picture = format!("page{name}-{width}-{scheme}.png");
                    tab.picture(&std::path::Path::new(&folder).join(picture));
                }
            }
        }
    }
    tab.prefer("dark");
    let dark = tab.evaluate("getComputedStyle(document.body).backgroundColor");
    tab.prefer("light");
    assert_ne!(
        dark,
        tab.evaluate("getComputedStyle(document.body).backgroundColor")
    );
}
