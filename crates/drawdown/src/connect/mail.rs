//! The mail connector on the pipeline's own log.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use drawdown_api::Telemetry;
use drawdown_connect::dead::DeadLetters;
use drawdown_connect::mail::{Contacts, Mailer, Sender, Server, ServerSettings, Settings, Templates};
use drawdown_connect::secret::Secret;
use drawdown_connect::stop::Stop;

use super::running::{Running, count};
use super::{CurrencyOf, fault, feeds};
use crate::config::{Config, Mail};
use crate::exit::Failure;

/// Its name: of its place in the log, and of its consumer group.
pub const NAME: &str = "mail";

/// How long one step of the conversation with the server may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Whom mails are from.
///
/// # Errors
/// That is no address.
pub fn sender(mail: &Mail) -> Result<Sender, Failure> {
    let address = |key: &str, text: &str| {
        text.parse().map_err(|error| Failure::usage(format!("{key} {text:?} is no mail address: {error}")))
    };
    let from = address("mail.from", &mail.from)?;
    let reply_to = mail.reply_to.as_deref().map(|text| address("mail.reply_to", text)).transpose()?;
    Ok(Sender { from, reply_to })
}

/// The server that takes mails.
///
/// # Errors
/// Its settings are wrong; it is not asked yet.
pub fn server(mail: &Mail) -> Result<Server, Failure> {
    let read = |path: &std::path::PathBuf| std::fs::read(path).map_err(|error| fault("mail.ca_file", path, &error));
    let settings = ServerSettings {
        host: mail.host.clone(),
        port: mail.port,
        encryption: mail.encryption,
        credentials: mail.credentials.as_ref().map(|(user, password)| (user.clone(), Secret::new(password.expose()))),
        authorities: mail.ca_file.as_ref().map(read).transpose()?,
        timeout: TIMEOUT,
    };
    Server::new(settings).map_err(|error| Failure::usage(format!("mail.host {}: {error}", mail.host)))
}

/// The templates.
///
/// # Errors
/// They have faults.
pub fn templates(mail: &Mail) -> Result<Templates, Failure> {
    Templates::open(mail.templates.as_deref()).map_err(|error| Failure::usage(format!("mail.templates: {error}")))
}

/// Starts the connector in a thread of its own, which ends when it is told to stop.
///
/// # Errors
/// What is wrong with its settings, or with the log.
pub fn start(
    config: &Config,
    telemetry: &Telemetry,
    mail: &Mail,
    dead: Arc<dyn DeadLetters>,
    currency_of: &CurrencyOf,
    stop: &Stop,
) -> Result<Running, Failure> {
    let contacts = Contacts::open(&mail.contacts).map_err(|error| fault("mail.contacts", &mail.contacts, &error))?;
    let (settings, server, templates) = (Settings::of(sender(mail)?), server(mail)?, templates(mail)?);
    let (feed, stop, currency_of) = (feeds::feed(config, NAME)?, stop.clone(), Arc::clone(currency_of));
    let lag = feed.lag();
    let mailer = Mailer::new(feed, settings, server, templates, contacts, dead);
    let mut mailer = mailer.with_currencies(Box::new(move |org| currency_of(org)));
    let (counts, mails) = (mailer.counts(), telemetry.mails());
    let thread = thread::Builder::new().name(NAME.to_owned()).spawn(move || mailer.run(&stop));
    let thread = thread.map_err(|error| Failure::Fault(error.into()))?;
    let counted = Box::new(move || {
        let outcomes = [&counts.sent, &counts.put_off, &counts.dead].map(count);
        mails.update(outcomes, count(&counts.without_contact));
        count(&counts.undecodable)
    });
    Ok(Running { thread, lag, meters: telemetry.connector(NAME), counted })
}
