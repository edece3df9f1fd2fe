//! A statement as JSON; money is a decimal text.

use serde_json::{Value, json};

use super::{Item, Position, Spend, Statement};

impl Statement {
    /// All of it.
    pub fn json(&self) -> Value {
        let flows = &self.flows;
        json!({
            "orgId": self.org,
            "month": self.month.text(),
            "currency": self.currency.as_str(),
            "through": {"seq": self.through.0, "at": self.through.1.to_string()},
            "isOver": self.is_over,
            "opening": self.opening.json(),
            "closing": self.closing.json(),
            "lots": flows.lots_json(),
            "overdraft": {
                "overdrawn": flows.overdrawn.to_string(),
                "settled": flows.settled.to_string(),
                "reversed": flows.overdraft_reversed.to_string(),
            },
            "postUsage": flows.post_usage.to_string(),
            "uncollected": flows.uncollected.to_string(),
            "unlicensed": flows.unlicensed.to_string(),
            "charged": flows.charged.to_string(),
            "calls": flows.calls,
            "reversals": flows.reversals,
            "destinations": self.destinations_json(),
            "users": self.users_json(),
            "pools": self.pools_json(),
            "movements": self.items.movements.iter().map(Item::json).collect::<Vec<_>>(),
            "invoices": self.invoices_json(),
            "postUsageStatements": self.post_usage_json(),
            "proofs": self.proofs_json(),
        })
    }

    fn destinations_json(&self) -> Vec<Value> {
        let json = |(name, spend): &(String, Spend)| spend.json(json!({"destination": name}));
        self.spending.destinations.iter().map(json).collect()
    }

    fn users_json(&self) -> Vec<Value> {
        let users = self.spending.users.iter();
        users.map(|user| user.spend.json(json!({"userId": user.id, "name": user.name}))).collect()
    }

    fn pools_json(&self) -> Vec<Value> {
        let pools = self.spending.pools.iter().map(|it| {
            json!({
                "pool": it.pool, "use": it.pool_use, "month": it.month,
                "minutes": it.minutes, "used": it.used, "size": it.size,
            })
        });
        pools.collect()
    }

    fn invoices_json(&self) -> Vec<Value> {
        let invoices = self.items.invoices.iter().map(|it| {
            json!({
                "invoice": it.invoice, "at": it.at.to_string(),
                "rechargeId": it.recharge, "amount": it.amount.to_string(),
            })
        });
        invoices.collect()
    }

    fn post_usage_json(&self) -> Vec<Value> {
        let stated = self.items.post_usage.iter();
        stated.map(|it| json!({"month": it.month, "at": it.at.to_string(), "amount": it.amount.to_string()})).collect()
    }

    fn proofs_json(&self) -> Vec<Value> {
        let proofs = self.proofs().into_iter().map(|it| {
            json!({
                "of": it.name, "opening": it.opening.to_string(), "in": it.came.to_string(),
                "out": it.went.to_string(), "closing": it.closing.to_string(),
            })
        });
        proofs.collect()
    }
}

impl Position {
    fn json(&self) -> Value {
        json!({
            "lots": self.lots.iter().map(crate::Lot::json).collect::<Vec<_>>(),
            "remaining": self.remaining.to_string(),
            "balance": self.balance.to_string(),
            "overdraft": self.overdraft.to_string(),
            "postUsage": self.post_usage.to_string(),
            "uncollected": self.uncollected.to_string(),
            "unlicensed": self.unlicensed.to_string(),
        })
    }
}

impl Spend {
    fn json(&self, mut name: Value) -> Value {
        name["calls"] = self.calls.into();
        name["seconds"] = self.seconds.into();
        name["charged"] = self.charged.to_string().into();
        name
    }
}

impl Item {
    fn json(&self) -> Value {
        json!({
            "seq": self.seq, "at": self.at.to_string(), "type": self.kind,
            "lotId": self.lot, "amount": self.amount.to_string(), "note": self.note,
        })
    }
}
