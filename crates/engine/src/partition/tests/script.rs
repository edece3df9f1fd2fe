//! The harness of golden scripts: one line per input, and after `->` what came of it.
//!
//! ```text
//! row 44 1                                        a row of the deck: prefix, price per minute, product, premium
//! from 2026-03-01                                 the deck's first instant; else 2026
//! plan gold outbound                              a rate plan that sells these products; else every plan sells all
//! 2026-03-01 acme open on gold                    -> 1 AccountOpened
//! 2026-03-02 acme call C1 +442071838750 60s       -> 2 debit 1.00 overdraft:1.00
//! ```
//!
//! What came of an input is `duplicate`, `rejected` and why, or the debit and the events by their `seq`: a debit with
//! its amount, who paid (a lot what it gave, others what they then owe), why it is unrated, and its flags.
//! Instants are UTC; idle zeros are left out. Each script runs twice: with a commit after every line, and as one batch
//! that is rolled back and played again. Neither must show.

use std::collections::BTreeMap;

use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText, RatePlan};
use drawdown_units::Timestamp;
use drawdown_wire::debit::{Original, Sought};
use drawdown_wire::event::{self, Cause};
use drawdown_wire::source::Context;
use drawdown_wire::{command, licences, native};
use serde_json::{Value, json};

use crate::partition::CommandOutcome;
use crate::{Booked, Engine, Limits, Originals, Outcome, Outputs, Partition};

/// Runs a script and compares everything that happened with what it says.
#[track_caller]
pub fn check(script: &str) {
    let lines: Vec<String> = script.lines().map(squeeze).filter(|line| !line.is_empty()).collect();
    let (settings, inputs): (Vec<_>, Vec<_>) = lines.iter().partition(|line| !line.contains("->"));
    let catalogue = catalogue(&settings);
    for commits in [true, false] {
        let mut play = Play::new(&catalogue);
        let mut happened = play.run(&inputs, commits);
        if !commits {
            play.partition.roll_back();
            happened = play.run(&inputs, commits);
        }
        let (expected, happened) = (lines_of(&inputs), lines_of(&happened));
        assert!(happened == expected, "\nexpected:\n{expected}\n\nhappened (commits: {commits}):\n{happened}\n");
    }
}

fn lines_of(lines: &[impl AsRef<str>]) -> String {
    lines.iter().map(|line| squeeze(line.as_ref())).collect::<Vec<_>>().join("\n")
}

fn squeeze(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The catalogue that these settings describe.
pub fn catalogue(settings: &[&String]) -> Catalogue {
    let mut rows = "prefix,price_per_minute,product,premium\n".to_owned();
    let (mut from, mut plans) = (instant("2026-01-01"), Vec::new());
    for setting in settings {
        let words: Vec<&str> = setting.split(' ').collect();
        match words[0] {
            "row" => {
                let (product, is_premium) = (words.get(3).unwrap_or(&"outbound"), words.contains(&"premium"));
                rows += &format!("{},{},{product},{is_premium}\n", words[1], words[2]);
            }
            "from" => from = instant(words[1]),
            "plan" => plans.push(plan(words[1], &words[2..])),
            unknown => panic!("no such setting: {unknown}"),
        }
    }
    let manifest =
        format!("id = \"d\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = \"{from}\"\nrows = \"d.csv\"\n");
    let text = DeckText { manifest_name: "d.toml", manifest: &manifest, rows_name: "d.csv", rows: rows.as_bytes() };
    let deck = Deck::compile(text).expect("a sound deck").deck;
    Catalogue::new(vec![deck], plans).expect("a sound catalogue")
}

fn plan(id: &str, products: &[&str]) -> RatePlan {
    let products = if products.is_empty() { &["outbound", "toll-free-inbound"] } else { products };
    let products: String = products.iter().map(|product| format!("{product} = \"d\"\n")).collect();
    let text = format!("id = \"{id}\"\ncurrency = \"USD\"\n[products]\n{products}");
    RatePlan::parse("plan.toml", &text).expect("a sound plan")
}

fn instant(word: &str) -> Timestamp {
    let text = match word.len() {
        10 => format!("{word}T00:00:00Z"),
        16 => format!("{word}:00Z"),
        _ => format!("{word}Z"),
    };
    Timestamp::parse(&text).unwrap_or_else(|error| panic!("{word}: {error}"))
}

/// The word after `name`.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let place = words.iter().position(|word| *word == name)?;
    Some(words.get(place + 1).unwrap_or_else(|| panic!("nothing after {name}")))
}

