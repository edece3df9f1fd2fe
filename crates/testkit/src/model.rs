//! The naive reference model: commands and usage records in, the expected outputs out, all as JSON.
//!
//! Obvious rather than fast: decimals, linear scans, strings. It covers rating, included minutes, licences, lots,
//! recharging, modes and corrections. Objects hold the fields that matter, under the names of
//! the wire; a comparison takes each field that is here and finds the same in the real output.

mod account;
mod bands;
mod charge;
mod command;
mod countries;
mod deck;
pub mod licences;
pub mod money;
pub mod names;
mod rate;
mod record;
mod seen;
pub mod time;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use account::{Account, Lot, LotState};
use charge::Rates;
use command::Command;
pub use command::Mode;
pub use deck::{ModelDeck, ModelPlan};
use names::reason;
use record::{Called, Kind, Record};
use seen::{Seen, Verdict};

/// What native rows are identified by, beside their id (U1).
const SOURCE: &str = "native";
/// Revisions above it cannot be told apart.
const HIGHEST_REVISION: u64 = 254;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How long after its start a call may arrive (D1).
    pub window_days: i64,
    /// How far ahead of the clock a call may start (T9).
    pub ahead_minutes: i64,
    /// How far an input may move an organisation's clock ahead at once: beyond is a broken clock.
    pub leap_days: i64,
}

impl Default for Options {
    fn default() -> Self {
        Self { window_days: 90, ahead_minutes: 5, leap_days: 3_660 }
    }
}

/// What a pool still has.
#[derive(Clone, Copy, Debug)]
pub struct PoolLeft {
    pub minutes: i64,
    pub used: i64,
    pub size: i64,
}

/// All organisations together, as one file of records and one of commands would have them.
#[derive(Clone, Debug)]
pub struct Model {
    options: Options,
    rates: Rates,
    accounts: BTreeMap<String, Account>,
    seen: Seen,
    /// The greatest arrival of anything booked, by which identities are forgotten.
    clock: Timestamp,
}

impl Model {
    /// No plans and one deck (in any number of versions): every plan name means that deck for every product.
    pub fn new(decks: Vec<ModelDeck>, plans: Vec<ModelPlan>, options: Options) -> Self {
        let rates = Rates { decks, plans };
        Self { options, rates, accounts: BTreeMap::new(), seen: Seen::default(), clock: Timestamp::UNIX_EPOCH }
    }

    /// Applies a command that arrives at its `at`, as one read from a file does (T5).
    ///
    /// What is rejected or a duplicate leaves no trace.
    pub fn feed_command(&mut self, value: &Value) -> Vec<Value> {
        let Some(command) = Command::read(value) else {
            return vec![command_reject(value, reason::UNDECODABLE)];
        };
        if self.seen.holds_command(&command) {
            return vec![json!({
                "type": "duplicate", "kind": "command", "orgId": command.org, "commandId": command.id,
            })];
        }
        let outputs = match self.accounts.get_mut(&command.org) {
            Some(account) if leaps(account, command.at, self.options) => Err(reason::IN_THE_FUTURE),
            Some(account) => {
                account.advance(command.at);
                account.apply(&command, &self.rates);
                Ok(account.take_log())
            }
            None => self.open(&command),
        };
        match outputs {
            Ok(outputs) => {
                self.book(command.at);
                self.seen.claim_command(&command, time::day_of(self.clock));
                outputs
            }
            Err(reason) => vec![command_reject(value, reason)],
        }
    }

    /// Rates a record and draws it down. `receivedAt` of the row, if given, goes before `arrival` (T5).
    ///
    /// What is rejected or a duplicate leaves no trace: not even the clock moves.
    pub fn feed_cdr(&mut self, row: &Value, arrival: Timestamp) -> Vec<Value> {
        let record = match Record::read(row) {
            Ok(record) => record,
            Err(reason) => return vec![record_reject(row, reason, true)],
        };
        let arrival = record::received_at(row).unwrap_or(arrival);
        let Some(account) = self.accounts.get(&record.content.org) else {
            return vec![record_reject(row, reason::UNKNOWN_ORG, true)];
        };
        match self.judge(account, &record, arrival) {
            Verdict::Duplicate => {
                let content = &record.content;
                vec![json!({ "type": "duplicate", "kind": "cdr", "orgId": content.org, "id": record.id })]
            }
            Verdict::Rejected(reason) => vec![record_reject(row, reason, true)],
            Verdict::New | Verdict::Correction => self.debit(&record, row, arrival),
        }
    }

