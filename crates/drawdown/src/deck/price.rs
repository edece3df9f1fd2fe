//! `drawdown deck price`: what one call costs by one deck, step by step.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args as ClapArgs;
use drawdown_rating::{Bound, Breakdown, Call, Called, Charge, Deck, Number, Part, Product, Uncharged};
use drawdown_units::Timestamp;
use drawdown_wire::cdr::Callee;
use drawdown_wire::number::{self, NumberPlan};
use serde_json::{Value, json};

use super::load::{Loaded, load};
use crate::arguments::parse_time;
use crate::exit::{Done, Failure, Run};

/// Price one call and explain the charge: row, increments, fee, bands and tiers, bounds, rounding
///
/// The deck prices the call whatever its date: `effectiveFrom` is only mentioned. Prices are per minute, times in
/// seconds, money in the deck's currency.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit code:
  0  priced, or free as emergency numbers and inbound toll numbers are
  1  unrated: no row of the deck is for the number
  2  the deck has faults, or the command line is wrong

JSON (--json): one object
  {\"number\": \"+442071838750\", \"masked\": false, \"seconds\": 219, \"at\", \"product\",
   \"rated\": true, \"charge\": charge, \"parts\": [part], \"sum\": \"0.06\", \"flags\": [\"blocked\"]}
  charge  {\"amount\", \"currency\", \"connectionFee\", \"pricePerMinute\", \"billableSeconds\",
           \"deck\", \"deckVersion\", \"product\", \"prefix\", \"originPrefix\", \"band\",
           \"destination\", \"line\", \"rounding\", \"bound\"}, as in a debit
  part    {\"fromSecond\", \"seconds\", \"pricePerMinute\", \"band\", \"line\"}
  The sum is fee and parts before bounds and rounding; it ends in … where its decimals do
  not end. Where \"rated\" is false there is \"why\" instead of charge, parts and sum.

Examples:
  drawdown deck price config/decks/acs-pstn.toml +442071838750 219
  drawdown deck price deck.toml '020 7183 8750' 61 --region GB --at 2026-03-02T07:59:30Z
  drawdown deck price deck.toml '+4912345***' 90 --from +41443334455 --json")]
pub struct Args {
    /// The deck's manifest
    deck: PathBuf,
    /// The number called: +digits, perhaps masked with `*` at its end; with --region as it is dialled there
    number: String,
    /// How long the call lasts, in whole seconds
    seconds: u32,
    /// When it starts, as RFC 3339; now if not given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// The caller, as +digits: matters where rows have an origin prefix
    #[arg(long, value_name = "CALLER", value_parser = parse_caller)]
    from: Option<Number>,
    /// What is sold: outbound or toll-free-inbound
    #[arg(long, value_name = "PRODUCT", value_parser = parse_product, default_value = "outbound")]
    product: Product,
    /// The country where the number is dialled, ISO 3166, such as GB: for numbers without +
    #[arg(long, value_name = "COUNTRY", value_parser = parse_region)]
    region: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

fn parse_caller(text: &str) -> Result<Number, String> {
    Number::parse_clean(text).ok_or_else(|| "write + and at most 15 digits, such as +41443334455".to_owned())
}

fn parse_product(text: &str) -> Result<Product, String> {
    Product::parse(text).ok_or_else(|| format!("write {}", Product::ALL.map(Product::as_str).join(" or ")))
}

fn parse_region(text: &str) -> Result<String, String> {
    let region = text.to_ascii_uppercase();
    if number::is_region(&region) { Ok(region) } else { Err("write a country's two letters, such as GB".to_owned()) }
}

/// A call to be priced.
pub struct Question<'a> {
    pub number: &'a str,
    pub seconds: u32,
    pub at: Timestamp,
    pub caller: Option<Number>,
    pub product: Product,
    /// Where the number is dialled, if it is not in international form.
    pub region: Option<&'a str>,
}

/// A call as asked for, with what the deck says.
pub struct Answer<'d> {
    deck: &'d Deck,
    number: String,
    call: Option<Call>,
    product: Product,
    seconds: u32,
    at: Timestamp,
    outcome: Outcome<'d>,
}

enum Outcome<'d> {
    Rated(Breakdown<'d>),
    /// Free whatever the deck says, and why.
    Free(&'static str),
    /// No row, and why.
    Unrated(&'static str),
}

/// Prices the call, and explains it.
pub fn run(args: &Args) -> Run {
    let loaded = load(&args.deck)?;
    let question = Question {
        number: &args.number,
        seconds: args.seconds,
        at: args.at.unwrap_or_else(now),
        caller: args.from,
        product: args.product,
        region: args.region.as_deref(),
    };
    let answer = answer(&question, &loaded.deck)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", answer.to_json())?;
    } else {
        answer.write(&loaded, &mut out)?;
    }
    Ok(if matches!(answer.outcome, Outcome::Unrated(_)) { Done::WithFindings } else { Done::Well })
}

/// The present, to the second.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX), 0)
}

/// What a deck says of a call.
///
/// # Errors
/// The number is none, or the charge beyond all measure.
pub fn answer<'d>(question: &Question<'_>, deck: &'d Deck) -> Result<Answer<'d>, Failure> {
    let Question { seconds, at, product, .. } = *question;
    let unpriced =
        |outcome| Answer { deck, number: question.number.to_owned(), call: None, product, seconds, at, outcome };
    let called = match classify(question)? {
        Callee::Number { number, masked } => Called { number, masked },
        Callee::Emergency => return Ok(unpriced(Outcome::Free("an emergency number is free and never blocked"))),
        Callee::ShortCode { free: true } => return Ok(unpriced(Outcome::Free("a short code that is toll-free"))),
        Callee::Internal | Callee::NotRated => return Ok(unpriced(Outcome::Free("an internal number"))),
        Callee::ShortCode { free: false } => {
            return Ok(unpriced(Outcome::Unrated("a short code: decks price E.164 numbers")));
        }
        Callee::NothingVisible => return Ok(unpriced(Outcome::Unrated("no digit of the number is visible"))),
    };
    let call = Call { product, called, caller: question.caller, start: at, seconds };
    let outcome = match deck.breakdown(&call) {
        Ok(breakdown) => Outcome::Rated(breakdown),
        // boundaries.md U22.
        Err(Uncharged::NoRow) if product == Product::TollFreeInbound && !number::is_toll_free(called.number) => {
            Outcome::Free("inbound, only a toll-free number costs anything, and this is none")
        }
        Err(Uncharged::NoRow) => Outcome::Unrated("no row of the deck is for this number, caller and product"),
        Err(Uncharged::TooLarge) => {
            return Err(Failure::usage("the charge would be above 10^12 units: the duration or the price is absurd"));
        }
    };
    let number = format!("+{}{}", called.number, if called.masked { "***" } else { "" });
    Ok(Answer { deck, number, call: Some(call), product, seconds, at, outcome })
}

fn classify(question: &Question<'_>) -> Result<Callee, Failure> {
    let text = question.number.trim();
    if question.region.is_none() && !text.starts_with('+') {
        let mend = "write it as +442071838750, or give the country where it is dialled, such as --region GB";
        return Err(Failure::usage(format!("{text}: not in international form; {mend}")));
    }
    number::classify(&NumberPlan::unknown(), text, question.region, "NUMBER").map_err(Failure::usage)
}

impl Answer<'_> {
    fn write(&self, loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{} to {}, {} s from {}", self.product, self.number, self.seconds, self.at)?;
        let deck = self.deck;
        writeln!(out, "deck        {} version {}, {}", deck.id(), deck.version(), deck.currency())?;
        if deck.effective_from() > self.at {
            writeln!(
                out,
                "            in force only from {}: `rate` would leave the call unrated",
                deck.effective_from()
            )?;
        }
        match &self.outcome {
            Outcome::Rated(breakdown) => self.write_charge(loaded, breakdown, out),
            Outcome::Free(why) => writeln!(out, "free        {why}"),
            Outcome::Unrated(why) => writeln!(out, "unrated     {why}"),
        }
    }

    fn write_charge(&self, loaded: &Loaded, breakdown: &Breakdown<'_>, out: &mut impl Write) -> io::Result<()> {
        let Breakdown { charge, parts, sum } = breakdown;
        let row = charge.row;
        writeln!(out, "row         {}:{}, prefix {}", loaded.rows_file.display(), row.line, row.prefix)?;
        if !row.destination.is_empty() {
            writeln!(out, "            {}", row.destination)?;
        }
        for (name, value) in [
            ("origin", row.origin_prefix.map(|origin| origin.to_string())),
            ("band", row.band.as_deref().map(str::to_owned)),
        ] {
            if let Some(value) = value {
                writeln!(out, "{name:<12}{value}")?;
            }
        }
        let seconds = self.call.map_or(0, |call| call.seconds);
        let (initial_s, increment_s) = (row.initial_s, row.increment_s);
        writeln!(
            out,
            "increments  {initial_s} s first, then {increment_s} s: {seconds} s are billed as {} s",
            charge.billable_seconds
        )?;
        writeln!(out, "fee         {}", charge.connection_fee)?;
        for part in parts {
            let band = part.band.map(|band| format!(", band {band}")).unwrap_or_default();
            let from = if parts.len() > 1 { format!(", from second {}", part.from_second) } else { String::new() };
            let line =
                if part.row.line == row.line { String::new() } else { format!(", row of line {}", part.row.line) };
            writeln!(out, "time        {} s at {} a minute{from}{band}{line}", part.seconds, part.price)?;
        }
        writeln!(out, "sum         {sum}")?;
        if let Some(bound) = bound_name(charge.bound) {
            let figure = if charge.bound == Bound::Minimum { Some(row.minimum) } else { row.maximum };
            writeln!(out, "bound       {bound} {}", figure.unwrap_or_default())?;
        }
        let (mode, decimals) = (charge.rounding.mode.as_str(), charge.rounding.decimals);
        writeln!(out, "rounding    once, {mode}, to {decimals} decimals")?;
        writeln!(out, "amount      {} {}", charge.amount, charge.deck.currency())?;
        let flags = self.flags();
        if flags.is_empty() { Ok(()) } else { writeln!(out, "flags       {}", flags.join(", ")) }
    }

    /// The flags that a debit of this call would have on account of its price.
    fn flags(&self) -> Vec<&'static str> {
        let charge = match &self.outcome {
            Outcome::Rated(breakdown) => Some(&breakdown.charge),
            Outcome::Free(_) | Outcome::Unrated(_) => None,
        };
        let flags = [
            ("masked", self.call.is_some_and(|call| call.called.masked)),
            ("masked-uncertain", charge.is_some_and(|charge| charge.masked_uncertain)),
            ("unrated", matches!(self.outcome, Outcome::Unrated(_))),
            ("blocked", charge.is_some_and(|charge| charge.row.blocked)),
            ("zero-seconds", self.call.is_some_and(|call| call.seconds == 0)),
        ];
        flags.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name).collect()
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "number": self.number,
            "masked": self.call.is_some_and(|call| call.called.masked),
            "seconds": self.seconds,
            "at": self.at.to_string(),
            "product": self.product.as_str(),
            "rated": matches!(self.outcome, Outcome::Rated(_)),
            "flags": self.flags(),
        });
        match &self.outcome {
            Outcome::Rated(Breakdown { charge, parts, sum }) => {
                json["charge"] = charge_to_json(charge, self.product);
                json["parts"] = parts.iter().map(part_to_json).collect();
                json["sum"] = sum.to_string().into();
            }
            Outcome::Free(why) | Outcome::Unrated(why) => json["why"] = (*why).into(),
        }
        json
    }
}