struct Play<'c> {
    engine: Engine<'c>,
    partition: Partition,
    commands: usize,
    earlier: Earlier,
}

/// The debits of earlier lines, in this batch or before it.
#[derive(Default)]
struct Earlier(Vec<u8>);

impl Originals for Earlier {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        if booked.is_in_progress
            && let Some(found) = booked.in_progress(sought)
        {
            return Some(found);
        }
        let mut lines = self.0.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.find_map(|line| sought.look(line).expect("a debit of ours"))
    }
}

impl<'c> Play<'c> {
    fn new(catalogue: &'c Catalogue) -> Self {
        static RULES: std::sync::LazyLock<Rules> =
            std::sync::LazyLock::new(|| Rules { plans: licences::teams(), ..Rules::default() });
        let engine = Engine { catalogue, rules: &RULES, limits: Limits::default(), open_unknown: None };
        Play { engine, partition: Partition::default(), commands: 0, earlier: Earlier::default() }
    }

    fn run(&mut self, lines: &[&String], commits: bool) -> Vec<String> {
        let mut happened = Vec::new();
        for line in lines {
            let (input, _) = line.split_once("->").expect("it is how inputs are told from settings");
            self.commands += 1;
            happened.push(format!("{input} -> {}", self.input(input)));
            if commits {
                self.partition.commit(&self.engine.limits);
            }
        }
        happened
    }

    fn input(&mut self, input: &str) -> String {
        let words: Vec<&str> = input.split(' ').filter(|word| !word.is_empty()).collect();
        let (at, org, words) = (instant(words[0]), words[1], &words[2..]);
        let mut outputs = Outputs::default();
        let outcome = match words[0] {
            "call" => self.call(at, org, words, &mut outputs),
            "tick" => {
                self.partition.tick(&self.engine, at, |org, occurrence| {
                    event::write(&mut outputs.events, org, occurrence, Cause::Time);
                });
                None
            }
            _ => self.command(at, org, words, &mut outputs),
        };
        self.earlier.0.extend_from_slice(&outputs.debits);
        outcome.unwrap_or_else(|| told(&outputs))
    }

    fn call(&mut self, at: Timestamp, org: &str, words: &[&str], outputs: &mut Outputs) -> Option<String> {
        let seconds: u32 = words[3].trim_end_matches('s').parse().expect("seconds");
        let start = option(words, "from").map_or(at, instant);
        let mut row = json!({
            "id": words[1], "callType": option(words, "as").unwrap_or("user_out"), "calleeNumber": words[2],
            "startDateTime": start.to_string(), "duration": seconds, "userId": option(words, "by").unwrap_or("u1"),
            "userDisplayName": option(words, "named").unwrap_or("A. Caller"), "void": words.contains(&"void"),
        });
        for (field, value) in [("usageCountryCode", option(words, "in")), ("orgId", (org != "-").then_some(org))] {
            if let Some(value) = value {
                row[field] = json!(value);
            }
        }
        if words.contains(&"nobody") {
            row["userId"] = Value::Null;
        }
        if let Some(context) = option(words, "context") {
            row["destinationContext"] = json!(context);
        }
        if let Some(revision) = option(words, "rev") {
            row["revision"] = json!(revision.parse::<u32>().expect("a revision"));
        }
        let context = Context { key: option(words, "key"), ce_source: option(words, "source"), ..Context::default() };
        let bytes = row.to_string().into_bytes();
        let cdr = match native::decode(&bytes, &context) {
            Ok(cdr) => cdr,
            Err(rejection) => return Some(format!("rejected {}", rejection.reason.name())),
        };
        match self.partition.cdr(&self.engine, at, &cdr, outputs, &mut self.earlier) {
            Outcome::Debited(_) => None,
            Outcome::Duplicate => Some("duplicate".into()),
            Outcome::Rejected(rejection) => Some(format!("rejected {}", rejection.reason.name())),
        }
    }

