//! The words for a debit.

use std::collections::BTreeMap;

use drawdown_rating::{Breakdown, Deck, Product};
use drawdown_units::Timestamp;
use drawdown_wire::debit::{Debit, Funding, Reverses};
use drawdown_wire::{CallType, Text};
use serde_json::Value;

use super::figures::{bound_of, calculation};
use super::rules::{Rule, rule_of};
use crate::verify::Flaw;
use crate::verify::charge::{call_of, deck_of, differences, product_of, sum_of};

/// What is to be said of a debit.
#[derive(Default)]
pub struct Explanation {
    /// What each line is about, and the line.
    pub lines: Vec<(&'static str, String)>,
    /// Where the charge computed anew differs; `None` if it was not computed anew.
    pub differences: Option<Vec<Flaw>>,
    /// How the seconds became money, by the deck; `None` if there was no price, or the deck was not given.
    pub calculation: Option<Value>,
    /// The names of the rules by which funders were asked, one for each of the debit's funding lines.
    pub rules: Vec<&'static str>,
}

/// The decks that may price a call of a product which started then.
pub type Offered<'o, 'd> = dyn Fn(Product, Timestamp) -> Vec<&'d Deck> + 'o;

/// Of each deck the version in force for calls that started then (boundaries.md C4).
pub fn in_force(decks: &[Deck], started: Timestamp) -> Vec<&Deck> {
    let mut versions: BTreeMap<&str, &Deck> = BTreeMap::new();
    for deck in decks.iter().filter(|deck| deck.effective_from() <= started && deck.withdrawn_at().is_none()) {
        let latest = versions.entry(deck.id()).or_insert(deck);
        if (deck.effective_from(), deck.version()) > (latest.effective_from(), latest.version()) {
            *latest = deck;
        }
    }
    versions.into_values().collect()
}

impl Explanation {
    /// Of `decks` is the one that priced the debit; `offered` are those that might price it now, if none did.
    pub fn of(debit: &Debit<'_>, decks: &[Deck], offered: &Offered<'_, '_>) -> Self {
        let mut explanation = Explanation::default();
        explanation.say_call(debit);
        if let Some(reverses) = debit.reverses {
            explanation.say_reversal(debit, reverses);
        } else if debit.charge.price_per_minute.is_some() {
            let breakdown = explanation.recompute(debit, decks);
            explanation.say_row(debit, breakdown.as_ref());
            explanation.say_sum(debit, breakdown.as_ref());
        } else {
            explanation.say_unpriced(debit, offered);
        }
        explanation.say_funding(debit);
        for flag in &debit.flags {
            explanation.say("flags", format!("{}: {}", &**flag, flag_in_words(flag)));
        }
        explanation
    }

    pub fn differs(&self) -> bool {
        self.differences.as_ref().is_some_and(|differences| !differences.is_empty())
    }

    fn say(&mut self, about: &'static str, text: impl Into<String>) {
        self.lines.push((about, text.into()));
    }

    fn say_call(&mut self, debit: &Debit<'_>) {
        self.say("debit", format!("number {} of organisation {}, booked at {}", debit.seq, debit.org_id, debit.at));
        self.say("record", format!("{} of source {}, revision {}", debit.id, debit.source, debit.revision));
        let call = &debit.call;
        let callee = match (call.callee_number.as_deref(), call.called.as_deref()) {
            (Some(text), Some(digits)) if text.strip_prefix('+') != Some(digits) => {
                format!("{text} (rated as {digits})")
            }
            (Some(text), _) => text.to_owned(),
            (None, digits) => digits.map_or_else(|| "an unknown number".to_owned(), |digits| format!("+{digits}")),
        };
        let caller = call.caller_number.as_deref().unwrap_or("an unknown number");
        self.say("call", format!("{} to {callee} from {caller}", call.call_type));
        let end = call.end_date_time.as_deref().map_or_else(String::new, |end| format!(" to {end}"));
        self.say("call", format!("{} s, from {}{end}", call.duration, call.start_date_time));
        let names = [&call.user_principal_name, &call.user_display_name, &call.user_id];
        if let Some(name) = names.into_iter().flatten().next() {
            self.say("call", format!("by {}", &**name));
        }
        if let Some(upstream) = &call.upstream_charge {
            let currency = call.upstream_currency.as_deref().unwrap_or_default();
            self.say("call", format!("upstream says it cost {} {currency}; that is kept, not used", &**upstream));
        }
    }

