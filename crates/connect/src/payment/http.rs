//! A gateway that speaks our own contract, which `config/payment/README.md` describes: one signed request for a charge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drawdown_units::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use ureq::Agent;

use super::web::{self, Reply, UrlError};
use super::{Answer, Charge, Gateway, Outcome, Unreachable, signature, words};
use crate::secret::Secret;

/// Settings of a gateway that speaks our contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where it is, without `/charges`.
    pub url: String,
    /// What requests are signed with.
    pub secret: Secret,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// A gateway that speaks our contract.
#[derive(Debug)]
pub struct HttpGateway {
    url: String,
    secret: Secret,
    agent: Agent,
}

/// The body of a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    recharge_id: &'a str,
    org_id: &'a str,
    attempt: u32,
    sending: u32,
    amount: String,
    currency: &'a str,
    payment_method: Method<'a>,
}

#[derive(Serialize)]
struct Method<'a> {
    card: &'a str,
}

/// The body of an answer; what else it holds is not read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    outcome: String,
    reason: Option<String>,
    processed_at: Option<String>,
    amount: Option<String>,
}

impl HttpGateway {
    /// A gateway; nothing is sent yet.
    ///
    /// # Errors
    /// It cannot be at that URL.
    pub fn new(settings: Settings) -> Result<Self, UrlError> {
        let Settings { url, secret, timeout } = settings;
        Ok(HttpGateway { url: format!("{}/charges", web::check(&url)?), secret, agent: web::agent(timeout) })
    }
}

impl Gateway for HttpGateway {
    fn charge(&self, charge: &Charge) -> Result<Answer, Unreachable> {
        let body = body(charge)?;
        // A clock before 1970 signs what nobody believes.
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let request = self.agent.post(&self.url).content_type("application/json");
        let request = request.header(signature::KEY, &*charge.key).header(signature::TIMESTAMP, now_s.to_string());
        let signed = signature::sign(&self.secret, &charge.key, now_s, &body);
        read(&web::reply(request.header(signature::SIGNATURE, signed).send(&body[..]))?)
    }
}

fn body(charge: &Charge) -> Result<Vec<u8>, Unreachable> {
    let body = Body {
        recharge_id: &charge.recharge,
        org_id: &charge.org,
        attempt: charge.attempt,
        sending: charge.sending,
        amount: charge.amount.to_string(),
        currency: charge.currency.as_str(),
        payment_method: Method { card: charge.card.expose() },
    };
    serde_json::to_vec(&body).map_err(|_| Unreachable("the request cannot be written".to_owned()))
}

/// Only 200 with one of three words settles anything.
fn read(reply: &Reply) -> Result<Answer, Unreachable> {
    let Reply { status, body } = reply;
    if *status != 200 {
        return Err(Unreachable(format!("status {status}")));
    }
    let said: Said = serde_json::from_slice(body)
        .map_err(|error| Unreachable(format!("an answer that cannot be read at line {}", error.line())))?;
    let outcome = match said.outcome.as_str() {
        "succeeded" => Outcome::Succeeded,
        "declined" => Outcome::Declined,
        "failed" => Outcome::Failed,
        _ => return Err(Unreachable("an outcome that is neither succeeded, declined nor failed".to_owned())),
    };
    let wrong = |field: &str| Unreachable(format!("an answer whose {field} cannot be read"));
    let processed = said.processed_at.as_deref().map(Timestamp::parse).transpose();
    let amount = said.amount.as_deref().map(Money::parse).transpose();
    Ok(Answer {
        outcome,
        reason: said.reason.as_deref().map(words),
        processed: processed.map_err(|_| wrong("processedAt"))?,
        amount: amount.map_err(|_| wrong("amount"))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: &str) {
        let read = match read(&Reply { status, body: body.as_bytes().to_vec() }) {
            Ok(answer) => format!("{:?} {:?} {:?}", answer.outcome, answer.reason, answer.processed.is_some()),
            Err(unreachable) => unreachable.to_string(),
        };
        assert_eq!(read, expected, "{status} {body}");
    }

    #[test]
    fn nothing_but_the_three_words_settles_anything() {
        let processed = r#"{"outcome":"succeeded","processedAt":"2026-03-01T00:00:00Z","reference":"ch_1"}"#;
        check(200, processed, "Succeeded None true");
        check(200, r#"{"outcome":"declined","reason":"expired card"}"#, "Declined Some(\"expired card\") false");
        check(200, r#"{"outcome":"failed"}"#, "Failed None false");
        check(200, r#"{"outcome":"Succeeded"}"#, "an outcome that is neither succeeded, declined nor failed");
        check(200, r#"{"outcome":"succeeded","amount":"x"}"#, "an answer whose amount cannot be read");
        check(200, r#"{"outcome":"succeeded","processedAt":"soon"}"#, "an answer whose processedAt cannot be read");
        check(200, "", "an answer that cannot be read at line 1");
        for status in [201, 302, 400, 401, 409, 429, 500, 503] {
            check(status, processed, &format!("status {status}"));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let secret = Secret::new("whsec_hidden".to_owned());
        let settings = Settings { url: "https://pay.example".to_owned(), secret, timeout: Duration::from_secs(1) };
        assert!(!format!("{settings:?}").contains("whsec_hidden"));
        assert!(!format!("{:?}", HttpGateway::new(settings)).contains("whsec_hidden"));
    }
}