    fn command(&mut self, at: Timestamp, org: &str, words: &[&str], outputs: &mut Outputs) -> Option<String> {
        let mut value = match words[0] {
            "open" => {
                let plan = option(words, "on").unwrap_or("any");
                let licensing = if words.contains(&"licensed") { "required" } else { "none" };
                json!({
                    "type": "openAccount", "currency": "USD", "ratePlan": plan, "country": "US", "licensing": licensing,
                    "strict": words.contains(&"strict"),
                })
            }
            "buy" => {
                let expires = option(words, "until").map(|word| instant(word).to_string());
                json!({
                    "type": "addFunds", "lotId": words[1], "amount": words[2], "purchasedAt": at.to_string(),
                    "expiresAt": expires,
                })
            }
            "licence" | "unlicence" => json!({
                "type": if words[0] == "licence" { "assignLicence" } else { "removeLicence" }, "licence": words[1],
                "userId": option(words, "for").unwrap_or("u1"), "country": option(words, "in").unwrap_or("US"),
            }),
            "plan" => json!({ "type": "setRatePlan", "ratePlan": words[1] }),
            "close" => json!({ "type": "closeAccount" }),
            unknown => panic!("no such input: {unknown}"),
        };
        let fresh = format!("command-{}", self.commands);
        value["commandId"] = json!(option(words, "id").unwrap_or(&fresh));
        value["orgId"] = json!(org);
        value["at"] = json!(at.to_string());
        let envelope = command::decode(value.to_string().as_bytes()).expect("a sound command");
        match self.partition.command(&self.engine, at, &envelope, outputs) {
            CommandOutcome::Applied | CommandOutcome::Refused => None,
            CommandOutcome::Duplicate => Some("duplicate".into()),
            CommandOutcome::Rejected(rejection) => Some(format!("rejected {}", rejection.reason.name())),
        }
    }
}

/// Debits and events by their `seq`.
fn told(outputs: &Outputs) -> String {
    let lines = [&outputs.debits, &outputs.events].into_iter().flat_map(|lines| lines.split(|byte| *byte == b'\n'));
    let values = lines.filter(|line| !line.is_empty()).map(|line| serde_json::from_slice(line).expect("JSON"));
    let by_seq: BTreeMap<u64, String> =
        values.map(|value: Value| (value["seq"].as_u64().expect("a seq"), told_one(&value))).collect();
    by_seq.iter().map(|(seq, what)| format!("{seq} {what}")).collect::<Vec<_>>().join(", ")
}

fn told_one(output: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if output["type"] != "debit" {
        let reason = match text(&output["type"]).as_str() {
            "CommandRefused" => text(&output["reason"]),
            "PoolThresholdReached" => format!("{} {}", text(&output["pool"]), output["percent"]),
            _ => String::new(),
        };
        return format!("{} {reason}", text(&output["type"])).trim_end().to_owned();
    }
    let mut told = format!("debit {}", text(&output["charge"]["amount"]));
    for line in output["funding"].as_array().expect("a list") {
        let (name, figure) = match (&line["lotId"], &line["pool"]) {
            (Value::String(lot), _) => (lot.clone(), text(&line["amount"])),
            (_, Value::String(pool)) => (pool.clone(), format!("{}/{}", line["after"], line["size"])),
            _ => (text(&line["type"]), text(&line["after"])),
        };
        told += &format!(" {name}:{figure}");
    }
    if let Some(why) = output["charge"]["unrated"].as_str() {
        told += &format!(" unrated:{why}");
    }
    for flag in output["flags"].as_array().expect("a list") {
        told += &format!(" #{}", text(flag));
    }
    told
}
