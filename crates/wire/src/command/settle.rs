//! Writing the answer of the payment side to a requested recharge, as a command.

use drawdown_ledger::command::Outcome;
use drawdown_units::{Money, Timestamp};

use crate::event::outcome_name;
use crate::json::{Writer, key};

/// How the ids of these commands begin: nobody else may give one so.
pub const ID_PREFIX: &str = "settle/";

/// The answer to one attempt of one recharge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settle<'a> {
    /// Whose account.
    pub org: &'a str,
    /// The recharge's id, as it was asked for.
    pub recharge: &'a str,
    /// Which attempt is answered: with the id it names the command, so that saying it twice is saying it once.
    pub attempt: u32,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, where nothing was paid.
    pub reason: Option<&'a str>,
    /// What was paid, if it was.
    pub amount: Option<Money>,
    /// When the payment side dealt with it.
    pub processed: Timestamp,
    /// When the command is given.
    pub at: Timestamp,
}

/// Appends the command `settleRecharge` as one object of JSON, without a line end.
pub fn write(out: &mut Vec<u8>, settle: &Settle<'_>) {
    let mut json = Writer::new(out);
    json.text("{\"schemaVersion\":1,\"commandId\":", &format!("{ID_PREFIX}{}/{}", settle.recharge, settle.attempt));
    json.text(key!("orgId"), settle.org);
    json.time(key!("at"), settle.at);
    json.plain(key!("type"), "settleRecharge");
    json.text(key!("rechargeId"), settle.recharge);
    json.plain(key!("outcome"), outcome_name(settle.outcome));
    json.time(key!("processedAt"), settle.processed);
    json.optional(key!("reason"), settle.reason.filter(|reason| !reason.is_empty()));
    if let Some(amount) = settle.amount {
        json.money(key!("amount"), amount);
    }
    json.raw("}");
}

#[cfg(test)]
mod tests {
    use drawdown_ledger::command::{Command, Settlement};

    use super::*;
    use crate::command::decode;

    #[test]
    fn what_is_written_is_decoded() {
        let at = Timestamp::from_parts(1_772_800_000, 5);
        let amount = Some(Money::from_micros(50_000_000));
        for (outcome, reason, amount) in [
            (Outcome::Succeeded, None, amount),
            (Outcome::Declined, Some("expired \"card\""), None),
            (Outcome::Failed, Some(""), None),
        ] {
            let mut line = Vec::new();
            let (org, recharge) = ("o/1", "o/1/3");
            write(&mut line, &Settle { org, recharge, attempt: 2, outcome, reason, amount, processed: at, at });
            let envelope = decode(&line).unwrap();
            assert_eq!((&*envelope.command_id, &*envelope.org, envelope.at), ("settle/o/1/3/2", "o/1", at));
            let reason = reason.filter(|reason| !reason.is_empty()).map(Into::into);
            let settlement = Settlement { number: Some(3), outcome, processed: at, reason, amount };
            assert_eq!(envelope.command, Command::SettleRecharge(settlement));
        }
    }
}
