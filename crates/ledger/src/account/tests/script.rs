//! The harness of golden scripts: one line per input, and below it a line for the debit and each event it must cause.
//!
//! ```text
//! 2026-03-01 call 12.00
//!   4 debit L1 10.00→0.00, L2 5.00→3.00 = 3.00
//! 2027-02-01 tick
//!   5 due 2027-02-01 LotExpired L2 3.00 = 0.00
//!   6 due 2027-02-01 BalanceExhausted = 0.00
//! ```
//!
//! An effect is its `seq`, `due` and an instant if time alone caused it, what happened, and after `=` the balance.
//! `at` and an instant stand before what did not happen at the instant of its input. Instants are UTC; idle zeros of
//! the time of day are left out. The account is `acme`, opened on 2026-01-01 as seq 1 unless the script opens it.
//!
//! `unsold` stands before a command that the caller refuses itself.
//! Two lines ask and change nothing: `plan?` for the rate plan of a call that started then, `books` for the sums.

mod corrections;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};

use crate::account::{Account, Head, Input, RatedCall};
use crate::command::{
    AddFunds, Command, Licence, Licensing, Mode, OpenAccount, Outcome, PaymentMethod, Settings, Settlement,
};
use crate::effects::{Debited, Effects, Event, FundingLine, FundingSource, Occurrence, Refusal};
use crate::plans::{Brings, CallingPlan, DialOut, Plans};
use crate::reversal::Reversal;
use crate::rules::Rules;

/// Runs a script and compares everything that happened with what it says. Expiries are not announced.
#[track_caller]
pub(super) fn check(script: &str) {
    compare(script, Rules { expiry_notice_s: 0, ..Rules::default() });
}

/// As [`check`], with the notices of expiries that there are by default.
#[track_caller]
pub(super) fn check_with_notices(script: &str) {
    compare(script, Rules::default());
}

#[track_caller]
fn compare(script: &str, rules: Rules) {
    let lines = script.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let expected: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let mut happened = Vec::new();
    let mut play = Play::new(&expected[0], rules);
    for line in expected.iter().filter(|line| input_time(line).is_some()) {
        happened.push(line.clone());
        happened.extend(play.run(line));
    }
    assert!(happened == expected, "\nexpected:\n{}\n\nhappened:\n{}\n", indent(&expected), indent(&happened));
}

fn indent(lines: &[String]) -> String {
    let of_line = |line: &String| if input_time(line).is_some() { line.clone() } else { format!("  {line}") };
    lines.iter().map(of_line).collect::<Vec<_>>().join("\n")
}

fn input_time(line: &str) -> Option<Timestamp> {
    let word = line.split(' ').next()?;
    let text = match word.len() {
        10 => format!("{word}T00:00:00Z"),
        16 => format!("{word}:00Z"),
        _ => format!("{word}Z"),
    };
    Timestamp::parse(&text).ok()
}

fn time(word: &str) -> Timestamp {
    input_time(word).unwrap_or_else(|| panic!("no instant: {word}"))
}

fn money(word: &str) -> Money {
    Money::parse(word).unwrap_or_else(|error| panic!("{word}: {error}"))
}

fn show(at: Timestamp) -> String {
    let text = at.to_string();
    let text = text.strip_suffix('Z').expect("UTC");
    let text = if text.len() == 19 { text.strip_suffix(":00").unwrap_or(text) } else { text };
    text.strip_suffix("T00:00").unwrap_or(text).into()
}

/// The word after `name`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let place = words.iter().position(|word| *word == name)?;
    Some(*words.get(place.wrapping_add(1)).unwrap_or_else(|| panic!("nothing after {name}")))
}

struct Play {
    account: Option<Account>,
    rules: Rules,
    effects: Effects,
    /// What would take each debit back, by its `seq`.
    reversals: BTreeMap<u64, Reversal>,
}

impl Play {
    fn new(first_line: &str, rules: Rules) -> Self {
        let rules = Rules { plans: plans(), ..rules };
        let mut play = Play { account: None, rules, effects: Effects::default(), reversals: BTreeMap::new() };
        if first_line.split(' ').nth(1) != Some("open") {
            play.run("2026-01-01 open");
        }
        play
    }

    fn run(&mut self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let (at, words) = (time(words[0]), &words[1..]);
        self.effects.clear();
        match (self.account.as_mut(), words[0]) {
            (None, _) => self.account = Some(Account::open("acme", &terms(words), at, &mut self.effects)),
            (Some(account), "plan?") => return vec![account.rate_plan_at(at).to_string()],
            (Some(account), "books") => return vec![books(account.head())],
            (Some(account), "void" | "correct") => {
                let seq: u64 = words[1].parse().expect("the seq of a debit");
                let reversal = self.reversals.remove(&seq).expect("a debit not corrected yet");
                let started = option(words, "from").map_or(at, time);
                let call = option(words, "to").map(|charge| RatedCall::paid(money(charge), started));
                account.apply(at, Input::Correction(&reversal, call), &self.rules, &mut self.effects);
            }
            (Some(account), _) => apply(account, at, words, &self.rules, &mut self.effects),
        }
        let account = self.account.as_ref().expect("the first line opens it");
        audit(account, &self.rules);
        if let Some(debit) = &self.effects.debit {
            self.reversals.insert(debit.seq, corrections::reversal(account, debit.seq, &self.effects));
        }
        transcript(at, account, &self.effects)
    }
}

