//! The charge of a debit: whether it follows from its own figures, and, with the deck, from the call alone.

use drawdown_rating::{
    Bound, Call, Called, Charge, Deck, ExactAmount, Number, Product, Rounding, RoundingMode, Uncharged,
};
use drawdown_units::{Money, Price, Timestamp};
use drawdown_wire::CallType;
use drawdown_wire::debit::Debit;

use super::findings::Flaw;

/// What became of computing a charge anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Recomputed {
    /// No deck was given.
    #[default]
    NotAsked,
    /// Nothing was charged, so no deck was asked.
    Nothing,
    /// It was computed anew; what differs is a flaw.
    Done,
}

/// Why a call may cost nothing although its kind could.
const FREE_FLAGS: [&str; 6] = ["emergency", "internal", "short-code", "toll-number", "included", "dial-out-add-on"];

/// Checks the charge of a debit by itself, and by its deck if decks are given.
pub fn check(
    debit: &Debit<'_>,
    amount: Money,
    started: Timestamp,
    decks: &[Deck],
    flaws: &mut Vec<Flaw>,
) -> Recomputed {
    if debit.reverses.is_some() {
        // It has no price of its own: what it takes back is in its funding.
        return Recomputed::Nothing;
    }
    check_rest(debit, flaws);
    let call_type = CallType::parse(&debit.call.call_type);
    if call_type.is_none() {
        flaws.push(Flaw::new("call.callType", "a call type", &*debit.call.call_type));
    }
    if debit.charge.price_per_minute.is_none() {
        check_unpriced(debit, amount, call_type, flaws);
        return if decks.is_empty() { Recomputed::NotAsked } else { Recomputed::Nothing };
    }
    let product = call_type.and_then(CallType::product).map_or("none", Product::as_str);
    if debit.charge.product.as_deref() != Some(product) {
        flaws.push(Flaw::new("charge.product", product, debit.charge.product.as_deref().unwrap_or("none")));
    }
    check_sum(debit, amount, flaws);
    if decks.is_empty() {
        return Recomputed::NotAsked;
    }
    match deck_of(debit, decks) {
        Ok(deck) => match recompute(debit, started, deck) {
            Ok(charge) => flaws.extend(differences(debit, &charge)),
            Err(flaw) => flaws.push(flaw),
        },
        Err(flaw) => flaws.push(flaw),
    }
    Recomputed::Done
}

/// What is rated of a call is what minutes of a pool leave of it (boundaries.md P1).
fn check_rest(debit: &Debit<'_>, flaws: &mut Vec<Flaw>) {
    let covered: i64 =
        debit.funding.iter().filter_map(|line| line.minutes).map(|minutes| minutes.saturating_mul(60)).sum();
    let rest = i64::from(debit.call.duration).saturating_sub(covered);
    let expected = (covered > 0 && rest > 0).then_some(rest);
    let found = debit.charge.rated_seconds.map(i64::from);
    if found != expected {
        let told = |rest: Option<i64>| rest.map_or_else(|| "none".to_owned(), |rest| rest.to_string());
        flaws.push(Flaw::new("charge.ratedSeconds", told(expected), told(found)));
    }
    let is_included = debit.flags.iter().any(|flag| &**flag == "included");
    if is_included != (covered > 0 && rest <= 0) {
        let (expected, found) = if is_included { ("not to be there", "included") } else { ("included", "not there") };
        flaws.push(Flaw::new("flags", expected, found));
    }
}

fn check_unpriced(debit: &Debit<'_>, amount: Money, call_type: Option<CallType>, flaws: &mut Vec<Flaw>) {
    if !amount.is_zero() {
        flaws.push(Flaw::new("charge.amount", "0.00 where there is no price", amount));
    }
    let is_flagged = |name: &str| debit.flags.iter().any(|flag| &**flag == name);
    let is_unrated = debit.charge.unrated.is_some();
    if is_unrated != is_flagged("unrated") {
        let expected = "charge.unrated and the flag together";
        flaws.push(Flaw::new("flags", expected, if is_unrated { "only charge.unrated" } else { "only the flag" }));
    }
    let is_free_kind = call_type.is_some_and(|call_type| call_type.product().is_none());
    if !is_unrated && !is_free_kind && !FREE_FLAGS.into_iter().any(is_flagged) {
        flaws.push(Flaw::new("charge", "a price, or a flag that says why there is none", "neither"));
    }
}

