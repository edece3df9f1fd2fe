//! Stripe: a charge is a PaymentIntent, confirmed as it is made, without its customer present.
//!
//! Invariants: an attempt has one idempotency key and one mark in the metadata. Stripe forgets keys after a day, so what
//! the engine asked for more than once, or long ago, is looked for by its mark before anything is charged. Only a
//! PaymentIntent or an error of the card settles anything.
//!
//! The token of a card is `pm_…`, `tok_…`, or `cus_…:pm_…` for a payment method that is attached to a customer, which
//! Stripe takes with its customer only.

mod intent;
mod minor;

use std::fmt;
use std::time::Duration;

use drawdown_units::Timestamp;
use ureq::Agent;
use ureq::typestate::WithBody;

use super::web::{self, Reply, UrlError};
use super::{Answer, Charge, Gateway, Unreachable, signature};
use crate::secret::Secret;
use intent::{Problem, Said};

pub use minor::minor_units;

/// Where Stripe is.
pub const URL: &str = "https://api.stripe.com";
/// What was written against: an account's own default may be any.
const VERSION: &str = "2024-06-20";
/// What was asked for so long ago, in seconds, may have been charged by a key that Stripe forgets soon: whoever sent it died
/// before it was settled.
const RECENT_S_MAX: i64 = 12 * 60 * 60;
/// The name of the mark in the metadata.
const MARK: &str = "drawdown_key";

/// Settings of Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is; [`URL`], but in tests.
    pub url: String,
    /// The secret key, or a restricted one that may write PaymentIntents.
    pub secret: Secret,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// Charges cards at Stripe.
pub struct StripeGateway {
    url: String,
    authorization: Secret,
    agent: Agent,
    clock: fn() -> Timestamp,
}

impl fmt::Debug for StripeGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeGateway").field("url", &self.url).finish_non_exhaustive()
    }
}

impl StripeGateway {
    /// A gateway; nothing is sent yet. `clock` tells the time of day.
    ///
    /// # Errors
    /// It cannot be at that URL.
    pub fn new(settings: &Settings, clock: fn() -> Timestamp) -> Result<Self, UrlError> {
        Ok(StripeGateway {
            url: format!("{}/v1/payment_intents", web::check(&settings.url)?),
            authorization: Secret::new(format!("Bearer {}", settings.secret.expose())),
            agent: web::agent(settings.timeout),
            clock,
        })
    }

    fn make(&self, charge: &Charge, amount: u64) -> Result<Reply, Unreachable> {
        let request: ureq::RequestBuilder<WithBody> = self.agent.post(&self.url);
        let request = request.header("authorization", self.authorization.expose()).header("stripe-version", VERSION);
        web::reply(request.header(signature::KEY, &*charge.key).send_form(form(charge, amount)))
    }

    fn get(&self, path: &str, query: Option<(&str, &str)>) -> Result<Reply, Unreachable> {
        let request = self.agent.get(format!("{}/{path}", self.url));
        let request = request.header("authorization", self.authorization.expose()).header("stripe-version", VERSION);
        let request = query.into_iter().fold(request, |request, (name, value)| request.query(name, value));
        web::reply(request.call())
    }

    /// What became of this attempt, if Stripe knows it by its mark.
    fn find(&self, charge: &Charge) -> Result<Option<Answer>, Unreachable> {
        let key = charge.key.replace('\\', "\\\\").replace('\'', "\\'");
        let found = self.get("search", Some(("query", &format!("metadata['{MARK}']:'{key}'"))))?;
        intent::found(&found, charge)
    }

    fn read(&self, charge: &Charge, reply: &Reply) -> Result<Answer, Unreachable> {
        match intent::read(reply, charge)? {
            Said::Answer(answer) => Ok(answer),
            // The same key would give the same intermediate answer for ever.
            Said::Processing(id) => match intent::read(&self.get(&id, None)?, charge)? {
                Said::Answer(answer) => Ok(answer),
                Said::Processing(_) => Err(Unreachable("the payment is still being processed".to_owned())),
            },
        }
    }
}

impl Gateway for StripeGateway {
    fn charge(&self, charge: &Charge) -> Result<Answer, Unreachable> {
        let Some(amount) = minor_units(charge.amount, charge.currency) else {
            let reason = format!("{} is no amount that can be charged in {}", charge.amount, charge.currency);
            return Ok(Answer::declined(&reason));
        };
        let is_old = (self.clock)().is_later_by_more_than(RECENT_S_MAX, charge.at);
        if (charge.sending > 1 || is_old)
            && let Some(answer) = self.find(charge)?
        {
            return Ok(answer);
        }
        let reply = self.make(charge, amount)?;
        match intent::problem(&reply) {
            // The way of paying was changed since this attempt was first sent: what came of it then is what counts.
            Some(Problem::OtherRequest) => {
                self.find(charge)?.ok_or_else(|| Unreachable("the key is known for another request".to_owned()))
            }
            Some(Problem::Card(answer)) => Ok(answer),
            Some(Problem::Other(reason)) => Err(Unreachable(reason)),
            None => self.read(charge, &reply),
        }
    }
}

fn form(charge: &Charge, amount: u64) -> Vec<(String, String)> {
    let card = charge.card.expose();
    let (customer, card) = match card.split_once(':') {
        Some((customer, card)) => (Some(customer), card),
        None => (None, card),
    };
    let mut form = vec![
        ("amount".to_owned(), amount.to_string()),
        ("currency".to_owned(), charge.currency.as_str().to_ascii_lowercase()),
        ("confirm".to_owned(), "true".to_owned()),
        ("off_session".to_owned(), "true".to_owned()),
        ("payment_method_types[]".to_owned(), "card".to_owned()),
        ("description".to_owned(), format!("Recharge {}", charge.recharge)),
        ("metadata[recharge_id]".to_owned(), charge.recharge.to_string()),
        ("metadata[attempt]".to_owned(), charge.attempt.to_string()),
        (format!("metadata[{MARK}]"), charge.key.to_string()),
    ];
    if card.starts_with("tok_") {
        form.push(("payment_method_data[type]".to_owned(), "card".to_owned()));
        form.push(("payment_method_data[card][token]".to_owned(), card.to_owned()));
    } else {
        form.push(("payment_method".to_owned(), card.to_owned()));
    }
    form.extend(customer.map(|customer| ("customer".to_owned(), customer.to_owned())));
    form
}