    fn say_reversal(&mut self, debit: &Debit<'_>, reverses: Reverses) {
        let why = if reverses.void { "withdrew the record" } else { "corrected the record; its new debit follows" };
        let text = format!(
            "takes back debit {} of revision {}, because revision {} {why}",
            reverses.seq, reverses.revision, debit.revision
        );
        self.say("reversal", text);
        self.say("charge", format!("{} {}", &*debit.charge.amount, &*debit.charge.currency));
    }

    /// Computes the charge anew, if its deck is among those given; one that lacks is a difference.
    fn recompute<'d>(&mut self, debit: &Debit<'_>, decks: &'d [Deck]) -> Option<Breakdown<'d>> {
        if decks.is_empty() {
            return None;
        }
        let breakdown = Timestamp::parse(&debit.call.start_date_time)
            .map_err(|error| Flaw::new("call.startDateTime", "an instant", error))
            .and_then(|started| Ok((deck_of(debit, decks)?, call_of(debit, started, product_of(debit)?)?)))
            .and_then(|(deck, call)| {
                let refusal =
                    |_| Flaw::new("charge", "no charge: the deck has no price for this call", &*debit.charge.amount);
                deck.breakdown(&call).map_err(refusal)
            });
        match breakdown {
            Ok(breakdown) => {
                self.differences = Some(differences(debit, &breakdown.charge));
                self.calculation = Some(calculation(debit, &breakdown));
                Some(breakdown)
            }
            Err(flaw) => {
                self.differences = Some(vec![flaw]);
                None
            }
        }
    }

    fn say_row(&mut self, debit: &Debit<'_>, breakdown: Option<&Breakdown<'_>>) {
        let charge = &debit.charge;
        let (deck, version) = (charge.deck.as_deref().unwrap_or("?"), charge.deck_version.unwrap_or_default());
        let product = charge.product.as_deref().unwrap_or("?");
        let in_force = match breakdown.map(|it| it.charge.deck) {
            Some(deck) => {
                let withdrawn = deck.withdrawn_at().map_or_else(String::new, |at| format!("; withdrawn since {at}"));
                format!("in force since {} when the call started{withdrawn}", deck.effective_from())
            }
            None => "in force when the call started".to_owned(),
        };
        self.say("deck", format!("{deck} version {version} for {product}, {in_force}"));
        let prefix = charge.prefix.as_deref().unwrap_or("?");
        let line = charge.line.unwrap_or_default();
        let destination = charge.destination.as_deref().filter(|name| !name.is_empty()).unwrap_or("unnamed");
        self.say("row", format!("line {line}: prefix {prefix}, {destination}"));
        let called = debit.call.called.as_deref().unwrap_or("?");
        self.say("row", format!("of all prefixes of the deck that begin {called}, {prefix} is the longest"));
        if let Some(origin) = &charge.origin_prefix {
            self.say("row", format!("of its rows, the one for callers that begin {}", &**origin));
        }
        if let Some(band) = &charge.band {
            self.say("row", format!("of its rows, the one for the time band {}, in which the call started", &**band));
        }
    }

    fn say_sum(&mut self, debit: &Debit<'_>, breakdown: Option<&Breakdown<'_>>) {
        let charge = &debit.charge;
        let seconds = charge.rated_seconds.unwrap_or(debit.call.duration);
        if charge.rated_seconds.is_some() {
            let text =
                format!("{} s less whole minutes of the pool leave {seconds} s to be rated", debit.call.duration);
            self.say("rest", text);
        }
        let billable = charge.billable_seconds.unwrap_or_default();
        let increments = match breakdown.map(|it| it.charge.row) {
            Some(row) => format!("{} s first, then steps of {} s", row.initial_s, row.increment_s),
            None => "whole increments".to_owned(),
        };
        self.say("increments", format!("{seconds} s are billed as {billable} s ({increments})"));
        let (fee, price) =
            (charge.connection_fee.as_deref().unwrap_or("?"), charge.price_per_minute.as_deref().unwrap_or("?"));
        match (charge.compound, breakdown) {
            (false, _) => {
                let sum = sum_of(debit).map_or_else(|| "?".to_owned(), |(sum, _)| sum.to_string());
                self.say("sum", format!("fee {fee} + {price} a minute × {billable} s ÷ 60 = {sum}"));
            }
            (true, Some(breakdown)) => {
                for part in &breakdown.parts {
                    let band = part.band.map(|band| format!(", band {band}")).unwrap_or_default();
                    let text =
                        format!("{} s from second {} at {} a minute{band}", part.seconds, part.from_second, part.price);
                    self.say("sum", text);
                }
                self.say("sum", format!("fee {fee} + these parts = {}", breakdown.sum));
            }
            (true, None) => {
                self.say("sum", format!("fee {fee} + several prices, of which {price} a minute was the first"));
            }
        }
        if let Some(bound) = &charge.bound {
            let figure = breakdown.and_then(bound_of);
            let figure = figure.map_or_else(String::new, |figure| format!(", {figure}"));
            self.say("bound", format!("brought to the row's {}{figure}", &**bound));
        }
        let rounding = charge.rounding.as_deref().unwrap_or("?");
        let (mode, decimals) = rounding.split_once('/').unwrap_or((rounding, "?"));
        self.say("rounding", format!("once, {mode}, to {decimals} decimals"));
        self.say("charge", format!("{} {}", &*charge.amount, &*charge.currency));
    }

