//! A client of the API, as a test needs one.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The body, where the status is as expected.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }
}

/// A client of one process.
pub struct Client {
    pub base: String,
    agent: ureq::Agent,
    /// Sent as a bearer.
    pub key: Option<String>,
}

impl Client {
    pub fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .build()
            .into();
        Client { base: base.to_owned(), agent, key: None }
    }

    /// Of the process that writes this log: the address that it says it listens on last, once it is ready.
    pub fn of_log(log: &Path) -> Self {
        let client = Client::listening(log);
        client.wait_until_ready();
        client
    }

    /// The same, ready or not.
    #[allow(dead_code, reason = "of_log is what most tests need")]
    pub fn listening(log: &Path) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            let address = text.lines().rev().find(|line| line.contains("listening")).and_then(|line| {
                let rest = line.split("address=").nth(1)?;
                Some(rest.split_whitespace().next()?.to_owned())
            });
            if let Some(address) = address {
                return Client::new(&format!("http://{address}"));
            }
            assert!(Instant::now() < deadline, "it does not listen:\n{text}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn wait_until_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        while !self.try_send("GET", "/readyz", &[], None).is_ok_and(|answer| answer.status == 200) {
            assert!(Instant::now() < deadline, "not ready: {}", self.base);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<(&str, &[u8])>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = match body {
            Some((media, bytes)) => {
                let request = request.header("content-type", media).body(bytes.to_vec()).expect("a request");
                self.agent.run(request)?
            }
            None => self.agent.run(request.body(()).expect("a request"))?,
        };
        let headers = response.headers().iter();
        let headers =
            headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let headers = headers.collect();
        Ok(Answer { status: response.status().as_u16(), headers, body: response.body_mut().read_to_vec()? })
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string);
        let body = text.as_ref().map(|text| ("application/json", text.as_bytes()));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.try_send(method, path, headers, body);
            let answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
            // Partitions may be on their way from one worker to another: the answer says to try again.
            if answer.status != 503 || Instant::now() > deadline {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[], Some(body))
    }

    /// Asks until `is_there` says so.
    pub fn wait_for(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let body = self.get(path).json();
            if is_there(&body) {
                return body;
            }
            assert!(Instant::now() < deadline, "{path}: {body:#}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
