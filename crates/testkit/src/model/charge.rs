//! From a call to its price: the deck in force, the row by brute force, the sum increment by increment.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::deck::{ModelDeck, ModelPlan, Row};
use super::money;
use super::names::unrated;

/// Everything that is sold.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    pub decks: Vec<ModelDeck>,
    pub plans: Vec<ModelPlan>,
}

/// What rating needs of a call.
pub struct Call<'a> {
    pub product: &'a str,
    /// The visible digits of the called number.
    pub called: &'a str,
    /// The visible digits of the caller; empty when unknown.
    pub caller: &'a str,
    pub start: Timestamp,
    pub seconds: u64,
}

/// A call that found its row.
pub struct Priced<'a> {
    pub deck: &'a ModelDeck,
    pub row: &'a Row,
    pub amount: Decimal,
    pub fee: Decimal,
    pub billable_s: u64,
    pub bound: Option<&'static str>,
}

impl Rates {
    /// The currency a plan is sold in; `None` for a plan nobody knows.
    pub fn plan_currency(&self, plan: &str) -> Option<&str> {
        if self.single_deck_is_every_plan() {
            return self.decks.first().map(|deck| deck.currency.as_str());
        }
        self.plans.iter().find(|known| known.id == plan).map(|known| known.currency.as_str())
    }

    /// The deck that serves a product at a call's start: the latest one in force, the higher version of two that
    /// begin together (C4).
    pub fn deck(&self, plan: &str, product: &str, start: Timestamp) -> Result<&ModelDeck, &'static str> {
        let id = self.deck_id(plan, product).ok_or(unrated::NOT_SOLD)?;
        let in_force = self.decks.iter().filter(|deck| deck.id == id && deck.effective_from <= start);
        in_force.max_by_key(|deck| (deck.effective_from, deck.version)).ok_or(unrated::NO_DECK)
    }

    /// Prices a call, or says why it has no price.
    pub fn price(&self, plan: &str, call: &Call<'_>) -> Result<Priced<'_>, &'static str> {
        let deck = self.deck(plan, call.product, call.start)?;
        let row = find_row(deck, call, call.start).ok_or(unrated::NO_ROW)?;
        if call.seconds == 0 {
            let nothing = Decimal::ZERO;
            return Ok(Priced { deck, row, amount: nothing, fee: nothing, billable_s: 0, bound: None });
        }
        let billable_s = billable_seconds(row, call.seconds);
        let sum = row.fee * Decimal::from(60) + usage_sixtieths(deck, row, call, billable_s);
        let (bounded, bound) = apply_bounds(row, sum);
        let amount = money::round_sixtieths(bounded, deck.mode, deck.decimals);
        Ok(Priced { deck, row, amount, fee: row.fee, billable_s, bound })
    }

    /// Whether the row a call is rated by is marked as premium (U20).
    pub fn is_premium(&self, plan: &str, call: &Call<'_>) -> bool {
        let deck = self.deck(plan, call.product, call.start);
        deck.is_ok_and(|deck| find_row(deck, call, call.start).is_some_and(|row| row.premium))
    }

    /// Whether a longer row could match under the mask (N1).
    pub fn is_uncertain(&self, plan: &str, call: &Call<'_>) -> bool {
        let Ok(deck) = self.deck(plan, call.product, call.start) else { return false };
        let hidden = |row: &Row| row.prefix.len() > call.called.len() && row.prefix.starts_with(call.called);
        deck.rows.iter().any(|row| row.product == call.product && hidden(row))
    }

    fn single_deck_is_every_plan(&self) -> bool {
        self.plans.is_empty() && self.decks.windows(2).all(|pair| pair[0].id == pair[1].id)
    }

    fn deck_id(&self, plan: &str, product: &str) -> Option<&str> {
        if self.single_deck_is_every_plan() {
            return self.decks.first().map(|deck| deck.id.as_str());
        }
        let plan = self.plans.iter().find(|known| known.id == plan)?;
        plan.products.get(product).map(String::as_str)
    }
}

/// Longest destination first, then the longest origin among its rows (N6), then the band, else the row without one
/// (C7).
fn find_row<'d>(deck: &'d ModelDeck, call: &Call<'_>, at: Timestamp) -> Option<&'d Row> {
    let matching = |row: &&Row| row.product == call.product && call.called.starts_with(row.prefix.as_str());
    let longest = deck.rows.iter().filter(matching).map(|row| row.prefix.len()).max()?;
    let mut rows: Vec<&Row> = deck.rows.iter().filter(matching).filter(|row| row.prefix.len() == longest).collect();

    rows.retain(|row| row.origin.as_deref().is_none_or(|origin| call.caller.starts_with(origin)));
    let nearest = rows.iter().map(|row| origin_length(row)).max()?;
    rows.retain(|row| origin_length(row) == nearest);

    let band = deck.bands.as_ref().and_then(|bands| bands.at(at));
    let in_band = rows.iter().find(|row| row.band.is_some() && row.band.as_deref() == band);
    in_band.or_else(|| rows.iter().find(|row| row.band.is_none())).copied()
}

/// 0 for a row without an origin, so that any origin is nearer.
fn origin_length(row: &Row) -> usize {
    row.origin.as_ref().map_or(0, String::len)
}

fn billable_seconds(row: &Row, seconds: u64) -> u64 {
    row.initial_s + seconds.saturating_sub(row.initial_s).div_ceil(row.increment_s) * row.increment_s
}

/// Σ price × seconds of each increment, in sixtieths. Increments run from the call's start; each takes the price of
/// the band (of a deck that splits, C9) and of the tier in which it begins.
fn usage_sixtieths(deck: &ModelDeck, row: &Row, call: &Call<'_>, billable_s: u64) -> Decimal {
    let splits = deck.bands.as_ref().is_some_and(|bands| bands.split);
    if !splits && row.tiers.len() == 1 {
        return row.tiers[0].1 * Decimal::from(billable_s);
    }
    let mut sum = Decimal::ZERO;
    let mut offset_s = 0;
    while offset_s < billable_s {
        let length_s = if offset_s == 0 && row.initial_s > 0 { row.initial_s } else { row.increment_s };
        let begins = call.start + SignedDuration::from_secs(i64::try_from(offset_s).expect("a call of seconds"));
        let priced_by = if splits { find_row(deck, call, begins).unwrap_or(row) } else { row };
        sum += tier_price(priced_by, offset_s) * Decimal::from(length_s);
        offset_s += length_s;
    }
    sum
}

fn tier_price(row: &Row, offset_s: u64) -> Decimal {
    let begun = row.tiers.iter().filter(|(from, _)| *from <= offset_s);
    begun.max_by_key(|(from, _)| *from).expect("the first tier begins at 0").1
}

/// Minimum first, then maximum; both bound the whole charge, fee included (C2).
fn apply_bounds(row: &Row, sixtieths: Decimal) -> (Decimal, Option<&'static str>) {
    let sixty = Decimal::from(60);
    let mut bounded = (sixtieths, None);
    if bounded.0 < row.minimum * sixty {
        bounded = (row.minimum * sixty, Some("minimum"));
    }
    if let Some(maximum) = row.maximum
        && bounded.0 > maximum * sixty
    {
        bounded = (maximum * sixty, Some("maximum"));
    }
    bounded
}