    fn say_unpriced(&mut self, debit: &Debit<'_>, offered: &Offered<'_, '_>) {
        let charge = &debit.charge;
        let Some(why) = &charge.unrated else {
            self.say("charge", format!("{} {}: free, {}", &*charge.amount, &*charge.currency, why_free(debit)));
            return;
        };
        self.say("charge", format!("{} {}: unrated, {}", &*charge.amount, &*charge.currency, why_unrated(why)));
        self.say("to do", todo_of_unrated(why));
        let product = CallType::parse(&debit.call.call_type).and_then(CallType::product);
        let (Some(product), Ok(started)) = (product, Timestamp::parse(&debit.call.start_date_time)) else { return };
        let Ok(call) = call_of(debit, started, product) else { return };
        for deck in offered(product, started) {
            if *deck.currency().as_str() == *debit.charge.currency
                && let Ok(charge) = deck.charge(&call)
            {
                let (id, version, row) = (deck.id(), deck.version(), charge.row);
                let text = format!(
                    "deck {id} version {version} has a row now, line {}: it would cost {} {}",
                    row.line,
                    charge.amount,
                    deck.currency()
                );
                self.say("to do", text);
            }
        }
    }

    fn say_funding(&mut self, debit: &Debit<'_>) {
        let currency = &*debit.charge.currency;
        if debit.funding.is_empty() {
            self.say("paid by", "nobody: there was nothing to pay");
        }
        for line in &debit.funding {
            let is_reversal = debit.reverses.is_some();
            let text = if is_reversal { returned_in_words(line, currency) } else { funder_in_words(line, currency) };
            self.say("paid by", text);
        }
        let mut rules: Vec<Rule> = debit.funding.iter().map(rule_of).collect();
        self.rules = rules.iter().map(|rule| rule.name).collect();
        rules.dedup();
        rules.into_iter().for_each(|Rule { name, words }| self.say("rule", format!("{name}: {words}")));
        self.say("balance", format!("{} {currency} afterwards", &*debit.balance_after));
    }
}

fn funder_in_words(line: &Funding<'_>, currency: &str) -> String {
    let (amount, before, after) = (&*line.amount, &*line.before, &*line.after);
    match &*line.kind {
        "pool" => {
            let (size, minutes) = (line.size.unwrap_or_default(), line.minutes.unwrap_or_default());
            format!("{}: {minutes} minutes; of its {size}, {before} were used before, {after} after", pool_name(line))
        }
        "lot" => {
            let lot = line.lot_id.as_deref().unwrap_or("?");
            format!("lot {lot}: {amount} {currency}; it held {before} before, {after} after")
        }
        "overdraft" => format!(
            "overdraft: {amount} {currency}, which the next money settles first; {before} was owed before, {after} after"
        ),
        "postUsage" => format!("the post-usage invoice: {amount} {currency}; accrued {before} before, {after} after"),
        "uncollected" => {
            format!("nobody (a strict account): {amount} {currency} uncollected; {before} before, {after} after")
        }
        "unlicensed" => format!(
            "nobody: {amount} {currency}, since the user may not draw credits; {before} unlicensed before, {after} after"
        ),
        other => format!("{other}: {amount} {currency}; {before} before, {after} after"),
    }
}

fn returned_in_words(line: &Funding<'_>, currency: &str) -> String {
    let (amount, before, after) = (&*line.amount, &*line.before, &*line.after);
    if line.is_pool() {
        let minutes = line.minutes.unwrap_or_default().unsigned_abs();
        return format!("{} gets {minutes} minutes back; {before} were used before, {after} after", pool_name(line));
    }
    let name = line.lot_id.as_deref().map_or_else(|| line.kind.to_string(), |lot| format!("lot {lot}"));
    let rest = line.returned_to.as_deref();
    let rest = rest.map_or_else(String::new, |lot| format!("; what could not go back is in the new lot {lot}"));
    format!("{name}: {amount} {currency}; {before} before, {after} after{rest}")
}

fn pool_name(line: &Funding<'_>) -> String {
    let text = |text: &Option<Text<'_>>| text.as_deref().unwrap_or("?").to_owned();
    format!("pool {}, {} minutes of {}", text(&line.pool), text(&line.of), text(&line.month))
}

fn why_free(debit: &Debit<'_>) -> String {
    let is_flagged = |name: &str| debit.flags.iter().any(|flag| &**flag == name);
    let why = [
        ("user-in", "a call received by a user costs nothing"),
        ("direct-routing", "Direct Routing costs nothing here; it is only recorded"),
        ("emergency", "an emergency number, which is never blocked either"),
        ("internal", "an internal number"),
        ("short-code", "a short code that the numbering plan calls toll-free"),
        ("toll-number", "inbound on a number that is not toll-free"),
        ("included", "included minutes cover all of it"),
        ("dial-out-add-on", "unlimited-dial-out: the organiser's add-on covers dial-out to this country"),
    ];
    let found = why.into_iter().find(|(flag, _)| is_flagged(flag));
    found.map_or_else(|| format!("{} costs nothing", &*debit.call.call_type), |(_, why)| why.to_owned())
}

fn why_unrated(why: &str) -> &'static str {
    match why {
        "no-row" => "no row of the deck is for this number",
        "no-deck" => "no version of the deck, but for withdrawn ones, was in force when the call started",
        "not-sold" => "the organisation's rate plan does not sell this product",
        "nothing-visible" => "no digit of the number called is visible",
        "short-code" => "a short code, which no deck prices",
        _ => "for a reason that this program does not know",
    }
}

