//! Reading the values of a line: each as what it must be, or a flaw that names its field.

use std::fmt::Display;

use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::Text;
use drawdown_wire::event::{AccountEvent, LotDraw};

use super::{Entry, Line, NewLot, Payer, Read};
use crate::verify::findings::Flaw;

/// Reads values, keeping what is wrong with them.
#[derive(Default)]
pub struct Fields {
    pub flaws: Vec<Flaw>,
}

impl Fields {
    pub fn into_read(self, entry: Option<Entry>, org: &str) -> Read {
        let org = if entry.is_none() { org.into() } else { Box::default() };
        Read { entry, flaws: self.flaws, org }
    }

    pub fn need<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.flaws.push(Flaw::new(field, "a value", "nothing"));
        }
        value
    }

    pub fn read<T, E: Display>(&mut self, field: &str, text: &str, read: Result<T, E>) -> Option<T> {
        read.map_err(|error| {
            self.flaws.push(Flaw::new(field, "a value that can be read", format_args!("{text:?}: {error}")))
        })
        .ok()
    }

    pub fn text(&mut self, field: &str, text: Option<&Text<'_>>) -> Option<Box<str>> {
        self.need(field, text).map(|text| (&**text).into())
    }

    pub fn money(&mut self, field: &str, text: Option<&Text<'_>>) -> Option<Money> {
        let text = self.need(field, text)?;
        self.read(field, text, Money::parse(text))
    }

    pub fn time(&mut self, field: &str, text: Option<&Text<'_>>) -> Option<Timestamp> {
        let text = self.need(field, text)?;
        self.read(field, text, Timestamp::parse(text))
    }

    pub fn currency(&mut self, text: Option<&Text<'_>>) -> Option<Currency> {
        let text = self.need("currency", text)?;
        self.read("currency", text, Currency::parse(text).ok_or("no currency"))
    }

    /// Whether the mode is post-usage.
    pub fn mode(&mut self, text: Option<&Text<'_>>) -> Option<bool> {
        let text = self.need("mode", text)?;
        match &**text {
            "prepaid" => Some(false),
            "postUsage" => Some(true),
            other => {
                self.flaws.push(Flaw::new("mode", "prepaid or postUsage", other));
                None
            }
        }
    }

    pub fn lot(&mut self, event: &AccountEvent<'_>) -> Option<NewLot> {
        let amount = self.money("amount", event.amount.as_ref())?;
        if !amount.is_positive() {
            self.flaws.push(Flaw::new("amount", "an amount above 0", amount));
        }
        Some(NewLot {
            id: self.text("lotId", event.lot_id.as_ref())?,
            amount,
            purchased: self.time("purchasedAt", event.purchased_at.as_ref())?,
            expires: self.time("expiresAt", event.expires_at.as_ref())?,
        })
    }

    pub fn draw(&mut self, index: usize, draw: &LotDraw<'_>) -> Option<Line> {
        let payer = Some(Payer::Lot((&*draw.lot_id).into()));
        self.line("lots", index, payer, [&draw.amount, &draw.before, &draw.after])
    }

    /// A line whose `before` and `after` differ by its amount: down for a lot, up for what accrues.
    pub fn line(&mut self, list: &str, index: usize, payer: Option<Payer>, figures: [&Text<'_>; 3]) -> Option<Line> {
        let [amount, before, after] = figures;
        let amount = self.figure(list, index, "amount", amount);
        let before = self.figure(list, index, "before", before);
        let after = self.figure(list, index, "after", after);
        let (payer, amount, before, after) = (payer?, amount?, before?, after?);
        let expected = if matches!(payer, Payer::Lot(_)) { before.minus(amount) } else { before.plus(amount) };
        if after != expected {
            self.flaws.push(Flaw::new(format_args!("{list}[{index}].after"), expected, after));
        }
        if !amount.is_positive() || after.is_negative() {
            let found = format!("{amount}, leaving {after}");
            self.flaws.push(Flaw::new(format_args!("{list}[{index}].amount"), "above 0, leaving 0 or more", found));
        }
        Some(Line { payer, amount, before, after, returned: None })
    }

    /// A line of a reversal: the payer gets its amount back, or less, where the rest went to a new lot.
    pub fn reversed_line(
        &mut self,
        index: usize,
        payer: Option<Payer>,
        figures: [&Text<'_>; 3],
        returned_to: Option<&Text<'_>>,
    ) -> Option<Line> {
        let [amount, before, after] = figures;
        let amount = self.figure("funding", index, "amount", amount);
        let before = self.figure("funding", index, "before", before);
        let after = self.figure("funding", index, "after", after);
        let (payer, amount, before, after) = (payer?, amount?, before?, after?);
        let back = if matches!(payer, Payer::Lot(_)) { after.minus(before) } else { before.minus(after) };
        let returned = amount.negated().minus(back);
        if !amount.is_negative() || back.is_negative() || returned.is_negative() {
            let found = format!("{amount}, of which {back} went back");
            self.flaws.push(Flaw::new(
                format_args!("funding[{index}].amount"),
                "below 0, and no more went back",
                found,
            ));
        }
        if returned.is_positive() != returned_to.is_some() {
            let found = returned_to.map_or("none", |lot| &**lot);
            let expected = if returned.is_positive() { "a lot of what did not go back" } else { "none" };
            self.flaws.push(Flaw::new(format_args!("funding[{index}].returnedTo"), expected, found));
        }
        let returned = returned_to.map(|lot| ((&**lot).into(), returned));
        Some(Line { payer, amount, before, after, returned })
    }

    /// The name of the field is put together only where it is needed.
    fn figure(&mut self, list: &str, index: usize, part: &str, text: &Text<'_>) -> Option<Money> {
        match Money::parse(text) {
            Ok(money) => Some(money),
            Err(_) => self.money(&format!("{list}[{index}].{part}"), Some(text)),
        }
    }
}