/// A small catalogue: a shared plan with either-or, one for each user, conferencing, credits and the exemption.
pub(super) fn plans() -> Plans {
    let mut plans = Plans::new(vec![(*b"PR", *b"US")]);
    let either = CallingPlan { domestic: 10, international: 5, either_closes_both: true, ..CallingPlan::default() };
    let own = CallingPlan { domestic: 6, per_user: true, ..CallingPlan::default() };
    for (name, brings) in [
        ("EITHER", Brings::CallingPlan(either)),
        ("OWN", Brings::CallingPlan(own)),
        ("ADV", Brings::Conferencing(DialOut { minutes: 60, zone: vec![*b"DE"] })),
        ("PP", Brings::Credits),
        ("EXEMPT", Brings::CreditsExempt),
    ] {
        plans.add(name, Timestamp::MIN, brings);
    }
    plans
}

fn apply(account: &mut Account, at: Timestamp, words: &[&str], rules: &Rules, effects: &mut Effects) {
    match words[0] {
        "tick" => account.apply(at, Input::Time, rules, effects),
        "talk" => talk(account, at, words, rules, effects),
        "call" => {
            let (charge, started) = (money(words[1]), option(words, "from").map_or(at, time));
            assert!(account.admits(charge) && !account.is_closed(), "no call can be booked");
            account.apply(at, Input::Call(RatedCall::paid(charge, started)), rules, effects);
        }
        "unsold" => {
            let command = command(at, &words[1..]);
            account.apply(at, Input::Refused(&command, Refusal::UnknownRatePlan), rules, effects);
        }
        _ => account.apply(at, Input::Command(&command(at, words)), rules, effects),
    }
}

/// `talk 5 domestic by u1 [rest 2.00] [from T]`: minutes of a calling plan, and what the rest costs.
fn talk(account: &mut Account, at: Timestamp, words: &[&str], rules: &Rules, effects: &mut Effects) {
    let (minutes, started) = (words[1].parse().expect("minutes"), option(words, "from").map_or(at, time));
    let entitlements = account.entitlements();
    let user = entitlements.and_then(|it| it.find(option(words, "by").expect("a user")));
    let is_domestic = words[2] == "domestic";
    let pool = entitlements
        .zip(user)
        .and_then(|(it, user)| it.calling_pool(user, &rules.plans, started, None, |_| is_domestic)?.draw(minutes));
    let is_licensed = account.may_draw(user, started, &rules.plans);
    let charge = option(words, "rest").map_or(Money::ZERO, money);
    account.apply(at, Input::Call(RatedCall { charge, started, is_licensed, pool }), rules, effects);
}

/// What must hold after whatever line.
fn audit(account: &Account, rules: &Rules) {
    let totals = account.lots().totals();
    assert_eq!(account.lots().audit(), (totals.remaining, totals.spendable), "the sums over the lots");
    assert!(Account::restore(account.save(), rules).is_some(), "what is saved can be opened again");
}

fn command(at: Timestamp, words: &[&str]) -> Command {
    match words[0] {
        "open" => Command::OpenAccount(terms(words)),
        "buy" => Command::AddFunds(AddFunds {
            lot: words[1].into(),
            amount: money(words[2]),
            currency: option(words, "in").and_then(Currency::parse),
            purchased: option(words, "on").map_or(at, time),
            expires: option(words, "until").map(time),
            reference: None,
        }),
        "auto" => Command::ConfigureAutoRecharge(Settings {
            enabled: !words.contains(&"off"),
            amount: money(words[1]),
            trigger: option(words, "below").map(money).expect("a trigger"),
            monthly_cap: option(words, "cap").map(money),
            payment: PaymentMethod::Card("tok".into()),
        }),
        "succeeded" => settlement(at, words, Outcome::Succeeded),
        "declined" => settlement(at, words, Outcome::Declined),
        "failed" => settlement(at, words, Outcome::Failed),
        "adjust" => Command::Adjust { lot: words[1].into(), amount: money(words[2]), reason: "by hand".into() },
        "refund" => Command::RefundLot { lot: words[1].into(), reason: "by hand".into() },
        "plan" => Command::SetRatePlan { rate_plan: words[1].into() },
        "mode" => Command::SetMode { mode: mode(words) },
        "close" => Command::CloseAccount,
        "licence" => {
            let country = option(words, "in").unwrap_or("US").as_bytes().try_into().expect("two letters");
            let user = option(words, "for").unwrap_or("u1").into();
            Command::AssignLicence(Licence { user, licence: words[1].into(), country })
        }
        "unlicence" => {
            Command::RemoveLicence { user: option(words, "for").unwrap_or("u1").into(), licence: words[1].into() }
        }
        unknown => panic!("no such input: {unknown}"),
    }
}

