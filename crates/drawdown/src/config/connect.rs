//! What is carried to the world outside: payments, mails, webhooks.

use std::path::PathBuf;
use std::time::Duration;

use drawdown_connect::mail::Encryption;

use super::reader::Reader;
use super::secret::{self, Secret};

/// The connectors; one that is not set does not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    pub payment: Option<Payment>,
    pub mail: Option<Mail>,
    /// The file of webhook endpoints.
    pub webhooks: Option<PathBuf>,
    /// Where dead letters are kept, if not beside the embedded store.
    pub dead_letters: Option<PathBuf>,
}

/// Who charges cards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub provider: Provider,
    /// `None` where the provider is reached where it always is.
    pub url: Option<String>,
    pub secret: Secret,
    pub timeout: Duration,
    pub namespace: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    Http,
    Stripe,
}

/// How mails are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub host: String,
    pub port: u16,
    pub encryption: Encryption,
    pub credentials: Option<(String, Secret)>,
    pub ca_file: Option<PathBuf>,
    pub from: String,
    pub reply_to: Option<String>,
    pub contacts: PathBuf,
    pub templates: Option<PathBuf>,
}

/// Reads the sections.
pub(super) fn read(reader: &mut Reader) -> Connect {
    Connect {
        payment: read_payment(reader),
        mail: read_mail(reader),
        webhooks: reader.text_if_given("webhooks.endpoints").map(PathBuf::from),
        dead_letters: reader.text_if_given("dead_letters.file").map(PathBuf::from),
    }
}

fn read_payment(reader: &mut Reader) -> Option<Payment> {
    let providers = [("http", Provider::Http), ("stripe", Provider::Stripe)];
    let provider = reader.choice("payment.provider", &providers);
    let url = reader.text_if_given("payment.url");
    let secret = secret::read(reader, "payment.secret", "payment.secret_file");
    let timeout = Duration::from_secs(reader.whole("payment.timeout_s"));
    let namespace = reader.text("payment.namespace");
    let provider = provider?;
    if provider == Provider::Http && url.is_none() {
        reader.fault("payment.provider", "http needs payment.url", "say where the gateway is");
    }
    if secret.is_none() {
        reader.fault("payment.provider", "is given without payment.secret", "set it, or payment.secret_file");
    }
    Some(Payment { provider, url, secret: secret?, timeout, namespace })
}

fn read_mail(reader: &mut Reader) -> Option<Mail> {
    let encryptions =
        [("starttls", Encryption::StartTls), ("implicit", Encryption::Implicit), ("none", Encryption::None)];
    let host = reader.text_if_given("mail.host");
    let port = reader.whole("mail.port");
    let encryption = reader.choice("mail.encryption", &encryptions).unwrap_or(Encryption::StartTls);
    let username = reader.text_if_given("mail.username");
    let password = secret::read(reader, "mail.password", "mail.password_file");
    let ca_file = reader.text_if_given("mail.ca_file").map(PathBuf::from);
    let from = reader.text("mail.from");
    let reply_to = reader.text_if_given("mail.reply_to");
    let contacts = reader.text_if_given("mail.contacts").map(PathBuf::from);
    let templates = reader.text_if_given("mail.templates").map(PathBuf::from);
    let host = host?;
    if contacts.is_none() {
        reader.fault("mail.host", "is given without mail.contacts", "name the file that says who gets mail");
    }
    let credentials = match (username, password) {
        (Some(username), Some(password)) => Some((username, password)),
        (None, None) => None,
        (Some(_), None) => {
            reader.fault("mail.username", "is given without mail.password", "set it, or leave both out");
            None
        }
        (None, Some(_)) => {
            reader.fault("mail.password", "is given without mail.username", "set it, or leave both out");
            None
        }
    };
    if credentials.is_some() && encryption == Encryption::None && !["localhost", "127.0.0.1", "::1"].contains(&&*host) {
        reader.fault(
            "mail.encryption",
            "a password would go over the network as it is",
            "encrypt, or give no password",
        );
    }
    Some(Mail { host, port, encryption, credentials, ca_file, from, reply_to, contacts: contacts?, templates })
}
