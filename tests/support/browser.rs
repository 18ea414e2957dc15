//! Debian's Chromium, driven through its chromedriver: a small client of WebDriver for the tests of the page.
//!
//! It runs headless with a profile of its own and ends with the test. Where it is not installed, the test has nothing to
//! do. `NOTESFERRY_AXE` names the script of axe-core, which looks for what shuts people out; `tests/run` fetches it.

use serde_json::{Value, json};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};
use tempfile::TempDir;
use ureq::Agent;

/// How long the page may take for a step before the test fails; a step that works takes far less.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Browser {
    driver: Child,
    agent: Agent,
    session: String,
    _profile: TempDir,
    axe: Option<String>,
}

/// Asks axe-core about the page; what is serious comes back as lines of text.
const AXE_RUN: &str = "const done = arguments[0]; \
    const line = ({id, help, nodes}) => `${id}: ${help}: ${nodes.slice(0, 3).map(({html}) => html).join(' ')}`; \
    const isSerious = ({impact}) => impact === 'serious' || impact === 'critical'; \
    axe.run().then(({violations}) => done(violations.filter(isSerious).map(line)), (error) => done([String(error)]));";

impl Browser {
    /// A browser with an empty page, or nothing where it is not installed.
    pub fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let Ok(mut driver) = command.spawn() else {
            eprintln!("skipped: Chromium is not installed (apt-get install chromium-driver)");
            return None;
        };
        // "ChromeDriver was started successfully on port 41234."
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map(Result::unwrap);
        let ready = lines.find(|line| line.contains("successfully on port")).unwrap();
        let port = ready.trim_end_matches('.').rsplit(' ').next().unwrap();
        thread::spawn(move || lines.for_each(drop));
        let config = Agent::config_builder().http_status_as_error(false).proxy(None).build();
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            agent: config.into(),
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
            axe: axe(),
        };
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let options = json!({"args": ["--headless=new", "--no-sandbox", "--disable-gpu", folder]});
        let wanted = json!({"alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "SEVERE"},
        }});
        let session = browser.post("", &json!({"capabilities": wanted}));
        browser.session = format!("{}/{}", browser.session, session["sessionId"].as_str().unwrap());
        Some(browser)
    }

    pub fn open(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// What a script returns that is given `arguments`.
    pub fn run(&self, script: &str, arguments: Value) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": arguments}))
    }

    /// Waits until the page shows a text.
    #[track_caller]
    pub fn see(&self, text: &str) {
        self.wait(text, "return document.body.innerText.replaceAll('\\u00a0', ' ').includes(arguments[0])");
    }

    /// Waits until the page of this title shows what it asked for.
    #[track_caller]
    pub fn see_page(&self, title: &str) {
        let script = "return document.title.startsWith(arguments[0]) \
                      && !document.body.innerText.includes('One moment')";
        self.wait(title, script);
    }

    /// Waits for the field of this name and types into it.
    #[track_caller]
    pub fn fill(&self, name: &str, text: &str) {
        self.wait(name, "return document.getElementsByName(arguments[0]).length > 0");
        let script = "const field = document.getElementsByName(arguments[0])[0]; field.value = arguments[1]; \
                      field.dispatchEvent(new Event('input', {bubbles: true}));";
        self.run(script, json!([name, text]));
    }

    /// Waits for something with this selector and clicks it.
    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.wait(
            selector,
            "const found = document.querySelector(arguments[0]); found?.click(); return Boolean(found)",
        );
    }

    /// Waits for a button with this text that can be pressed, and presses it.
    #[track_caller]
    pub fn press(&self, label: &str) {
        let script = "const found = [...document.querySelectorAll('button:enabled')] \
                          .find((button) => button.textContent === arguments[0]); \
                      found?.click(); return Boolean(found)";
        self.wait(label, script);
    }

    /// Fails when axe-core finds something serious or critical in what is shown, light or dark.
    #[track_caller]
    pub fn assert_accessible(&self, view: &str) {
        let Some(axe) = &self.axe else { return };
        if self.run("return Boolean(window.axe)", json!([])) == json!(false) {
            self.run(axe, json!([]));
        }
        for scheme in ["light", "dark"] {
            let features = json!([
                {"name": "prefers-color-scheme", "value": scheme},
                // A colour on its way to another one has no contrast to speak of.
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ]);
            let command = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
            self.post("/goog/cdp/execute", &command);
            let found = self.post("/execute/async", &json!({"script": AXE_RUN, "args": []}));
            assert_eq!(found, json!([]), "{view}, {scheme}");
        }
    }

    /// What the page complained of: errors of scripts, and everything that the browser refused to load or run.
    pub fn complaints(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        entries.as_array().unwrap().iter().map(|entry| entry["message"].to_string()).collect()
    }

    #[track_caller]
    fn wait(&self, what: &str, script: &str) {
        let end = Instant::now() + PATIENCE;
        while self.run(script, json!([what])) != json!(true) {
            let shown = || self.run("return location.href + '\\n' + document.body.innerText", json!([]));
            assert!(Instant::now() < end, "`{what}` does not come; there is: {}", shown());
            thread::yield_now();
        }
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        let request = request.header("Content-Type", "application/json");
        let mut answer = request.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path} {body}: {text}");
        serde_json::from_str::<Value>(&text).unwrap()["value"].take()
    }
}

/// The script of axe-core. It is somebody else's program and no part of this repository.
fn axe() -> Option<String> {
    let Some(path) = env::var_os("NOTESFERRY_AXE") else {
        // Past the test harness, which would keep it to itself.
        let text = "skipped: the page is not looked at by axe-core (tests/run fetches it and names it in NOTESFERRY_AXE)\n";
        io::stderr().write_all(text.as_bytes()).unwrap();
        return None;
    };
    Some(fs::read_to_string(path).unwrap())
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends Chromium; killed alone, the driver would leave it.
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
