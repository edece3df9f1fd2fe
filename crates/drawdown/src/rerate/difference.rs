//! What calls cost, and what they would cost: summed by organisation, by row and by who had paid.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;

use drawdown_rating::{Charge, Deck, Product};
use drawdown_units::{Money, Sum, Timestamp};
use drawdown_wire::CallType;
use drawdown_wire::debit::Debit;
use serde_json::{Value, json};

use crate::table::{Align, Table};
use crate::verify::charge::call_of;

/// A debit with the price it would have.
pub struct Priced<'d> {
    pub org: String,
    pub currency: String,
    pub revision: u32,
    pub started: Timestamp,
    pub is_masked: bool,
    pub before: Money,
    pub after: Charge<'d>,
    /// Who paid how much.
    funders: Vec<(String, Money)>,
}

impl<'d> Priced<'d> {
    /// The debit's price by the version of its deck that `decks` have in force; `None` if it is none of what is asked
    /// for. A call that was unrated is priced by the one deck there is.
    pub fn of(debit: &Debit<'_>, decks: &'d [Deck], span: Range<Timestamp>, unrated: bool) -> Option<Self> {
        let started = Timestamp::parse(&debit.call.start_date_time).ok().filter(|started| span.contains(started))?;
        let product = CallType::parse(&debit.call.call_type).and_then(CallType::product)?;
        let id = match (debit.charge.deck.as_deref(), &debit.charge.unrated) {
            (Some(deck), _) => Some(deck),
            (None, Some(_)) if unrated => None,
            (None, _) => return None,
        };
        let deck = in_force(decks, id, started)?;
        let after = price(debit, deck, started, product)?;
        let money = |text: &str| Money::parse(text).unwrap_or_default();
        let paid = debit.funding.iter().filter(|line| !line.is_pool());
        Some(Priced {
            org: debit.org_id.to_string(),
            currency: debit.charge.currency.to_string(),
            revision: debit.revision,
            started,
            is_masked: debit.flags.iter().any(|flag| &**flag == "masked"),
            before: money(&debit.charge.amount),
            after,
            funders: paid.map(|line| (line.kind.to_string(), money(&line.amount))).collect(),
        })
    }

    pub fn differs(&self) -> bool {
        self.before != self.after.amount
    }
}

fn in_force<'d>(decks: &'d [Deck], id: Option<&str>, started: Timestamp) -> Option<&'d Deck> {
    let of_id = decks.iter().filter(|deck| id.is_none_or(|id| deck.id() == id) && deck.effective_from() <= started);
    of_id.max_by_key(|deck| (deck.effective_from(), deck.version()))
}

fn price<'d>(debit: &Debit<'_>, deck: &'d Deck, started: Timestamp, product: Product) -> Option<Charge<'d>> {
    let call = call_of(debit, started, product).ok()?;
    deck.charge(&call).ok()
}

/// Sums of some calls.
#[derive(Debug, Default, Clone, Copy)]
struct Sums {
    calls: u64,
    before: Sum,
    after: Sum,
}

impl Sums {
    fn add(&mut self, priced: &Priced<'_>) {
        self.calls += 1;
        self.before += priced.before;
        self.after += priced.after.amount;
    }

    fn json(&self) -> Value {
        json!({
            "calls": self.calls,
            "before": self.before.to_string(),
            "after": self.after.to_string(),
            "difference": self.after.minus(self.before).to_string(),
        })
    }
}

/// All that was compared.
#[derive(Debug, Default)]
pub struct Differences {
    compared: u64,
    pub differing: u64,
    too_old: u64,
    pub sent: u64,
    by_org: BTreeMap<(String, String), Sums>,
    by_row: BTreeMap<(String, String, String), Sums>,
    by_funder: BTreeMap<(String, String), Sum>,
}

