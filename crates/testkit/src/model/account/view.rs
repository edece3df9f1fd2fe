//! What an account looks like from outside.

use serde_json::{Value, json};

use super::{Account, LotState};
use crate::model::money::print;

impl Account {
    /// Balances, totals and every lot ever held, in the order of spending.
    pub fn view(&self) -> Value {
        let lots: Vec<Value> = self
            .lots
            .iter()
            .map(|lot| {
                let state = match lot.state {
                    LotState::Active => "active",
                    LotState::Expired => "expired",
                    LotState::Forfeited => "forfeited",
                    LotState::Refunded => "refunded",
                };
                json!({
                    "lotId": lot.id, "remaining": print(lot.remaining), "state": state,
                    "purchasedAt": lot.purchased.to_string(), "expiresAt": lot.expires.to_string(),
                })
            })
            .collect();
        let totals = &self.totals;
        json!({
            "orgId": self.org, "currency": self.currency, "mode": self.mode.name(), "closed": self.closed,
            "licensing": self.licensing.name(), "unlicensed": print(totals.unlicensed),
            "clock": self.clock.to_string(), "seq": self.seq, "balance": print(self.balance()),
            "overdraft": print(self.overdraft), "postUsage": print(totals.post_usage),
            "statedPostUsage": print(self.stated),
            "uncollected": print(totals.uncollected), "spent": print(totals.spent),
            "forfeited": print(totals.forfeited), "refunded": print(totals.refunded),
            "adjusted": print(totals.adjusted), "purchased": print(totals.purchased), "lots": lots,
        })
    }
}