    fn debit(&mut self, record: &Record, row: &Value, arrival: Timestamp) -> Vec<Value> {
        let original = self.seen.debit(SOURCE, record);
        let account = self.accounts.get_mut(&record.content.org).expect("judged before");
        account.advance(arrival);
        match &original {
            Some(original) => account.correct(original, record, |account| rate::rate(&self.rates, account, record)),
            None => account.debit(rate::rate(&self.rates, account, record)),
        }
        let mut outputs = account.take_log();
        let is_debit = |output: &&Value| output["type"] == "debit" && output.get("reverses").is_none();
        let debit = outputs.iter().find(is_debit).cloned();
        let is_unrated = debit.as_ref().is_some_and(|debit| debit["charge"].get("unrated").is_some());
        outputs.extend(is_unrated.then(|| record_reject(row, reason::UNRATED, false)));
        self.seen.claim(SOURCE, record, debit);
        self.book(arrival);
        outputs
    }

    /// Notes the arrival of something booked, and forgets the days that are then out of reach: one more than the
    /// window, since organisations' clocks differ.
    fn book(&mut self, arrival: Timestamp) {
        let before = self.first_day();
        self.clock = self.clock.max(arrival);
        if self.first_day() > before {
            self.seen.forget_before(self.first_day());
        }
    }

    /// The first day of call start that is remembered.
    fn first_day(&self) -> i64 {
        time::day_of(self.clock) - self.options.window_days - 1
    }

    /// The organisation first, then time, then identity.
    fn judge(&self, account: &Account, record: &Record, arrival: Timestamp) -> Verdict {
        let start = record.content.start;
        let now = account.clock.max(arrival);
        if leaps(account, arrival, self.options) {
            return Verdict::Rejected(reason::IN_THE_FUTURE);
        }
        if account.closed {
            return Verdict::Rejected(reason::ORG_CLOSED);
        }
        if start > now + time::minutes(self.options.ahead_minutes) {
            return Verdict::Rejected(reason::IN_THE_FUTURE);
        }
        let is_late = now.duration_since(start) > time::days(self.options.window_days);
        if is_late || time::day_of(start) < self.first_day() {
            return Verdict::Rejected(reason::TOO_LATE);
        }
        if record.revision > HIGHEST_REVISION {
            return Verdict::Rejected(reason::BAD_FIELD);
        }
        self.seen.judge(SOURCE, record)
    }

    /// Lets time run on to `to` for every organisation.
    pub fn run_until(&mut self, to: Timestamp) -> Vec<Value> {
        let mut outputs = Vec::new();
        for account in self.accounts.values_mut() {
            account.wait(to);
            outputs.append(&mut account.take_log());
        }
        outputs
    }

    /// Balances, totals and lots of every organisation, by its id.
    pub fn accounts(&self) -> Vec<Value> {
        self.accounts.values().map(Account::view).collect()
    }

    /// One account, for who wants to aim at its boundaries.
    pub fn account(&self, org: &str) -> Option<&Account> {
        self.accounts.get(org)
    }

    /// The pool a row's call would draw, with all the minutes it has left and has had; for who wants to aim at its end.
    pub fn pool_left(&self, row: &Value) -> Option<PoolLeft> {
        let mut record = Record::read(row).ok()?;
        let account = self.accounts.get(&record.content.org)?;
        let Called::Digits { visible, .. } = &record.called else { return None };
        let visible = visible.clone();
        record.content.seconds = 60 * 100_000;
        let draw = (record.kind == Kind::Outbound).then(|| account.draw_for(&record, &visible, false))??;
        let used = account.pools.used(&draw.pool, draw.kind.name(), &draw.month);
        Some(PoolLeft { minutes: draw.minutes, used, size: draw.size })
    }

    fn open(&mut self, command: &Command) -> Result<Vec<Value>, &'static str> {
        let mut account = Account::open(command, &self.rates)?;
        let outputs = account.take_log();
        self.accounts.insert(command.org.clone(), account);
        Ok(outputs)
    }
}

/// An input that would move the organisation's clock ahead by years: it would expire every lot.
fn leaps(account: &Account, arrival: Timestamp, options: Options) -> bool {
    arrival.duration_since(account.clock) > time::days(options.leap_days)
}

fn record_reject(row: &Value, reason: &str, counted: bool) -> Value {
    let mut reject = json!({ "type": "reject", "kind": "cdr", "counted": counted, "reason": reason });
    for field in ["id", "orgId"] {
        if let Some(text) = row.get(field).filter(|text| text.is_string()) {
            reject[field] = text.clone();
        }
    }
    reject
}

fn command_reject(value: &Value, reason: &str) -> Value {
    let mut reject = json!({ "type": "reject", "kind": "command", "counted": true, "reason": reason });
    for field in ["commandId", "orgId"] {
        if let Some(text) = value.get(field).filter(|text| text.is_string()) {
            reject[field] = text.clone();
        }
    }
    reject
}

#[cfg(test)]
mod tests;