impl Differences {
    /// Counts a call; what started before `oldest` cannot be corrected any more.
    pub fn note(&mut self, priced: &Priced<'_>, oldest: Option<Timestamp>) {
        self.compared += 1;
        if !priced.differs() {
            return;
        }
        self.differing += 1;
        self.too_old += u64::from(oldest.is_some_and(|oldest| priced.started < oldest));
        let row = priced.after.row;
        let row = format!("{} {}", row.prefix, row.destination).trim_end().to_owned();
        let deck = format!("{} version {}", priced.after.deck.id(), priced.after.deck.version());
        let currency = || priced.currency.clone();
        self.by_org.entry((priced.org.clone(), currency())).or_default().add(priced);
        self.by_row.entry((deck, row, currency())).or_default().add(priced);
        for (funder, amount) in &priced.funders {
            *self.by_funder.entry((funder.clone(), currency())).or_default() += *amount;
        }
    }

    pub fn write_text(&self, out: &mut impl Write, is_applied: bool) -> io::Result<()> {
        writeln!(out, "{} calls compared, {} cost something else", self.compared, self.differing)?;
        let figures =
            [("calls", Align::Right), ("before", Align::Right), ("after", Align::Right), ("difference", Align::Right)];
        let mut by_org = Table::new(&[&[("organisation", Align::Left), ("", Align::Left)][..], &figures[..]].concat());
        for ((org, currency), sums) in &self.by_org {
            by_org.row(cells([org, currency], sums));
        }
        let mut by_row = Table::new(&[&[("row", Align::Left), ("", Align::Left)][..], &figures[..]].concat());
        for ((deck, row, currency), sums) in &self.by_row {
            by_row.row(cells([&format!("{deck}: {row}"), currency], sums));
        }
        let mut by_funder = Table::new(&[("funder", Align::Left), ("", Align::Left), ("taken back", Align::Right)]);
        for ((funder, currency), sum) in &self.by_funder {
            by_funder.row([funder.clone(), currency.clone(), sum.to_string()]);
        }
        if self.differing > 0 {
            by_org.write(out, "")?;
            by_row.write(out, "")?;
            by_funder.write(out, "")?;
        }
        if self.too_old > 0 {
            writeln!(out, "{} started before the de-duplication window: use an adjustment", self.too_old)?;
        }
        match (is_applied, self.differing) {
            (true, _) => writeln!(out, "{} corrections sent", self.sent),
            (false, 0) => Ok(()),
            (false, _) => writeln!(out, "nothing is booked yet: publish the deck, then --apply"),
        }
    }

    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let merged = |mut value: Value, sums: &Sums| {
            if let (Value::Object(value), Value::Object(sums)) = (&mut value, sums.json()) {
                value.extend(sums);
            }
            value
        };
        let by_org =
            self.by_org.iter().map(|((org, currency), sums)| merged(json!({"orgId": org, "currency": currency}), sums));
        let by_row = self
            .by_row
            .iter()
            .map(|((deck, row, currency), sums)| merged(json!({"deck": deck, "row": row, "currency": currency}), sums));
        let by_funder = self.by_funder.iter().map(
            |((funder, currency), sum)| json!({"funder": funder, "currency": currency, "takenBack": sum.to_string()}),
        );
        let report = json!({
            "compared": self.compared,
            "differing": self.differing,
            "tooOld": self.too_old,
            "byOrganisation": by_org.collect::<Vec<_>>(),
            "byRow": by_row.collect::<Vec<_>>(),
            "byFunder": by_funder.collect::<Vec<_>>(),
            "sent": self.sent,
        });
        writeln!(out, "{report}")
    }
}

fn cells([name, currency]: [&str; 2], sums: &Sums) -> [String; 6] {
    let difference = sums.after.minus(sums.before);
    [
        name.to_owned(),
        currency.to_owned(),
        sums.calls.to_string(),
        sums.before.to_string(),
        sums.after.to_string(),
        difference.to_string(),
    ]
}