/// fee + price × seconds ÷ 60, rounded, is the amount, unless several prices or a bound of the row had a part in it.
fn check_sum(debit: &Debit<'_>, amount: Money, flaws: &mut Vec<Flaw>) {
    let Some((sum, rounding)) = sum_of(debit) else {
        flaws.push(Flaw::new(
            "charge",
            "connectionFee, pricePerMinute, billableSeconds and rounding",
            "not all of them",
        ));
        return;
    };
    let charge = &debit.charge;
    let has_other_parts = charge.compound || charge.bound.is_some();
    if has_other_parts || sum.rounded(rounding) == Some(amount) {
        return;
    }
    let expected = sum.rounded(rounding).map_or_else(|| "an amount below 10^12".to_owned(), |it| it.to_string());
    flaws.push(Flaw::new("charge.amount", format_args!("{expected} by its fee, price and seconds"), amount));
}

/// Fee and time of a debit by its own figures, before bounds and rounding, and how it is rounded.
pub fn sum_of(debit: &Debit<'_>) -> Option<(ExactAmount, Rounding)> {
    let charge = &debit.charge;
    let fee = Money::parse(charge.connection_fee.as_deref()?).ok().filter(|fee| !fee.is_negative())?;
    let price = Price::parse(charge.price_per_minute.as_deref()?).ok()?;
    let (mode, decimals) = charge.rounding.as_deref()?.split_once('/')?;
    let rounding = Rounding { mode: RoundingMode::parse(mode)?, decimals: decimals.parse().ok()? };
    let sum = ExactAmount::of_money(fee).plus(ExactAmount::of_time(price, charge.billable_seconds?));
    Some((sum, rounding))
}

/// The deck that a debit names.
///
/// # Errors
/// It is none of `decks`.
pub fn deck_of<'d>(debit: &Debit<'_>, decks: &'d [Deck]) -> Result<&'d Deck, Flaw> {
    let (id, version) = (debit.charge.deck.as_deref().unwrap_or("none"), debit.charge.deck_version.unwrap_or(0));
    decks
        .iter()
        .find(|deck| deck.id() == id && deck.version() == version)
        .ok_or_else(|| Flaw::new("charge.deck", "one of the decks given", format_args!("{id} version {version}")))
}

/// The product that a priced debit names.
///
/// # Errors
/// It names none.
pub fn product_of(debit: &Debit<'_>) -> Result<Product, Flaw> {
    let product = debit.charge.product.as_deref().and_then(Product::parse);
    product.ok_or_else(|| Flaw::new("charge.product", "a product", "none"))
}

/// The call that a debit was written for.
///
/// # Errors
/// What of it cannot be read.
pub fn call_of(debit: &Debit<'_>, started: Timestamp, product: Product) -> Result<Call, Flaw> {
    let number = |field: &str, digits: &str| {
        Number::from_digits(digits.as_bytes()).ok_or_else(|| Flaw::new(field, "1 to 15 digits", digits))
    };
    let called =
        debit.call.called.as_deref().ok_or_else(|| Flaw::new("call.called", "the number called", "nothing"))?;
    let caller = match (debit.call.caller.as_deref(), debit.call.caller_number.as_deref()) {
        (Some(digits), _) => Some(number("call.caller", digits)?),
        (None, text) => text.and_then(Number::parse_clean),
    };
    Ok(Call {
        product,
        called: Called {
            number: number("call.called", called)?,
            masked: debit.flags.iter().any(|flag| &**flag == "masked"),
        },
        caller,
        start: started,
        seconds: debit.charge.rated_seconds.unwrap_or(debit.call.duration),
    })
}

