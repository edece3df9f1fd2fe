//! The cards of the sandbox.

use drawdown_units::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// The cards there are, by how their tokens begin, and what each does.
pub const CARDS: [(&str, &str); 5] = [
    ("tok_ok", "is charged"),
    ("tok_expired", "is declined: expired card"),
    ("tok_declined", "is declined: card declined"),
    ("tok_flaky", "fails some times, then is charged"),
    ("tok_slow", "is charged, slowly"),
];

/// What is asked for, as far as the sandbox looks.
pub struct Asked {
    pub recharge: String,
    attempt: u32,
    card: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    recharge_id: String,
    attempt: u32,
    payment_method: Method,
}

#[derive(Deserialize)]
struct Method {
    card: String,
}

/// Reads the body of a request.
pub fn read(body: &[u8]) -> Option<Asked> {
    let Body { recharge_id, attempt, payment_method } = serde_json::from_slice(body).ok()?;
    Some(Asked { recharge: recharge_id, attempt, card: payment_method.card })
}

/// The answer, and whether the card was charged.
pub fn charge(asked: &Asked, failures: u32, now: Timestamp) -> (Value, bool) {
    let processed = now.to_string();
    let declined = |reason: &str| json!({"outcome": "declined", "reason": reason, "processedAt": processed});
    let answer = match asked.card.as_str() {
        card if card.starts_with("tok_ok") || card.starts_with("tok_slow") => return (paid(&processed), true),
        card if card.starts_with("tok_flaky") && asked.attempt > failures => return (paid(&processed), true),
        card if card.starts_with("tok_flaky") => {
            json!({"outcome": "failed", "reason": "issuer not available", "processedAt": processed})
        }
        card if card.starts_with("tok_expired") => declined("expired card"),
        card if card.starts_with("tok_declined") => declined("card declined"),
        _ => declined("no such card"),
    };
    (answer, false)
}

/// Whether its answer takes long.
pub fn is_slow(asked: &Asked) -> bool {
    asked.card.starts_with("tok_slow")
}

fn paid(processed: &str) -> Value {
    json!({"outcome": "succeeded", "processedAt": processed})
}
