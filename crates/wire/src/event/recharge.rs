//! Account events as a payment connector reads them: what it is asked to charge, and what has its answer already.

use drawdown_ledger::command::PaymentMethod;
use drawdown_units::{Currency, Money, Timestamp};
use serde::Deserialize;

use crate::text::{ReadError, Text, check_kind, read_line};

/// What an account event tells a payment connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RechargeNews {
    /// Someone is to be charged.
    Requested(Box<RechargeRequest>),
    /// This attempt of this recharge has its answer: another one will be asked for.
    Attempted {
        /// The recharge's id.
        recharge: Box<str>,
        /// Which attempt it was.
        attempt: u32,
    },
    /// This recharge was paid, or given up.
    Ended {
        /// The recharge's id.
        recharge: Box<str>,
    },
}

/// A recharge that is asked for, for the first time or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RechargeRequest {
    /// Whose account.
    pub org: Box<str>,
    /// `<orgId>/<n>`.
    pub recharge: Box<str>,
    /// How much; above zero.
    pub amount: Money,
    /// The account's currency.
    pub currency: Currency,
    /// 1 for the first time this id is sent, then 2, 3, …
    pub sending: u32,
    /// Which attempt at paying it is, from 1.
    pub attempt: u32,
    /// How to pay.
    pub payment: PaymentMethod,
    /// When it was asked for, this time.
    pub at: Timestamp,
}

/// Reads one account event; most of them are no news of a recharge.
///
/// # Errors
/// What is wrong with the line.
pub fn read(line: &[u8]) -> Result<Option<RechargeNews>, ReadError> {
    let event: Event<'_> = read_line(line)?;
    check_kind(event.schema_version, "", "")?;
    let recharge = || Ok::<Box<str>, ReadError>(need("rechargeId", event.recharge_id.as_deref())?.into());
    Ok(Some(match &*event.kind {
        "RechargeRequested" => RechargeNews::Requested(Box::new(event.request()?)),
        "RechargeAttemptFailed" => {
            RechargeNews::Attempted { recharge: recharge()?, attempt: need("attempt", event.attempt)? }
        }
        "RechargeSucceeded" | "RechargeFailed" => RechargeNews::Ended { recharge: recharge()? },
        _ => return Ok(None),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Event<'a> {
    schema_version: u32,
    #[serde(rename = "type")]
    kind: Text<'a>,
    org_id: Text<'a>,
    at: Text<'a>,
    recharge_id: Option<Text<'a>>,
    amount: Option<Text<'a>>,
    currency: Option<Text<'a>>,
    sending: Option<u32>,
    attempt: Option<u32>,
    payment_method: Option<Payment<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Payment<'a> {
    card: Option<Text<'a>>,
    agreement: Option<Text<'a>>,
    purchase_order: Option<Text<'a>>,
}

impl Event<'_> {
    fn request(&self) -> Result<RechargeRequest, ReadError> {
        let payment = need("paymentMethod", self.payment_method.as_ref())?;
        let amount = Money::parse(need("amount", self.amount.as_deref())?);
        let amount = amount.ok().filter(|amount| amount.is_positive());
        Ok(RechargeRequest {
            org: (*self.org_id).into(),
            recharge: need("rechargeId", self.recharge_id.as_deref())?.into(),
            amount: need("amount", amount)?,
            currency: need("currency", self.currency.as_deref().and_then(Currency::parse))?,
            sending: need("sending", self.sending)?,
            attempt: need("attempt", self.attempt)?,
            payment: match (payment.card.as_deref(), payment.agreement.as_deref()) {
                (Some(token), None) => PaymentMethod::Card(token.into()),
                (None, Some(number)) => PaymentMethod::Agreement {
                    number: number.into(),
                    purchase_order: payment.purchase_order.as_deref().map(Into::into),
                },
                _ => return need("paymentMethod", None),
            },
            at: need("at", Timestamp::parse(&self.at).ok())?,
        })
    }
}

fn need<T>(field: &str, value: Option<T>) -> Result<T, ReadError> {
    value.ok_or_else(|| ReadError(format!("{field} is missing, or is not what it should be")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use drawdown_ledger::command::{Outcome, Settings};
    use drawdown_ledger::effects::{Event, Occurrence};

    use super::*;
    use crate::event::{Cause, write};

    fn written(event: Event) -> Vec<u8> {
        let at = Timestamp::from_parts(1_772_800_000, 0);
        let occurrence = Occurrence { seq: 7, at, balance_after: Money::ZERO, due: false, event };
        let mut line = Vec::new();
        write(&mut line, "o/1", &occurrence, Cause::Time);
        line
    }

    fn requested(payment: PaymentMethod) -> Vec<u8> {
        let amount = Money::from_micros(50_000_000);
        let settings = Settings { enabled: true, amount, trigger: Money::ZERO, monthly_cap: None, payment };
        let currency = Currency::parse("EUR").unwrap();
        let settings = Arc::new(settings);
        written(Event::RechargeRequested { number: 3, amount, currency, sending: 2, attempt: 1, settings })
    }

    #[test]
    fn what_is_written_is_read() {
        let card = PaymentMethod::Card("tok_1".into());
        let order = PaymentMethod::Agreement { number: "E\"1".into(), purchase_order: Some("P1".into()) };
        let agreement = PaymentMethod::Agreement { number: "E1".into(), purchase_order: None };
        for payment in [card, order, agreement] {
            let Some(RechargeNews::Requested(request)) = read(&requested(payment.clone())).unwrap() else {
                panic!("no request")
            };
            assert_eq!((&*request.org, &*request.recharge), ("o/1", "o/1/3"));
            assert_eq!((request.sending, request.attempt, request.currency.as_str()), (2, 1, "EUR"));
            assert_eq!((request.amount.to_string().as_str(), request.payment), ("50.00", payment));
        }
        let at = Timestamp::from_parts(1_772_800_000, 0);
        let failed = Event::RechargeAttemptFailed { number: 3, attempt: 2, reason: None, retry_at: at };
        let attempted = RechargeNews::Attempted { recharge: "o/1/3".into(), attempt: 2 };
        assert_eq!(read(&written(failed)), Ok(Some(attempted)));
        let failed = Event::RechargeFailed { number: 3, outcome: Outcome::Declined, reason: None, rearm_at: at };
        assert_eq!(read(&written(failed)), Ok(Some(RechargeNews::Ended { recharge: "o/1/3".into() })));
        assert_eq!(read(&written(Event::BalanceExhausted)), Ok(None));
    }

    #[test]
    fn a_wrong_request_is_told_without_its_token() {
        let line = String::from_utf8(requested(PaymentMethod::Card("tok_secret".into()))).unwrap();
        for (right, wrong) in
            [("\"50.00\"", "\"-50.00\""), ("EUR", "euro"), ("\"sending\":2,", ""), ("\"card\"", "\"iban\"")]
        {
            let error = read(line.replace(right, wrong).as_bytes()).unwrap_err().to_string();
            assert!(error.contains("is missing") && !error.contains("tok_secret"), "{error}");
        }
        let request = read(line.as_bytes()).unwrap();
        assert!(!format!("{request:?}").contains("tok_secret"), "no token in debug output");
    }
}
