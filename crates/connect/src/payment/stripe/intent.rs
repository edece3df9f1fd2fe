//! What Stripe's answers mean: a PaymentIntent by its status, an error by its type.

use drawdown_units::{Money, Timestamp};
use serde::Deserialize;

use super::super::web::Reply;
use super::super::{Answer, Charge, Unreachable};
use super::minor::amount_of;

/// Refusals that pass, by Stripe's codes: the bank was not there, or asked for another attempt.
const PASSING: [&str; 5] =
    ["try_again_later", "processing_error", "issuer_not_available", "reenter_transaction", "approve_with_id"];

/// Faults of a request that are those of the card or the amount, and stay so.
const FINAL: [&str; 4] = ["resource_missing", "amount_too_small", "amount_too_large", "payment_method_unactivated"];

/// What a PaymentIntent says.
pub enum Said {
    /// How it ended.
    Answer(Answer),
    /// Nothing yet: its id.
    Processing(String),
}

/// What an error says.
pub enum Problem {
    /// The card was refused.
    Card(Answer),
    /// The idempotency key came before, with another request.
    OtherRequest,
    /// Nothing about this charge.
    Other(String),
}

#[derive(Deserialize)]
struct Intent {
    id: String,
    status: String,
    created: i64,
    amount_received: Option<u64>,
    last_payment_error: Option<Fault>,
}

#[derive(Deserialize)]
struct Found {
    data: Vec<Intent>,
}

#[derive(Deserialize)]
struct Failure {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "type")]
    kind: Option<String>,
    code: Option<String>,
    decline_code: Option<String>,
    param: Option<String>,
    payment_intent: Option<Box<Made>>,
}

#[derive(Deserialize)]
struct Made {
    created: i64,
}

/// Reads the answer that holds a PaymentIntent.
pub fn read(reply: &Reply, charge: &Charge) -> Result<Said, Unreachable> {
    if reply.status != 200 {
        return Err(Unreachable(format!("status {}", reply.status)));
    }
    let intent: Intent = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    meaning(&intent, charge)
}

/// Reads what a search found: what was paid, if anything was.
pub fn found(reply: &Reply, charge: &Charge) -> Result<Option<Answer>, Unreachable> {
    if reply.status != 200 {
        return Err(Unreachable(format!("status {} to a search", reply.status)));
    }
    let found: Found = serde_json::from_slice(&reply.body).map_err(|_| unreadable())?;
    let paid = found.data.iter().find(|intent| intent.status == "succeeded");
    match paid.or(found.data.first()).map(|intent| meaning(intent, charge)).transpose()? {
        Some(Said::Answer(answer)) => Ok(Some(answer)),
        Some(Said::Processing(_)) => Err(Unreachable("the payment is still being processed".to_owned())),
        None => Ok(None),
    }
}

/// Reads an answer that is an error.
pub fn problem(reply: &Reply) -> Option<Problem> {
    if reply.status == 200 {
        return None;
    }
    let fault = serde_json::from_slice::<Failure>(&reply.body).ok().map(|failure| failure.error);
    let other = || Problem::Other(format!("status {}", reply.status));
    let Some(fault) = fault else { return Some(other()) };
    let code = fault.code.as_deref().unwrap_or_default();
    Some(match (reply.status, fault.kind.as_deref()) {
        (402, Some("card_error")) => Problem::Card(refused(&fault)),
        (400, Some("idempotency_error")) => Problem::OtherRequest,
        // Not one of an account that is not there: that is ours.
        (400 | 404, Some("invalid_request_error")) if FINAL.contains(&code) && is_of_card(&fault) => {
            Problem::Card(Answer::declined(&code.replace('_', " ")))
        }
        (status, _) if code.is_empty() => Problem::Other(format!("status {status}")),
        (status, _) => Problem::Other(format!("status {status}, {code}")),
    })
}

fn is_of_card(fault: &Fault) -> bool {
    fault
        .param
        .as_deref()
        .is_none_or(|param| ["payment_method", "customer", "amount"].iter().any(|of_card| param.starts_with(of_card)))
}

fn meaning(intent: &Intent, charge: &Charge) -> Result<Said, Unreachable> {
    let created = Some(Timestamp::from_parts(intent.created, 0));
    Ok(Said::Answer(match intent.status.as_str() {
        "succeeded" => {
            let amount: Option<Money> = intent.amount_received.and_then(|minor| amount_of(minor, charge.currency));
            Answer { amount, ..Answer::succeeded(created) }
        }
        // Nobody is there to act.
        "requires_action" | "requires_source_action" => Answer::declined("authentication required").at(created),
        "requires_payment_method" | "requires_source" => match &intent.last_payment_error {
            Some(fault) => refused(fault).at(created),
            None => Answer::failed("no payment was made").at(created),
        },
        "canceled" => Answer::failed("the payment was cancelled").at(created),
        "processing" => return Ok(Said::Processing(intent.id.clone())),
        _ => return Err(Unreachable("a PaymentIntent whose status says nothing".to_owned())),
    }))
}

/// In words: `expired_card` is `expired card`.
fn refused(fault: &Fault) -> Answer {
    let code = fault.decline_code.as_deref().or(fault.code.as_deref()).unwrap_or("card_declined");
    let reason = code.replace('_', " ");
    let is_passing = PASSING.contains(&code) || fault.code.as_deref().is_some_and(|code| PASSING.contains(&code));
    let answer = if is_passing { Answer::failed(&reason) } else { Answer::declined(&reason) };
    answer.at(fault.payment_intent.as_ref().map(|made| Timestamp::from_parts(made.created, 0)))
}

fn unreadable() -> Unreachable {
    Unreachable("an answer that cannot be read".to_owned())
}