fn terms(words: &[&str]) -> OpenAccount {
    OpenAccount {
        currency: Currency::parse("USD").expect("a currency"),
        rate_plan: Arc::from("gold"),
        mode: mode(words),
        country: *b"US",
        strict: words.contains(&"strict"),
        licensing: if words.contains(&"licensed") { Licensing::Required } else { Licensing::None },
    }
}

fn mode(words: &[&str]) -> Mode {
    if words.contains(&"postUsage") { Mode::PostUsage } else { Mode::Prepaid }
}

fn settlement(at: Timestamp, words: &[&str], outcome: Outcome) -> Command {
    let processed = option(words, "on").map_or(at, time);
    Command::SettleRecharge(Settlement {
        number: words[1].parse().ok(),
        outcome,
        processed,
        reason: None,
        amount: None,
    })
}

/// The sums that are not zero.
fn books(head: &Head) -> String {
    let sums = [
        ("purchased", head.purchased),
        ("adjusted", head.adjusted),
        ("spent", head.spent),
        ("forfeited", head.forfeited),
        ("refunded", head.refunded),
        ("remaining", head.lots.remaining),
        ("charged", head.charged),
        ("drawn", head.drawn),
        ("overdrawn", head.overdrawn),
        ("postUsage", head.post_usage),
        ("uncollected", head.uncollected),
        ("unlicensed", head.unlicensed),
        ("overdraft", head.overdraft),
    ];
    let told = sums.iter().filter(|(_, sum)| !sum.is_zero()).map(|(name, sum)| format!("{name} {sum}"));
    told.collect::<Vec<_>>().join(" ")
}

/// Debit and events by their `seq`.
fn transcript(at: Timestamp, account: &Account, effects: &Effects) -> Vec<String> {
    let debit = effects.debit.iter().map(|debit| (debit.seq, show_debit(at, account, debit, effects)));
    let events = effects.occurrences.iter().map(|it| (it.seq, show_occurrence(at, it)));
    let reversed = effects.reversed.iter().map(|it| (it.debited.seq, corrections::show_reversed(it)));
    let mut lines: Vec<(u64, String)> = debit.chain(events).chain(reversed).collect();
    lines.sort();
    lines.into_iter().map(|(seq, line)| format!("{seq} {line}")).collect()
}

fn show_debit(at: Timestamp, account: &Account, debit: &Debited, effects: &Effects) -> String {
    let (pool, funding) = (&effects.pool, &effects.funding);
    let late = if debit.at == at { String::new() } else { format!("at {} ", show(debit.at)) };
    let pool = pool.iter().map(|it| format!("{} {} {}→{}/{}", it.pool, it.of.name(), it.before, it.after, it.size));
    let lines: Vec<String> = pool.chain(funding.iter().map(|line| show_funding(account, line))).collect();
    let lines = if lines.is_empty() { "nothing".into() } else { lines.join(", ") };
    format!("{late}debit {lines} = {}", debit.balance_after)
}

fn show_funding(account: &Account, line: &FundingLine) -> String {
    let FundingLine { source, amount, before, after } = *line;
    let (name, moved) = match source {
        FundingSource::Lot(index) => (account.lots().all()[index as usize].id.as_str(), before.minus(after)),
        FundingSource::Overdraft
        | FundingSource::PostUsage
        | FundingSource::Uncollected
        | FundingSource::Unlicensed => (source.name(), after.minus(before)),
    };
    assert_eq!(amount, moved, "a funding line's amount is what moved");
    format!("{name} {before}→{after}")
}

fn show_occurrence(at: Timestamp, it: &Occurrence) -> String {
    let mut line = String::new();
    if it.due {
        let _ = write!(line, "due {} ", show(it.at));
    } else if it.at != at {
        let _ = write!(line, "at {} ", show(it.at));
    }
    format!("{line}{} = {}", show_event(&it.event), it.balance_after)
}

