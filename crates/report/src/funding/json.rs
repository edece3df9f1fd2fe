//! What to buy, as JSON; money is a decimal text, a chance a fraction and per mille.

use serde_json::{Value, json};

use super::{Chance, Funding};

impl Funding {
    /// All of it.
    pub fn json(&self) -> Value {
        json!({
            "orgId": self.org,
            "currency": self.currency.as_str(),
            "at": self.at.to_string(),
            "balance": self.balance.to_string(),
            "leadTimeHours": self.wishes.lead_time_hours,
            "riskPpm": self.wishes.risk_ppm,
            "historyHours": self.history_hours,
            "usage": self.usage.to_string(),
            "largestWindow": self.largest_window.to_string(),
            "recommendation": self.recommendation.map(|it| json!({
                "triggerAmount": it.trigger.to_string(),
                "rechargeAmount": it.recharge.to_string(),
                "tooLate": it.risk.json(),
            })),
            "current": self.current.map(|(settings, chance)| json!({
                "enabled": settings.enabled,
                "triggerAmount": settings.trigger.to_string(),
                "rechargeAmount": settings.recharge.to_string(),
                "tooLate": chance.map(Chance::json),
            })),
            "leftovers": self.leftovers.iter().map(|it| {
                let mut json = it.lot.json();
                json["unspent"] = it.unspent.to_string().into();
                json
            }).collect::<Vec<_>>(),
        })
    }
}

impl Chance {
    fn json(self) -> Value {
        json!({"count": self.count, "windows": self.windows, "perMille": self.per_mille()})
    }
}
