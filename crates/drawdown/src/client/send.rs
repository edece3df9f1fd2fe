//! A request, sent until the server is ready for it, and followed until it is known what became of it.

use std::io::ErrorKind;
use std::thread::sleep;
use std::time::{Duration, Instant};

use drawdown_api::routes::escaped;
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Error, Timeout};

use super::problem;
use super::server::{Server, ServerArgs};
use crate::config::Secret;
use crate::exit::Failure;

/// How long a server that is not ready is asked again.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a change that is on its way is waited for.
const OUTCOME_PATIENCE: Duration = Duration::from_secs(30);
const PAUSE_MIN: Duration = Duration::from_millis(200);
/// How long one request may take until there is a connection, and altogether.
const TIMEOUTS: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(60)];
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 256 << 20;

/// A client of one server.
pub struct Client {
    base: String,
    key: Option<Secret>,
    agent: ureq::Agent,
}

/// What came back.
pub(super) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    retry_after: Option<Duration>,
    location: Option<String>,
    etag: Option<String>,
    is_again: bool,
}

/// What was asked for, or a change that was made.
pub struct Taken {
    /// The answer.
    pub body: Vec<u8>,
    /// Which version of it this is, where it has any.
    pub version: Option<String>,
    /// The change had been made before, under the same key.
    pub is_again: bool,
}

/// A request.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    body: Option<&'a [u8]>,
    /// Of a change.
    idempotency_key: Option<&'a str>,
    /// The version that is to be changed, and no other.
    if_match: Option<&'a str>,
}

impl<'a> Asked<'a> {
    /// Without a body, key or condition.
    fn of(method: &'a str, path: &'a str) -> Self {
        Asked { method, path, body: None, idempotency_key: None, if_match: None }
    }
}

/// There is no answer.
struct Silence {
    error: String,
    /// The request may have arrived.
    was_sent: bool,
}

impl Client {
    /// A client of the server that the arguments name.
    ///
    /// # Errors
    /// They name none.
    pub fn new(args: &ServerArgs) -> Result<Self, Failure> {
        let server = args.server()?;
        let is_loopback = server.is_loopback();
        let Server { base, key, authorities } = server;
        let roots = authorities.map_or(RootCerts::PlatformVerifier, RootCerts::from);
        let [connect, whole] = TIMEOUTS;
        let mut config = ureq::Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_connect(Some(connect))
            .timeout_global(Some(whole))
            .http_status_as_error(false)
            // The key is for this server: it goes nowhere else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("drawdown/", env!("CARGO_PKG_VERSION")));
        if is_loopback {
            config = config.proxy(None);
        }
        Ok(Client { base, key, agent: config.build().into() })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// It is not to be had.
    pub fn get(&self, path: &str) -> Result<Vec<u8>, Failure> {
        Ok(self.get_version(path)?.body)
    }

    /// The same, with its version.
    ///
    /// # Errors
    /// It is not to be had.
    pub fn get_version(&self, path: &str) -> Result<Taken, Failure> {
        self.ask_freely(&Asked::of("GET", path))
    }

    /// The same, but `None` where nobody answers.
    ///
    /// # Errors
    /// There is an answer, and it is another.
    pub fn get_if_there(&self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.ask(&Asked::of("GET", path)).ok().map(|answer| Ok(self.taken(answer, None)?.body)).transpose()
    }

    /// Sends a change under a key, and waits until it is known what became of it.
    ///
    /// # Errors
    /// It was refused, or what became of it is not known: the key is named then.
    pub fn write(
        &self,
        method: &str,
        path: &str,
        fields: Option<&Value>,
        idempotency_key: Option<&str>,
        if_match: Option<&str>,
    ) -> Result<Taken, Failure> {
        let key = idempotency_key.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned);
        let body = fields.map(|fields| fields.to_string().into_bytes());
        let asked = Asked { method, path, body: body.as_deref(), idempotency_key: Some(&key), if_match };
        let answer = self.ask(&asked).map_err(|silence| self.silent(&silence, Some(&key)))?;
        let place = answer.location.as_deref().filter(|place| answer.status == 202 && place.starts_with('/'));
        let answer = match place {
            Some(place) => self.follow(place, &key)?,
            None => answer,
        };
        self.taken(answer, Some(&key))
    }

    /// Publishes a deck or a rate plan: what is in force already is published at once, so it needs no key.
    ///
    /// # Errors
    /// It was refused.
    pub fn publish(&self, fields: &Value) -> Result<Vec<u8>, Failure> {
        let body = fields.to_string().into_bytes();
        Ok(self.ask_freely(&Asked { body: Some(&body), ..Asked::of("POST", "/v1/decks") })?.body)
    }

