//! One request, and what came of it.
//!
//! Invariants: redirects are not followed, nothing waits or reads without a bound, and what a person is shown holds
//! neither an address nor a secret.

use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use super::endpoint::Endpoint;
use super::retries::read_retry_after;
use super::signature::sign;

/// How much of an answer is read, for whoever looks into a failure.
const ANSWER_BYTES_MAX: u64 = 512;

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Duration,
    /// From beginning to end.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts { connect: Duration::from_secs(10), whole: Duration::from_secs(30) }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Accepted,
    /// The endpoint wants nothing more, ever (410).
    Gone,
    /// It was not taken, or nobody knows.
    Failed(Failure),
}

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The answer's status, if there was one.
    pub status: Option<u16>,
    /// For a person.
    pub error: String,
    /// The pause that the endpoint asks for.
    pub retry_after: Option<Duration>,
}

/// Why no request can be made at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The authorities given are no certificates.
    #[error("not a certificate in PEM: {0}")]
    Authority(String),
}

/// Makes requests. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    /// Through the proxy that the environment names, if it does.
    outside: ureq::Agent,
    /// To this machine.
    inside: ureq::Agent,
}

impl Client {
    /// A client that trusts the authorities this machine trusts, and those that are given (PEM).
    ///
    /// # Errors
    /// The authorities cannot be read.
    pub fn new(timeouts: Timeouts, authorities: Option<&[u8]>) -> Result<Self, ClientError> {
        let tls = TlsConfig::builder().root_certs(roots(authorities)?).build();
        let agent = || {
            ureq::Agent::config_builder()
                .tls_config(tls.clone())
                .timeout_connect(Some(timeouts.connect))
                .timeout_global(Some(timeouts.whole))
                .http_status_as_error(false)
                .max_redirects(0)
                .max_redirects_will_error(false)
                .user_agent(concat!("drawdown/", env!("CARGO_PKG_VERSION")))
        };
        Ok(Client { outside: agent().build().into(), inside: agent().proxy(None).build().into() })
    }

    /// Sends one event.
    pub fn send(&self, endpoint: &Endpoint, id: &str, body: &str) -> Answer {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let agent = if endpoint.url().is_loopback() { &self.inside } else { &self.outside };
        let request = agent
            .post(endpoint.url().as_str())
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.to_string())
            .header("webhook-signature", sign(endpoint.secrets(), id, now, body.as_bytes()));
        match request.send(body) {
            Ok(response) => judge(response, now),
            Err(error) => Answer::Failed(Failure { status: None, error: error.to_string(), retry_after: None }),
        }
    }
}

fn roots(authorities: Option<&[u8]>) -> Result<RootCerts, ClientError> {
    Ok(match authorities {
        None => RootCerts::PlatformVerifier,
        // Either of the two is all that ureq trusts, so both are given as one.
        Some(pem) => RootCerts::from(read_authorities(pem)?.into_iter().chain(of_this_machine())),
    })
}

fn of_this_machine() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "certificates that this machine trusts cannot be read");
    }
    found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
}

fn read_authorities(pem: &[u8]) -> Result<Vec<Certificate<'static>>, ClientError> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        match item.map_err(|error| ClientError::Authority(error.to_string()))? {
            PemItem::Certificate(certificate) => certificates.push(certificate),
            other => return Err(ClientError::Authority(format!("{} instead", kind(&other)))),
        }
    }
    if certificates.is_empty() { Err(ClientError::Authority("there is none".to_owned())) } else { Ok(certificates) }
}

fn kind(item: &PemItem<'_>) -> &'static str {
    if matches!(item, PemItem::PrivateKey(_)) { "a private key" } else { "something else" }
}

fn judge(mut response: ureq::http::Response<ureq::Body>, now: u64) -> Answer {
    let status = response.status().as_u16();
    match status {
        200..=299 => return Answer::Accepted,
        410 => return Answer::Gone,
        _ => {}
    }
    let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = retry_after.and_then(|value| read_retry_after(value, now));
    let mut said = Vec::new();
    // What an answer says is worth a look, not a failure of its own.
    let _ = response.body_mut().as_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut said);
    let said: String = String::from_utf8_lossy(&said).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let error = match status {
        300..=399 => format!("answered {status}: redirects are not followed"),
        _ if said.trim().is_empty() => format!("answered {status}"),
        _ => format!("answered {status}: {}", said.trim()),
    };
    Answer::Failed(Failure { status: Some(status), error, retry_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_trusted_beside_those_of_this_machine() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let RootCerts::Specific(trusted) = roots(Some(made.cert.pem().as_bytes())).unwrap() else {
            panic!("those that are given at least")
        };
        let mut trusted: Vec<&[u8]> = trusted.iter().map(Certificate::der).collect();
        let of_this_machine = of_this_machine();
        let mut expected: Vec<&[u8]> = of_this_machine.iter().map(Certificate::der).collect();
        expected.push(made.cert.der());
        trusted.sort_unstable();
        expected.sort_unstable();
        assert!(trusted == expected, "{} certificates, {} expected", trusted.len(), expected.len());
    }
}