fn show_event(event: &Event) -> String {
    match event {
        Event::AccountOpened { currency, rate_plan, mode, country, strict, licensing: _ } => {
            let country = str::from_utf8(country).expect("ASCII");
            let strict = if *strict { " strict" } else { "" };
            format!("AccountOpened {currency} {rate_plan} {} {country}{strict}", mode.name())
        }
        Event::FundsAdded { lot, amount, purchased, expires, reference: _ } => {
            format!("FundsAdded {lot} {amount} {}..{}", show(*purchased), show(*expires))
        }
        Event::OverdraftSettled { lot, amount, overdraft } => {
            format!("OverdraftSettled {lot} {amount}, {overdraft} left")
        }
        Event::LotExpiring { lot, amount, expires } => format!("LotExpiring {lot} {amount} {}", show(*expires)),
        Event::AdjustedUp { lot, amount, purchased, expires, reason: _ } => {
            format!("Adjusted {lot} {amount} {}..{}", show(*purchased), show(*expires))
        }
        Event::AdjustedDown { amount, lots, reason: _ } => {
            let from = lots.iter().map(|(lot, taken, before, after)| {
                assert_eq!(*taken, before.minus(*after), "an adjustment's amount is what moved");
                format!("{lot} {before}→{after}")
            });
            format!("Adjusted {amount}: {}", from.collect::<Vec<_>>().join(", "))
        }
        Event::LotExpired { lot, amount } => format!("LotExpired {lot} {amount}"),
        Event::LotForfeited { lot, amount } => format!("LotForfeited {lot} {amount}"),
        Event::LotRefunded { lot, amount, reason: _ } => format!("LotRefunded {lot} {amount}"),
        Event::BalanceExhausted => "BalanceExhausted".into(),
        Event::LicenceAssigned { user, licence, country, since } => {
            let country = str::from_utf8(country).expect("ASCII");
            format!("LicenceAssigned {user} {licence} {country} since {}", show(*since))
        }
        Event::LicenceRemoved { user, licence, country } => {
            format!("LicenceRemoved {user} {licence} {}", str::from_utf8(country).expect("ASCII"))
        }
        Event::PoolThresholdReached { pool, of, month, percent, used, size } => {
            format!("PoolThresholdReached {pool} {} {} {percent} %: {used}/{size}", of.name(), show(*month))
        }
        Event::FundsReturned { lot, amount, purchased, expires } => {
            format!("FundsReturned {lot} {amount} {}..{}", show(*purchased), show(*expires))
        }
        Event::PostUsageStatement { month, amount, post_usage } => {
            format!("PostUsageStatement {}: {amount} of {post_usage}", show(*month))
        }
        Event::RatePlanSet { rate_plan } => format!("RatePlanSet {rate_plan}"),
        Event::ModeSet { mode } => format!("ModeSet {}", mode.name()),
        Event::AccountClosed { overdraft, post_usage } => {
            format!("AccountClosed overdraft {overdraft} postUsage {post_usage}")
        }
        Event::CommandRefused { command, refusal } => format!("CommandRefused {command} {}", refusal.name()),
        Event::AutoRechargeConfigured { .. }
        | Event::RechargeRequested { .. }
        | Event::RechargeSucceeded { .. }
        | Event::InvoiceIssued { .. }
        | Event::RechargeAttemptFailed { .. }
        | Event::RechargeFailed { .. }
        | Event::RechargeCapReached { .. } => show_recharge_event(event),
    }
}

#[allow(clippy::wildcard_enum_match_arm, reason = "the caller's match is complete")]
fn show_recharge_event(event: &Event) -> String {
    match event {
        Event::AutoRechargeConfigured { settings } => {
            let cap = settings.monthly_cap.map_or(String::new(), |cap| format!(" cap {cap}"));
            let off = if settings.enabled { "" } else { " off" };
            format!("AutoRechargeConfigured {} below {}{cap}{off}", settings.amount, settings.trigger)
        }
        Event::RechargeRequested { number, amount, currency: _, sending, attempt, settings: _ } => {
            format!("RechargeRequested {number}: {amount}, sending {sending}, attempt {attempt}")
        }
        Event::RechargeSucceeded { number, lot, amount, processed: _, purchased, expires } => {
            format!("RechargeSucceeded {number}: {amount} as {lot} {}..{}", show(*purchased), show(*expires))
        }
        Event::InvoiceIssued { invoice, number, amount, lot, settings: _ } => {
            format!("InvoiceIssued {invoice}: {amount} for {number} as {lot}")
        }
        Event::RechargeAttemptFailed { number, attempt, reason: _, retry_at } => {
            format!("RechargeAttemptFailed {number}: attempt {attempt}, again {}", show(*retry_at))
        }
        Event::RechargeFailed { number, outcome, reason: _, rearm_at } => {
            let outcome = if *outcome == Outcome::Declined { "declined" } else { "failed" };
            format!("RechargeFailed {number}: {outcome}, rearm {}", show(*rearm_at))
        }
        Event::RechargeCapReached { cap, month, counted, amount } => {
            format!("RechargeCapReached {cap}: {counted} since {}, no {amount} more", show(*month))
        }
        other => panic!("not about recharging: {other:?}"),
    }
}