    /// Withdraws a version of a deck: one that is withdrawn already stays so, so it needs no key.
    ///
    /// # Errors
    /// It was refused.
    pub fn withdraw(&self, id: &str, version: u32) -> Result<Vec<u8>, Failure> {
        let path = format!("/v1/decks/{}/{version}", escaped(id));
        Ok(self.ask_freely(&Asked::of("DELETE", &path))?.body)
    }

    /// What may be asked any number of times.
    fn ask_freely(&self, asked: &Asked<'_>) -> Result<Taken, Failure> {
        let answer = self.ask(asked).map_err(|silence| self.silent(&silence, None))?;
        self.taken(answer, None)
    }

    /// Sends a request, again where the server asks for that: a change has its key, so it is done once.
    fn ask(&self, asked: &Asked<'_>) -> Result<Answer, Silence> {
        let until = Instant::now() + PATIENCE;
        let mut was_sent = false;
        loop {
            let answer = self.ask_once(asked);
            let answer = answer.map_err(|silence| Silence { was_sent: silence.was_sent || was_sent, ..silence })?;
            // 409: the same change is on its way.
            let is_for_now = matches!(answer.status, 409 | 429 | 503);
            match answer.retry_after.map(|pause| pause.max(PAUSE_MIN)) {
                Some(pause) if is_for_now && Instant::now() + pause <= until => sleep(pause),
                _ => return Ok(answer),
            }
            was_sent = true;
        }
    }

    fn ask_once(&self, asked: &Asked<'_>) -> Result<Answer, Silence> {
        let silent = |error: Error| Silence { was_sent: was_sent(&error), error: error.to_string() };
        let mut request =
            ureq::http::Request::builder().method(asked.method).uri(format!("{}{}", self.base, asked.path));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {}", key.expose()));
        }
        if let Some(key) = asked.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(version) = asked.if_match {
            request = request.header("if-match", format!("\"{version}\""));
        }
        let built = |error| silent(Error::Http(error));
        let mut response = match asked.body {
            Some(body) => {
                let request = request.header("content-type", "application/json").body(body).map_err(built)?;
                self.agent.run(request).map_err(silent)?
            }
            None => self.agent.run(request.body(()).map_err(built)?).map_err(silent)?,
        };
        let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let seconds = |text: String| text.parse().ok().map(Duration::from_secs);
        let (retry_after, location) = (header("retry-after").and_then(seconds), header("location"));
        let (etag, is_again) = (header("etag"), header("idempotency-replayed").is_some());
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        let body = body.map_err(|error| Silence { error: error.to_string(), was_sent: true })?;
        Ok(Answer { status, body, retry_after, location, etag, is_again })
    }

    /// Waits for what becomes of a change that the log has.
    fn follow(&self, place: &str, key: &str) -> Result<Answer, Failure> {
        let until = Instant::now() + OUTCOME_PATIENCE;
        let asked = Asked::of("GET", place);
        while Instant::now() < until {
            sleep(PAUSE_MIN);
            let Ok(answer) = self.ask_once(&asked) else { continue };
            // One that is on its way may not be known to the process that is asked.
            let is_on_its_way = match answer.status {
                200 => serde_json::from_slice::<Value>(&answer.body).is_ok_and(|done| done["outcome"] == "pending"),
                404 => problem::kind(&answer.body).as_deref() == Some("unknown-command"),
                status => matches!(status, 429 | 502..=504),
            };
            if !is_on_its_way {
                return Ok(answer);
            }
        }
        let waited = OUTCOME_PATIENCE.as_secs();
        let what = format!("{}: the change is on the log, and not made after {waited} s", self.base);
        Err(Failure::Fault(anyhow::anyhow!("{what}; {}", problem::repeat(key))))
    }

    fn taken(&self, answer: Answer, idempotency_key: Option<&str>) -> Result<Taken, Failure> {
        match answer.status {
            200..=299 => {
                let version = answer.etag.map(|etag| etag.trim_matches('"').to_owned());
                Ok(Taken { body: answer.body, version, is_again: answer.is_again })
            }
            _ => Err(problem::failure(&answer, &self.base, self.key.is_some(), idempotency_key)),
        }
    }

    fn silent(&self, silence: &Silence, idempotency_key: Option<&str>) -> Failure {
        let Silence { error, was_sent } = silence;
        let mend = match idempotency_key {
            Some(key) if *was_sent => problem::repeat(key),
            _ => "is `drawdown serve` running there?".to_owned(),
        };
        Failure::Fault(anyhow::anyhow!("{}: {error}; {mend}", self.base))
    }
}

/// Whether a request that failed so may have arrived.
fn was_sent(error: &Error) -> bool {
    let never = match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::BadUri(_) | Error::Http(_) => true,
        Error::Tls(_) | Error::Rustls(_) | Error::InvalidProxyUrl => true,
        Error::Timeout(timeout) => matches!(timeout, Timeout::Resolve | Timeout::Connect),
        Error::Io(error) => {
            matches!(
                error.kind(),
                ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
            )
        }
        _ => false,
    };
    !never
}
