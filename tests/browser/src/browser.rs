//! Chromium without a window, and its [protocol](https://chromedevtools.github.io/devtools-protocol/) for those who drive
//! it: JSON messages that end with a zero byte, to its descriptor 3 and from its descriptor 4.

use mcbn_tests_support::folder::Folder;
use mcbn_tests_support::peer::peer;
use mcbn_tests_support::process::Process;
use serde_json::{Value, json};
use std::cell::RefCell;

use crate::tab::Tab;

/// A browser that knows nothing yet. It is killed when it is dropped.
pub struct Browser {
    process: RefCell<Process>,
    inbox: RefCell<Inbox>,
    _folder: Folder,
}

/// All that the browser has said, in order.
#[derive(Default)]
struct Inbox {
    messages: Vec<Value>,
    /// Bytes of its output that were read.
    read: usize,
    asked: u64,
}

impl Browser {
    pub fn start() -> Self {
        Self::knowing(&[])
    }

    /// One for whom each of these names leads to an address.
    pub fn knowing(names: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let rules: Vec<String> = names
            .iter()
            .map(|(name, address)| format!("MAP {name} {address}"))
            .collect();
        let browser = peer("chromium-headless-shell");
        let mut command = peer("sh");
        command
            .args(["-c", "exec \"$@\" 3<&0 4>&1 0</dev/null 1>&2", "sh"])
            .arg(browser.get_program())
            .args([
                "--remote-debugging-pipe",
                // It wants rights that the place of a test does not give, and guards against pages that are not ours.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--lang=en",
            ])
            .arg(format!("--host-resolver-rules={}", rules.join(",")))
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path());
        Self {
            process: RefCell::new(Process::start(command)),
            inbox: RefCell::default(),
            _folder: folder,
        }
    }

    /// An empty tab.
    pub fn tab(&self) -> Tab<'_> {
        let made = self.call("", "Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": made["targetId"], "flatten": true });
        let attached = self.call("", "Target.attachToTarget", target);
        let session = attached["sessionId"].as_str().expect("it has a name");
        Tab::of(self, session.to_owned())
    }

    /// Has it do something, in a tab or as a whole, and gives its answer.
    ///
    /// # Panics
    ///
    /// It will not.
    pub fn call(&self, session: &str, method: &str, parameters: Value) -> Value {
        let id = {
            let mut inbox = self.inbox.borrow_mut();
            inbox.asked += 1;
            inbox.asked
        };
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.process.borrow_mut().write(&bytes);
        let answer = self.find(0, |message| message["id"] == id);
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// How much it has said so far.
    pub fn said(&self) -> usize {
        self.inbox.borrow().messages.len()
    }

    /// Waits for an event of a tab that comes, or came, after so much.
    pub fn wait_for(&self, session: &str, event: &str, after: usize) -> Value {
        let wanted =
            |message: &Value| message["method"] == event && message["sessionId"] == session;
        self.find(after, wanted)["params"].clone()
    }

    /// The events of a tab so far.
    pub fn events(&self, session: &str, event: &str) -> Vec<Value> {
        let inbox = self.inbox.borrow();
        let of_the_tab = inbox
            .messages
            .iter()
            .filter(|message| message["sessionId"] == session);
        let events = of_the_tab.filter(|message| message["method"] == event);
        events.map(|message| message["params"].clone()).collect()
    }

    fn find(&self, after: usize, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut inbox = self.inbox.borrow_mut();
        self.process.borrow().wait(|seen| {
            inbox.read(&seen.stdout);
            let mut candidates = inbox.messages.iter().skip(after);
            candidates.find(|message| wanted(message)).cloned()
        })
    }
}

impl Inbox {
    fn read(&mut self, all: &[u8]) {
        while let Some(end) = all[self.read..].iter().position(|byte| *byte == 0) {
            let message = &all[self.read..self.read + end];
            let message = serde_json::from_slice(message).expect("a message is JSON");
            self.messages.push(message);
            self.read += end + 1;
        }
    }
}
