//! A lot, as debits and events tell of it.

use drawdown_units::{Money, Timestamp};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::fields::Place;
use crate::line::Event;

/// Money bought at one moment, and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Unique in its organisation.
    pub id: Box<str>,
    /// What it held at first.
    pub amount: Money,
    /// What it holds.
    pub remaining: Money,
    /// When it was bought.
    pub purchased: Timestamp,
    /// When it leaves the balance.
    pub expires: Timestamp,
    /// Where in its life it is.
    pub state: State,
}

/// Where in its life a lot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In the balance.
    Active,
    /// Out of the balance; calls that started in time may still draw it.
    Expired,
    /// Its rest is lost.
    Forfeited,
    /// Its rest was paid back.
    Refunded,
}

impl State {
    /// The name in states and reports.
    pub fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Forfeited => "forfeited",
            State::Refunded => "refunded",
        }
    }
}

impl Lot {
    /// The lot that an event makes.
    pub(crate) fn of(event: &Event<'_>, place: Place<'_>) -> Result<Self, Fault> {
        let amount = place.need_money("amount", event.amount.as_ref())?;
        Ok(Lot {
            id: place.need_text("lotId", event.lot_id.as_ref())?.into(),
            amount,
            remaining: amount,
            purchased: place.need_time("purchasedAt", event.purchased_at.as_ref())?,
            expires: place.need_time("expiresAt", event.expires_at.as_ref())?,
            state: State::Active,
        })
    }

    /// In the order in which lots are drawn (boundaries.md L15).
    pub(crate) fn order(&self) -> (Timestamp, &str) {
        (self.purchased, &self.id)
    }

    /// The lot as JSON.
    pub fn json(&self) -> Value {
        json!({
            "lotId": &*self.id,
            "amount": self.amount.to_string(),
            "remaining": self.remaining.to_string(),
            "purchasedAt": self.purchased.to_string(),
            "expiresAt": self.expires.to_string(),
            "state": self.state.name(),
        })
    }
}