fn todo_of_unrated(why: &str) -> &'static str {
    match why {
        "no-row" => {
            "add a row to the deck, publish it as a new version, and rate the call's copy in rejects.jsonl again"
        }
        "no-deck" => {
            "publish a deck version that is effective before the call, and rate the copy in rejects.jsonl again"
        }
        "not-sold" => "name a deck for the product in the rate plan, and rate the copy in rejects.jsonl again",
        "nothing-visible" => "ask the source for the number; without one digit of it there is no price",
        _ => "look at the copy in rejects.jsonl; an operator can book a price by an adjustment",
    }
}

fn flag_in_words(flag: &str) -> &'static str {
    match flag {
        "masked" => "digits of the number called were hidden; the longest prefix that is certain was used",
        "masked-uncertain" => "a longer prefix of the deck could match under the mask",
        "unrated" => "no price was found; the call can be rated again",
        "blocked" => "the row is marked as blocked, and charged by its price",
        "duration-mismatch" => "the duration and the two times differ by more than a second; the duration was used",
        "long-call" => "longer than 24 hours",
        "unanswered-with-billsec" => "not answered, yet with billed seconds; nothing was charged for them",
        "ambiguous-time" => {
            "a local time in the repeated hour of a clock change; the earlier instant was taken, unless the end would lie \
             before the start"
        }
        "nonexistent-time" => "a local time that a clock change skipped; read with the offset before it",
        "quoting" => "broken CSV quoting, read as data",
        "internal" => "an extension or feature code",
        "emergency" => "an emergency number",
        "direct-routing" => "a Direct Routing call",
        "user-in" => "a call received by a user",
        "toll-number" => "inbound on a toll number",
        "short-code" => "a short code",
        "included" => "wholly paid by included minutes",
        "dial-out-add-on" => "unlimited dial-out of the organiser",
        "reversal" => "takes an earlier debit back",
        "zero-seconds" => "not answered, or no connected time: no fee either",
        _ => "a flag that this program does not know",
    }
}
