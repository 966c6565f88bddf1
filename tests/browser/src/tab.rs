//! A tab: where a person looks, clicks and types.

use std::path::Path;

use base64ct::{Base64, Encoding};
use serde_json::{Value, json};

use crate::browser::Browser;

pub struct Tab<'b> {
    browser: &'b Browser,
    session: String,
}

impl<'b> Tab<'b> {
    pub(crate) fn of(browser: &'b Browser, session: String) -> Self {
        let tab = Self { browser, session };
        for domain in ["Page.enable", "Log.enable", "Network.enable"] {
            tab.call(domain, json!({}));
        }
        tab
    }

    fn call(&self, method: &str, parameters: Value) -> Value {
        self.browser.call(&self.session, method, parameters)
    }

    /// Opens an address as if it was typed, and waits until the page is drawn.
    pub fn open(&self, url: &str) {
        let before = self.browser.said();
        let opened = self.call("Page.navigate", json!({ "url": url }));
        assert!(opened["errorText"].is_null(), "{url}: {opened}");
        self.browser
            .wait_for(&self.session, "Page.loadEventFired", before);
    }

    /// What a script of the page would get for this expression. The tab's own power, which no page has.
    pub fn evaluate(&self, expression: &str) -> Value {
        let asked =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(
            answer["exceptionDetails"].is_null(),
            "{expression}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    pub fn url(&self) -> String {
        self.string("location.href")
    }

    pub fn title(&self) -> String {
        self.string("document.title")
    }

    /// All that is drawn as text, with single spaces.
    pub fn text(&self) -> String {
        self.text_of("body")
    }

    /// What is drawn in the one element of this selector.
    pub fn text_of(&self, selector: &str) -> String {
        let text = self.string(&format!("{}.innerText", one(selector)));
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn string(&self, expression: &str) -> String {
        let value = self.evaluate(expression);
        value.as_str().expect("a text").to_owned()
    }

    /// How many elements there are of this selector.
    pub fn count(&self, selector: &str) -> u64 {
        let count = self.evaluate(&format!(
            "document.querySelectorAll({}).length",
            json!(selector)
        ));
        count.as_u64().expect("a number")
    }

    /// The status of the page that is shown.
    pub fn status(&self) -> u64 {
        let all = self
            .browser
            .events(&self.session, "Network.responseReceived");
        let mut pages = all.iter().filter(|event| event["type"] == "Document");
        let last = pages.next_back().expect("a page");
        last["response"]["status"].as_u64().expect("a number")
    }

    /// What the browser complained of: a script or a style that it did not take, a frame that it did not draw.
    pub fn complaints(&self) -> Vec<String> {
        let all = self.browser.events(&self.session, "Log.entryAdded");
        all.iter()
            .map(|event| event["entry"]["text"].to_string())
            .collect()
    }

    /// Clicks with the mouse on the middle of the one element, and waits for the page to which it leads.
    ///
    /// # Panics
    ///
    /// Something else lies there.
    pub fn click(&self, selector: &str) {
        let place = self.evaluate(&format!(
            "(() => {{
                const element = {};
                element.scrollIntoView({{ block: 'center' }});
                const box = element.getBoundingClientRect();
                const place = {{ x: box.x + box.width / 2, y: box.y + box.height / 2 }};
                const top = document.elementFromPoint(place.x, place.y);
                return {{ ...place, hit: element.contains(top) }};
            }})()",
            one(selector)
        ));
        assert_eq!(place["hit"], true, "{selector} is covered");
        let before = self.browser.said();
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
        self.browser
            .wait_for(&self.session, "Page.loadEventFired", before);
    }

    pub fn press_tab(&self) {
        for kind in ["rawKeyDown", "keyUp"] {
            let event =
                json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Presses Enter, and waits for the page to which it leads.
    pub fn press_enter(&self) {
        let before = self.browser.said();
        for kind in ["keyDown", "keyUp"] {
            let event = json!({
                "type": kind, "key": "Enter", "code": "Enter", "text": "\r", "windowsVirtualKeyCode": 13,
            });
            self.call("Input.dispatchKeyEvent", event);
        }
        self.browser
            .wait_for(&self.session, "Page.loadEventFired", before);
    }

    /// Makes it as wide as this, in the units of style sheets.
    pub fn resize(&self, width: u32) {
        let metrics =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// `light` or `dark`, as the person's system has it.
    pub fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features);
    }

    /// Whether the frames of the page were drawn, in order.
    pub fn frames(&self) -> Vec<bool> {
        let tree = self.call("Page.getFrameTree", json!({}));
        let frames = tree["frameTree"]["childFrames"].as_array().cloned();
        let drawn = |frame: Value| frame["frame"]["unreachableUrl"].is_null();
        frames.unwrap_or_default().into_iter().map(drawn).collect()
    }

    /// Writes a picture of the whole page, for people who change how it looks.
    pub fn picture(&self, path: &Path) {
        let asked = json!({ "captureBeyondViewport": true });
        let picture = self.call("Page.captureScreenshot", asked);
        let picture = Base64::decode_vec(picture["data"].as_str().expect("a text"));
        std::fs::write(path, picture.expect("base64")).expect("the folder is there");
    }
}

/// An expression for the one element of a selector.
fn one(selector: &str) -> String {
    let selector = json!(selector);
    format!(
        "(() => {{
            const all = document.querySelectorAll({selector});
            if (all.length !== 1) throw Error(all.length + ' elements are ' + {selector} + ': ' + document.body.innerText);
            return all[0];
        }})()"
    )
}
