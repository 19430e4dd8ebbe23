//! A headless Chromium, driven over its `DevTools` protocol by a pair of pipes.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// So long the browser may take for anything, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page.
pub(crate) struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    next: u64,
    session: Option<String>,
    complaints: Vec<String>,
}

impl Chromium {
    /// Starts a browser, if there is one.
    pub(crate) fn open(profile: &Path) -> Option<Chromium> {
        let browser = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
        let browser = browser.iter().find(|path| Path::new(path).exists())?;
        // The protocol is spoken on descriptors 3 and 4, which a shell can make of the usual ones.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1", browser])
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-sync"])
            .args(["--disable-component-update", "--disable-dev-shm-usage"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let mut output = child.stdout.take().unwrap();
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut pending = Vec::new();
            let mut chunk = [0; 16_384];
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                pending.extend_from_slice(&chunk[..count]);
                while let Some(end) = pending.iter().position(|byte| *byte == 0) {
                    let message: Vec<u8> = pending.drain(..=end).collect();
                    let message = serde_json::from_slice(&message[..end]).unwrap();
                    if sender.send(message).is_err() {
                        return;
                    }
                }
            }
        });
        let (next, session, complaints) = (1, None, Vec::new());
        let mut browser = Chromium { child, input, messages, next, session, complaints };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach);
        browser.session = Some(session["sessionId"].as_str().unwrap().to_string());
        for domain in ["Page.enable", "Runtime.enable", "Log.enable", "Network.enable"] {
            browser.call(domain, &json!({}));
        }
        Some(browser)
    }

    /// Ends it.
    pub(crate) fn close(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn call(&mut self, method: &str, params: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        let mut message = json!({ "id": id, "method": method, "params": params });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut text = message.to_string().into_bytes();
        text.push(0);
        self.input.write_all(&text).unwrap();
        loop {
            let message = self.messages.recv_timeout(PATIENCE).expect("the browser is silent");
            if message["id"] == id {
                assert!(message["error"].is_null(), "{method}: {message}");
                return message["result"].clone();
            }
            self.hear(&message);
        }
    }

    fn hear(&mut self, message: &Value) {
        let bad = match message["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") => true,
            Some("Network.requestWillBeSent") => {
                let url = message["params"]["request"]["url"].as_str().unwrap_or("");
                !url.starts_with("file://") && url != "about:blank"
            }
            _ => false,
        };
        if bad {
            self.complaints.push(message.to_string());
        }
    }

    /// Errors, console messages, and requests to anybody, so far.
    pub(crate) fn complaints(&mut self) -> &[String] {
        self.eval("1");
        &self.complaints
    }

    /// Opens a file and waits until it is there.
    pub(crate) fn visit(&mut self, file: &Path, hash: &str) {
        let url = format!("file://{}#{hash}", file.display());
        self.call("Page.navigate", &json!({ "url": url }));
        let loaded = "new Promise(done => document.readyState === 'complete' ? done(1) \
            : addEventListener('load', () => done(1)))";
        self.eval(loaded);
    }

    /// Size of the window.
    pub(crate) fn size(&mut self, width: u32, height: u32) {
        let params =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", &params);
    }

    /// Prefers dark pages from now on.
    pub(crate) fn dark(&mut self) {
        let features = json!([{ "name": "prefers-color-scheme", "value": "dark" }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
    }

    /// The value of an expression, awaited.
    pub(crate) fn eval(&mut self, expression: &str) -> Value {
        let params =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let reply = self.call("Runtime.evaluate", &params);
        assert!(reply["exceptionDetails"].is_null(), "{expression}: {reply}");
        reply["result"]["value"].clone()
    }

    fn mouse(&mut self, kind: &str, (x, y): (f64, f64), pressed: bool) {
        let params = json!({
            "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1,
            "buttons": u8::from(pressed),
        });
        self.call("Input.dispatchMouseEvent", &params);
    }

    /// Presses and lets go.
    pub(crate) fn click(&mut self, at: (f64, f64)) {
        self.mouse("mousePressed", at, true);
        self.mouse("mouseReleased", at, false);
    }

    /// Presses, moves, and lets go.
    pub(crate) fn drag(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.mouse("mousePressed", from, true);
        self.mouse("mouseMoved", to, true);
        self.mouse("mouseReleased", to, false);
    }

    /// Strikes a key.
    pub(crate) fn key(&mut self, key: &str) {
        let mut down = json!({ "type": "keyDown", "key": key });
        if key.chars().count() == 1 {
            down["text"] = json!(key);
        }
        self.call("Input.dispatchKeyEvent", &down);
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key }));
    }

    /// Prints the page; tells the size in characters of base 64.
    pub(crate) fn pdf(&mut self) -> usize {
        let reply = self.call("Page.printToPDF", &json!({ "printBackground": true }));
        reply["data"].as_str().unwrap_or("").len()
    }
}
