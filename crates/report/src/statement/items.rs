//! What happened in the month that was no call: money that came and went, invoices, sums stated for invoicing.

use drawdown_units::{Money, Timestamp};

use crate::account::Entry;
use crate::fault::Fault;
use crate::line::Event;

/// One movement of money that was no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Place among the organisation's debits and events.
    pub seq: u64,
    /// When it was booked.
    pub at: Timestamp,
    /// The event's name.
    pub kind: String,
    /// The lot, where it is one.
    pub lot: Option<String>,
    /// Above nothing; below only of an adjustment.
    pub amount: Money,
    /// Its reference, reason or recharge.
    pub note: Option<String>,
}

/// An invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invoice {
    /// When it was issued.
    pub at: Timestamp,
    /// Its number.
    pub invoice: u64,
    /// What for.
    pub recharge: String,
    /// How much.
    pub amount: Money,
}

/// A statement of post-usage charges, for invoicing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostUsage {
    /// When it was made.
    pub at: Timestamp,
    /// The month it is of.
    pub month: String,
    /// Accrued since the one before; below nothing where more was taken back.
    pub amount: Money,
}

/// What happened that was no call, in its order.
#[derive(Debug, Default)]
pub struct Items {
    /// Movements of money into and out of lots. Settlements of overdraft are in the flows only: there may be many.
    pub movements: Vec<Item>,
    /// Invoices.
    pub invoices: Vec<Invoice>,
    /// Post-usage charges that were stated in the month; those of the month itself are stated in the next.
    pub post_usage: Vec<PostUsage>,
}

impl Items {
    pub(super) fn note(&mut self, event: &Event<'_>, entry: &Entry<'_>) -> Result<(), Fault> {
        let place = entry.place;
        let amount = || place.need_money("amount", event.amount.as_ref());
        match &*event.kind {
            "FundsAdded" | "RechargeSucceeded" | "Adjusted" | "FundsReturned" | "LotForfeited" | "LotRefunded" => {
                let note = event.reference.as_ref().or(event.reason.as_ref()).or(event.recharge_id.as_ref());
                self.movements.push(Item {
                    seq: event.seq,
                    at: entry.at,
                    kind: event.kind.to_string(),
                    lot: event.lot_id.as_ref().map(ToString::to_string),
                    amount: amount()?,
                    note: note.map(ToString::to_string),
                });
            }
            "InvoiceIssued" => self.invoices.push(Invoice {
                at: entry.at,
                invoice: place.need("invoice", event.invoice)?,
                recharge: place.need_text("rechargeId", event.recharge_id.as_ref())?.to_owned(),
                amount: amount()?,
            }),
            "PostUsageStatement" => self.post_usage.push(PostUsage {
                at: entry.at,
                month: place.need_text("month", event.month.as_ref())?.to_owned(),
                amount: amount()?,
            }),
            _ => {}
        }
        Ok(())
    }
}
