//! Payment: what the engine asks for is charged, and the answer is sent back as a command.
//!
//! Invariants: an attempt at a recharge has one key for ever, so that however often it is sent, the gateway charges it
//! once; a new attempt, which the engine asks for only after a definite failure, has a new one. Nothing is settled on a
//! guess: where the gateway's answer is not known, it is asked again under the same key.
//!
//! What is paid by agreement or purchase order needs no gateway: it is settled at once, and the engine issues the invoice.

mod answered;
mod connector;
mod desk;
pub mod http;
pub mod sandbox;
mod settings;
pub mod signature;
pub mod stripe;
mod tally;
mod tellers;
mod web;

use std::fmt::{self, Write as _};

use drawdown_units::{Currency, Money, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::secret::Secret;

pub use connector::Connector;
pub use drawdown_ledger::command::Outcome;
pub use settings::{Clock, Settings};
pub use tally::Tally;
pub use web::UrlError;

/// The longest key that is sent as it is: every gateway takes 255 bytes.
const KEY_BYTES_MAX: usize = 200;
/// The longest reason that is kept of a gateway's words.
const REASON_CHARS_MAX: usize = 200;

/// One attempt at charging a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The idempotency key: of this attempt at this recharge, and of nothing else. Visible ASCII.
    pub key: Box<str>,
    /// The recharge's id, `<orgId>/<n>`.
    pub recharge: Box<str>,
    /// Whose account.
    pub org: Box<str>,
    /// Which attempt it is, from 1: one more for each definite failure.
    pub attempt: u32,
    /// How often the engine asked for this recharge, from 1: where it is more than once, it may have been charged.
    pub sending: u32,
    /// When the engine asked for it.
    pub at: Timestamp,
    /// How much.
    pub amount: Money,
    /// Of which currency.
    pub currency: Currency,
    /// The gateway's own token of the card.
    pub card: Secret,
}

/// What the gateway says became of a charge. It says the same whenever it is asked again under the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Paid; declined for good; or failed, and may be tried again as a new attempt.
    pub outcome: Outcome,
    /// Why it was not paid, in words such as `expired card`.
    pub reason: Option<Box<str>>,
    /// When the gateway dealt with it, if it says.
    pub processed: Option<Timestamp>,
    /// What was charged, if it says: the ledger refuses another amount than it asked for.
    pub amount: Option<Money>,
}

/// Why it is not known what became of a charge: it may have been made. Asked again under the same key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// Charges cards.
pub trait Gateway: Send + Sync {
    /// Charges a card, or says what became of it when it was charged under this key before.
    ///
    /// # Errors
    /// The answer is not known: no connection, no answer in time, or one that settles nothing.
    fn charge(&self, charge: &Charge) -> Result<Answer, Unreachable>;
}

impl Answer {
    /// Paid.
    pub fn succeeded(processed: Option<Timestamp>) -> Self {
        Answer { outcome: Outcome::Succeeded, reason: None, processed, amount: None }
    }

    /// Refused for good.
    pub fn declined(reason: &str) -> Self {
        Answer { outcome: Outcome::Declined, reason: Some(words(reason)), processed: None, amount: None }
    }

    /// Did not work, and may be tried again.
    pub fn failed(reason: &str) -> Self {
        Answer { outcome: Outcome::Failed, reason: Some(words(reason)), processed: None, amount: None }
    }

    /// The same, with the instant at which the gateway dealt with it.
    #[must_use]
    pub fn at(self, processed: Option<Timestamp>) -> Self {
        Answer { processed, ..self }
    }
}

/// The key of an attempt at a recharge. `namespace` tells the logs apart whose recharges one gateway sees: numbers of
/// recharges begin anew with a new log, keys must not.
pub fn key(namespace: &str, recharge: &str, attempt: u32) -> Box<str> {
    let mut key = String::new();
    for byte in format!("{namespace}/{recharge}/{attempt}").bytes() {
        match byte {
            // Escaped, so that no two keys become one.
            b'%' => key.push_str("%25"),
            byte if byte.is_ascii_graphic() => key.push(char::from(byte)),
            byte => drop(write!(key, "%{byte:02X}")),
        }
    }
    if key.len() > KEY_BYTES_MAX { hex(&Sha256::digest(key.as_bytes())).into() } else { key.into() }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _: fmt::Result = write!(text, "{byte:02x}");
        text
    })
}

/// A gateway's words as they may stand in an event: of bounded length, on one line.
fn words(text: &str) -> Box<str> {
    let clean = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    clean.take(REASON_CHARS_MAX).collect::<String>().trim().into()
}

#[cfg(test)]
mod tests;