/// The bound that a charge was brought to, as it is called in debits.
pub fn bound_name(bound: Bound) -> Option<&'static str> {
    match bound {
        Bound::None => None,
        Bound::Minimum => Some("minimum"),
        Bound::Maximum => Some("maximum"),
    }
}

fn charge_to_json(charge: &Charge<'_>, product: Product) -> Value {
    json!({
        "amount": charge.amount.to_string(),
        "currency": charge.deck.currency().to_string(),
        "connectionFee": charge.connection_fee.to_string(),
        "pricePerMinute": charge.price_per_minute.to_string(),
        "billableSeconds": charge.billable_seconds,
        "deck": charge.deck.id(),
        "deckVersion": charge.deck.version(),
        "product": product.as_str(),
        "prefix": charge.row.prefix.to_string(),
        "originPrefix": charge.row.origin_prefix.map(|origin| origin.to_string()),
        "band": charge.row.band.as_deref(),
        "destination": &*charge.row.destination,
        "line": charge.row.line,
        "rounding": charge.rounding.to_string(),
        "bound": bound_name(charge.bound),
    })
}

/// Billed seconds at one price, as JSON.
pub fn part_to_json(part: &Part<'_>) -> Value {
    json!({
        "fromSecond": part.from_second,
        "seconds": part.seconds,
        "pricePerMinute": part.price.to_string(),
        "band": part.band,
        "line": part.row.line,
    })
}
