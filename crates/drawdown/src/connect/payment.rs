//! The payment connector on the pipeline's own log.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use drawdown_connect::payment::http::{self, HttpGateway};
use drawdown_connect::payment::stripe::{self, StripeGateway};
use drawdown_connect::payment::{Connector, Gateway, Settings, Tally, UrlError};

use super::feeds;
use crate::config::Config;
use crate::exit::Failure;

/// Its name: of its place in the log, and of its consumer group.
pub const NAME: &str = "payment";

/// Which gateway charges.
#[derive(Debug, Clone)]
pub enum Provider {
    /// One that speaks our contract.
    Http(http::Settings),
    /// Stripe.
    Stripe(stripe::Settings),
}

impl Provider {
    /// The gateway; nothing is sent to it yet.
    ///
    /// # Errors
    /// It cannot be at its URL.
    pub fn gateway(&self) -> Result<Arc<dyn Gateway>, UrlError> {
        Ok(match self {
            Provider::Http(settings) => Arc::new(HttpGateway::new(settings.clone())?),
            Provider::Stripe(settings) => Arc::new(StripeGateway::new(settings)?),
        })
    }
}

/// Starts the connector in a thread of its own, which ends when it is told to stop, and says where it counts.
///
/// # Errors
/// The log cannot be reached, or no thread is left.
pub fn start(
    config: &Config,
    gateway: &Arc<dyn Gateway>,
    settings: Settings,
    stop: &Arc<AtomicBool>,
) -> Result<(JoinHandle<()>, Arc<Tally>), Failure> {
    let (feed, orders) = (feeds::feed(config, NAME)?, feeds::orders(config, NAME));
    let fault = |error: io::Error| Failure::Fault(error.into());
    let connector = Connector::new(feed, orders, gateway, settings, Box::new(feeds::now)).map_err(fault)?;
    let (tally, stop) = (connector.tally(), Arc::clone(stop));
    let thread = thread::Builder::new().name(NAME.to_owned()).spawn(move || connector.run(&stop)).map_err(fault)?;
    Ok((thread, tally))
}
