//! The debit: what one call cost, who paid, and why. Written by hand for speed, read back by [`read`].

mod read;
mod reversal;

use drawdown_ledger::effects::{Debited, FundingLine, FundingSource, PoolLine};
use drawdown_ledger::lots::Lot;
use drawdown_rating::{Bound, Charge, Deck, Number, Row};
use drawdown_units::{Currency, Money};

use crate::cdr::{Callee, Cdr};
use crate::flags::Flags;
use crate::json::{Writer, key};

pub use read::{Call, ChargeRead, Debit, Funding, Reverses, read};
pub use reversal::{Original, ReversalLine, Sought};

/// How a call was priced.
#[derive(Debug, Clone, Copy)]
pub enum Pricing<'d> {
    /// By a row of a deck.
    Charged(Charge<'d>),
    /// Nothing is charged for such a call: a flag says why, and the line of a pool where minutes paid for it.
    Free,
    /// No price was found; the call can be re-rated.
    Unrated(Unrated),
}

/// Why no price was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrated {
    /// No row of the deck is for this number.
    NoRow,
    /// No version of the deck that stands is in force when the call starts (boundaries.md C5).
    NoDeck,
    /// The rate plan does not sell this product.
    NotSold,
    /// Every digit is masked (boundaries.md N2).
    NothingVisible,
    /// A short code that the numbering plan does not call free: no deck prices those.
    ShortCode,
}

impl Unrated {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Unrated::NoRow => "no-row",
            Unrated::NoDeck => "no-deck",
            Unrated::NotSold => "not-sold",
            Unrated::NothingVisible => "nothing-visible",
            Unrated::ShortCode => "short-code",
        }
    }
}

/// Everything a debit says.
#[derive(Debug)]
pub struct DebitLine<'a, 'd> {
    /// The record.
    pub cdr: &'a Cdr<'a>,
    /// Its price.
    pub pricing: Pricing<'d>,
    /// The account's currency.
    pub currency: Currency,
    /// Place, time and balance.
    pub debited: Debited,
    /// The minutes it drew from a pool.
    pub pool: Option<&'a PoolLine>,
    /// Who paid.
    pub funding: &'a [FundingLine],
    /// The account's lots, which funding lines point into.
    pub lots: &'a [Lot],
    /// Everything noticed on the way.
    pub flags: Flags,
}

