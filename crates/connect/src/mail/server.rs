//! The mail server that takes our mails.
//!
//! Invariants: a password is sent over an encrypted connection or to this machine, and never shown. Whether a refusal is
//! about one mail or about all of them is told apart: only the former is final.

use std::net::IpAddr;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::response::Code;
use lettre::{SmtpTransport, Transport};

use crate::secret::Secret;

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// From the beginning, usually on port 465.
    Implicit,
    /// After STARTTLS, without which there is no connection; usually on port 587.
    StartTls,
    /// Not at all.
    None,
}

/// Where the server is, and who we are to it.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    /// Its name, which its certificate must bear.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// User and password, if it asks for them.
    pub credentials: Option<(String, Secret)>,
    /// Authorities (PEM) that are trusted beside those that this machine trusts.
    pub authorities: Option<Vec<u8>>,
    /// How long one step may take.
    pub timeout: Duration,
}

/// Why a server cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// A password would cross the network for everybody to read.
    #[error("a password needs encryption")]
    PlainPassword,
    /// The authorities are no certificates.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Why a mail was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There is no server, or it lets us send nothing at all.
    #[error("{0}")]
    Unreachable(String),
    /// This mail is not taken now (4xx).
    #[error("{1}")]
    Deferred(u16, String),
    /// This mail will never be taken (5xx).
    #[error("{1}")]
    Refused(u16, String),
}

/// A connection to the server, made when it is needed and kept for a while.
#[derive(Debug)]
pub struct Server(SmtpTransport);

impl Server {
    /// Does not connect yet.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(settings: ServerSettings) -> Result<Self, ServerError> {
        let is_plain = settings.encryption == Encryption::None;
        if is_plain && settings.credentials.is_some() && !is_this_machine(&settings.host) {
            return Err(ServerError::PlainPassword);
        }
        let tls = match settings.encryption {
            Encryption::None => Tls::None,
            Encryption::Implicit => Tls::Wrapper(parameters(&settings)?),
            Encryption::StartTls => Tls::Required(parameters(&settings)?),
        };
        let mut transport = SmtpTransport::builder_dangerous(settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(settings.timeout))
            .pool_config(PoolConfig::new().max_size(1).idle_timeout(Duration::from_secs(30)));
        if let Some((user, password)) = settings.credentials {
            transport = transport.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        Ok(Server(transport.build()))
    }

    /// Sends one mail to those in its envelope. `Ok` says that the server took it.
    ///
    /// # Errors
    /// It did not, or nobody knows.
    pub fn post(&self, envelope: &Envelope, mail: &[u8]) -> Result<(), PostError> {
        // Connects, greets and proves who we are, or looks whether all that still holds: what fails here is not about
        // this mail, whatever the code.
        match self.0.test_connection() {
            Ok(true) => {}
            Ok(false) => return Err(PostError::Unreachable("the connection does not hold".to_owned())),
            Err(error) => return Err(PostError::Unreachable(error.to_string())),
        }
        let error = match self.0.send_raw(envelope, mail) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let said = error.to_string();
        Err(match error.status().map(number) {
            Some(code) if is_about_us(code) => PostError::Unreachable(said),
            Some(code) if error.is_permanent() => PostError::Refused(code, said),
            Some(code) => PostError::Deferred(code, said),
            None => PostError::Unreachable(said),
        })
    }
}

/// The server ends the connection, or wants to know first who we are.
fn is_about_us(code: u16) -> bool {
    matches!(code, 421 | 454 | 530 | 534 | 535 | 538)
}

fn number(code: Code) -> u16 {
    code.into()
}

fn parameters(settings: &ServerSettings) -> Result<TlsParameters, ServerError> {
    let fault = |error: lettre::transport::smtp::Error| ServerError::Tls(error.to_string());
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.authorities {
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(fault)?);
    }
    builder.build().map_err(fault)
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