/// What the call of a debit costs by `deck`.
///
/// # Errors
/// The deck has no price for it, or it cannot be read.
pub fn recompute<'d>(debit: &Debit<'_>, started: Timestamp, deck: &'d Deck) -> Result<Charge<'d>, Flaw> {
    let call = call_of(debit, started, product_of(debit)?)?;
    deck.charge(&call).map_err(|why| match why {
        Uncharged::NoRow => Flaw::new("charge", "no charge: the deck has no row for this call", &*debit.charge.amount),
        Uncharged::TooLarge => Flaw::new("charge", "no charge: beyond 10^12 units", &*debit.charge.amount),
    })
}

/// Where the charge of a debit is not the one computed anew.
pub fn differences(debit: &Debit<'_>, charge: &Charge<'_>) -> Vec<Flaw> {
    let (found, row) = (&debit.charge, charge.row);
    let mut flaws = Vec::new();
    let mut texts = |field: &str, expected: &str, found: Option<&str>| {
        if found.unwrap_or_default() != expected {
            flaws.push(Flaw::new(
                format_args!("charge.{field}"),
                or_none(expected),
                or_none(found.unwrap_or_default()),
            ));
        }
    };
    let money_differs = |expected: Money, found: Option<&str>| found.map(Money::parse) != Some(Ok(expected));
    if money_differs(charge.amount, Some(&found.amount)) {
        texts("amount", &charge.amount.to_string(), Some(&found.amount));
    }
    if money_differs(charge.connection_fee, found.connection_fee.as_deref()) {
        texts("connectionFee", &charge.connection_fee.to_string(), found.connection_fee.as_deref());
    }
    if found.price_per_minute.as_deref().map(Price::parse) != Some(Ok(row.price)) {
        texts("pricePerMinute", &row.price.to_string(), found.price_per_minute.as_deref());
    }
    let mut digits = [0; Number::DIGITS_MAX];
    let mut numbers = |field: &str, expected: Option<Number>, found: Option<&str>| {
        let expected = expected.map_or(&b""[..], |number| number.write_digits(&mut digits));
        texts(field, std::str::from_utf8(expected).unwrap_or_default(), found);
    };
    numbers("prefix", Some(row.prefix), found.prefix.as_deref());
    numbers("originPrefix", row.origin_prefix, found.origin_prefix.as_deref());
    texts("currency", charge.deck.currency().as_str(), Some(&found.currency));
    texts("band", row.band.as_deref().unwrap_or_default(), found.band.as_deref());
    texts("destination", &row.destination, found.destination.as_deref());
    texts("bound", bound_name(charge.bound), found.bound.as_deref());
    let rounding = found.rounding.as_deref().and_then(|text| text.split_once('/'));
    let same_rounding = rounding.is_some_and(|(mode, decimals)| {
        mode == charge.rounding.mode.as_str() && decimals.parse() == Ok(charge.rounding.decimals)
    });
    if !same_rounding {
        texts("rounding", &charge.rounding.to_string(), found.rounding.as_deref());
    }
    if found.billable_seconds != Some(charge.billable_seconds) {
        let seconds = found.billable_seconds.map(|seconds| seconds.to_string());
        texts("billableSeconds", &charge.billable_seconds.to_string(), seconds.as_deref());
    }
    if found.line != Some(row.line) {
        texts("line", &row.line.to_string(), found.line.map(|line| line.to_string()).as_deref());
    }
    if found.compound != charge.is_compound {
        texts("compound", &charge.is_compound.to_string(), Some(&found.compound.to_string()));
    }
    flaws
}

fn bound_name(bound: Bound) -> &'static str {
    match bound {
        Bound::None => "",
        Bound::Minimum => "minimum",
        Bound::Maximum => "maximum",
    }
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "none" } else { text }
}