impl DebitLine<'_, '_> {
    /// Appends the debit as one line of JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.reserve(1024);
        let cdr = self.cdr;
        let mut json = Writer::new(out);
        json.carried("{\"schemaVersion\":1,\"type\":\"debit\",\"id\":", &cdr.id, cdr.has_plain_identity);
        json.carried(key!("source"), &cdr.source, cdr.has_plain_identity);
        json.integer(key!("revision"), cdr.revision);
        json.carried(key!("orgId"), &cdr.org, cdr.has_plain_identity);
        json.integer(key!("seq"), self.debited.seq);
        json.time(key!("at"), self.debited.at);
        self.write_call(&mut json);
        self.write_charge(&mut json);
        self.write_funding(&mut json);
        json.money(key!("balanceAfter"), self.debited.balance_after);
        json.list(key!("flags"), self.flags.names(), |json, name| json.plain("", name));
        json.raw("}\n");
    }

    fn write_call(&self, json: &mut Writer<'_>) {
        let (cdr, text) = (self.cdr, &self.cdr.text);
        json.raw(",\"call\":{");
        if text.runs.is_empty() {
            self.write_carried(json);
        }
        for (index, run) in text.runs.iter().enumerate() {
            json.raw(if index == 0 { "" } else { "," });
            json.raw(run);
        }
        let held = text.runs.held();
        if !held.start_date_time {
            json.time(key!("startDateTime"), cdr.start);
        }
        if let Some(end) = cdr.end.filter(|_| !held.end_date_time) {
            json.time(key!("endDateTime"), end);
        }
        if !held.duration {
            json.integer(key!("duration"), cdr.seconds);
        }
        if let Callee::Number { number, .. } = cdr.callee {
            json.number(key!("called"), number);
        }
        // Who called is read from `callerNumber` wherever there are runs: it says the same.
        let is_said = |caller: Number| !text.runs.is_empty() || is_clean_form_of(text.caller_number.as_deref(), caller);
        if let Some(caller) = cdr.caller.filter(|caller| !is_said(*caller)) {
            json.number(key!("caller"), caller);
        }
        json.optional(key!("upstreamCharge"), text.upstream_charge.as_deref());
        json.optional(key!("upstreamConnectionCharge"), text.upstream_connection_charge.as_deref());
        json.optional(key!("upstreamCurrency"), text.upstream_currency.as_deref());
        json.raw("}");
    }

    /// The fields that [`crate::cdr::Runs`] stands for, in the order of Microsoft's reference.
    fn write_carried(&self, json: &mut Writer<'_>) {
        let text = &self.cdr.text;
        json.carried("\"callType\":", &text.call_type, text.is_plain);
        for (key, value) in [
            (key!("callId"), &text.call_id),
            (key!("userId"), &text.user_id),
            (key!("userPrincipalName"), &text.user_principal_name),
            (key!("userDisplayName"), &text.user_display_name),
            (key!("calleeNumber"), &text.callee_number),
            (key!("usageCountryCode"), &text.usage_country_code),
            (key!("tenantCountryCode"), &text.tenant_country_code),
            (key!("callerNumber"), &text.caller_number),
            (key!("destinationContext"), &text.destination_context),
            (key!("destinationName"), &text.destination_name),
            (key!("conferenceId"), &text.conference_id),
            (key!("licenseCapability"), &text.license_capability),
            (key!("inventoryType"), &text.inventory_type),
            (key!("operator"), &text.operator),
            (key!("callDurationSource"), &text.call_duration_source),
        ] {
            if let Some(value) = value {
                json.carried(key, value, text.is_plain);
            }
        }
    }

    fn write_charge(&self, json: &mut Writer<'_>) {
        let amount = match &self.pricing {
            Pricing::Charged(charge) => charge.amount,
            Pricing::Free | Pricing::Unrated(_) => Money::ZERO,
        };
        json.money(",\"charge\":{\"amount\":", amount);
        json.plain(key!("currency"), self.currency.as_str());
        match &self.pricing {
            Pricing::Charged(charge) => write_row(json, charge, self.rated_seconds()),
            Pricing::Unrated(why) => {
                self.rated_seconds().into_iter().for_each(|rest| json.integer(key!("ratedSeconds"), rest));
                json.plain(key!("unrated"), why.name());
            }
            Pricing::Free => {}
        }
        json.raw("}");
    }

    /// What is left of a call that a pool covers in part (boundaries.md P1).
    fn rated_seconds(&self) -> Option<i64> {
        let covered = self.pool?.minutes.saturating_mul(60);
        Some(i64::from(self.cdr.seconds).saturating_sub(covered)).filter(|rest| *rest > 0)
    }

    fn write_funding(&self, json: &mut Writer<'_>) {
        json.raw(",\"funding\":[");
        if let Some(pool) = self.pool {
            write_pool(json, pool);
        }
        for (index, line) in self.funding.iter().enumerate() {
            if index > 0 || self.pool.is_some() {
                json.raw(",");
            }
            json.plain("{\"type\":", line.source.name());
            if let FundingSource::Lot(index) = line.source {
                json.text(key!("lotId"), &self.lots[index as usize].id);
            }
            json.money(key!("amount"), line.amount);
            json.money(key!("before"), line.before);
            json.money(key!("after"), line.after);
            json.raw("}");
        }
        json.raw("]");
    }
}

fn write_pool(json: &mut Writer<'_>, line: &PoolLine) {
    json.text("{\"type\":\"pool\",\"pool\":", &line.pool);
    json.plain(key!("use"), line.of.name());
    json.month(key!("month"), line.month);
    json.integer(key!("minutes"), line.minutes);
    json.integer(key!("before"), line.before);
    json.integer(key!("after"), line.after);
    json.integer(key!("size"), line.size);
    json.raw("}");
}

fn write_row(json: &mut Writer<'_>, charge: &Charge<'_>, rated_seconds: Option<i64>) {
    json.money(key!("connectionFee"), charge.connection_fee);
    json.integer(key!("billableSeconds"), charge.billable_seconds);
    rated_seconds.into_iter().for_each(|rest| json.integer(key!("ratedSeconds"), rest));
    json.raw(charge.row.as_written.get_or_make(|| text_of_row(charge.deck, charge.row)));
    match charge.bound {
        Bound::None => {}
        Bound::Minimum => json.plain(key!("bound"), "minimum"),
        Bound::Maximum => json.plain(key!("bound"), "maximum"),
    }
    if charge.is_compound {
        json.boolean(key!("compound"), true);
    }
}

/// What every charge by a row says of it.
fn text_of_row(deck: &Deck, row: &Row) -> String {
    let mut text = Vec::new();
    let mut json = Writer::new(&mut text);
    json.price(key!("pricePerMinute"), row.price);
    json.text(key!("deck"), deck.id());
    json.integer(key!("deckVersion"), deck.version());
    json.plain(key!("product"), row.product.as_str());
    json.number(key!("prefix"), row.prefix);
    if let Some(origin) = row.origin_prefix {
        json.number(key!("originPrefix"), origin);
    }
    json.optional(key!("band"), row.band.as_deref());
    json.text(key!("destination"), &row.destination);
    json.integer(key!("line"), row.line);
    json.raw(",\"rounding\":\"");
    json.raw(deck.rounding().mode.as_str());
    json.integer("/", deck.rounding().decimals);
    json.raw("\"");
    String::from_utf8(text).expect("invariant: texts and digits are UTF-8")
}

fn is_clean_form_of(text: Option<&str>, number: Number) -> bool {
    text.and_then(Number::parse_clean) == Some(number)
}
