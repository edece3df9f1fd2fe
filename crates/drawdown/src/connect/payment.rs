//! The payment connector on the pipeline's own log.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;

use drawdown_api::Telemetry;
use drawdown_api::meters::clock;
use drawdown_connect::payment::http::{self, HttpGateway};
use drawdown_connect::payment::stripe::{self, StripeGateway};
use drawdown_connect::payment::{Connector, Gateway, Outcome, Settings, UrlError};
use drawdown_connect::secret::Secret;
use drawdown_engine::inbox::Inbox;

use super::feeds::{self, InboxOrders};
use super::running::Running;
use crate::config::{Config, Payment, Provider};
use crate::exit::Failure;

/// Its name: of its place in the log, and of its consumer group.
pub const NAME: &str = "payment";

/// The gateway of the configuration; nothing is sent to it yet.
fn gateway(payment: &Payment) -> Result<Arc<dyn Gateway>, UrlError> {
    let (secret, timeout) = (Secret::new(payment.secret.expose()), payment.timeout);
    Ok(match payment.provider {
        Provider::Http => {
            let url = payment.url.clone().unwrap_or_default();
            Arc::new(HttpGateway::new(http::Settings { url, secret, timeout })?)
        }
        Provider::Stripe => {
            let url = payment.url.clone().unwrap_or_else(|| stripe::URL.to_owned());
            Arc::new(StripeGateway::new(&stripe::Settings { url, secret, timeout }, clock)?)
        }
    })
}

/// Starts the connector in a thread of its own, which ends when it is told to stop.
///
/// # Errors
/// The gateway cannot be where it is said to be, the log cannot be reached, or no thread is left.
pub fn start(
    config: &Config,
    telemetry: &Telemetry,
    payment: &Payment,
    inbox: &Arc<dyn Inbox>,
    stop: &Arc<AtomicBool>,
) -> Result<Running, Failure> {
    let gateway = gateway(payment).map_err(|error| Failure::usage(format!("payment.url: {error}")))?;
    let settings = Settings { namespace: payment.namespace.clone(), ..Settings::default() };
    let (feed, orders) = (feeds::feed(config, NAME)?, InboxOrders(Arc::clone(inbox)));
    let lag = feed.lag();
    let fault = |error: io::Error| Failure::Fault(error.into());
    let connector = Connector::new(feed, orders, &gateway, settings, Box::new(clock)).map_err(fault)?;
    let (stop, tally, charges) = (Arc::clone(stop), connector.tally(), telemetry.charges());
    let thread = thread::Builder::new().name(NAME.to_owned()).spawn(move || connector.run(&stop)).map_err(fault)?;
    let counted = Box::new(move || {
        let [succeeded, declined, failed] =
            [Outcome::Succeeded, Outcome::Declined, Outcome::Failed].map(|outcome| tally.settled(outcome));
        let outcomes = [succeeded, declined, failed, tally.unanswered(), tally.agreed()];
        charges.update(outcomes, tally.let_go(), tally.outstanding(), &tally.took.take());
        tally.undecodable()
    });
    Ok(Running { thread, lag, meters: telemetry.connector(NAME), counted })
}
