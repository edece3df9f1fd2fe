//! One row: what the report says of one debit.

use std::borrow::Cow;

use drawdown_units::{Money, Timestamp};
use serde::{Deserialize, Serialize};

use super::mask::{self, Direction};
use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Funding};

/// A row, its numbers masked. Texts that the record has not are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row<'a> {
    /// The debit's place among the organisation's debits and events.
    pub seq: u64,
    /// The `seq` of the debit that this one takes back, if it does.
    pub reverses: Option<u64>,
    /// The record's id.
    pub usage_id: &'a str,
    /// Not unique.
    pub call_id: &'a str,
    /// Of a conference call.
    pub conference_id: &'a str,
    /// `usageCountryCode`.
    pub user_location: &'a str,
    /// Whose call it was.
    pub user_id: &'a str,
    /// Whose call it was, by name.
    pub user_principal_name: &'a str,
    /// Whose call it was, by another name.
    pub user_display_name: &'a str,
    /// The caller's number.
    #[serde(borrow)]
    pub caller: Cow<'a, str>,
    /// As the source wrote it.
    pub call_type: &'a str,
    /// `inventoryType`.
    pub number_type: &'a str,
    /// `destinationContext`.
    pub destination_context: &'a str,
    /// The destination by the record, else by the deck.
    pub destination: &'a str,
    /// The called number.
    #[serde(borrow)]
    pub called: Cow<'a, str>,
    /// Whole seconds since 1970.
    pub start_s: i64,
    /// Whole seconds since 1970.
    pub end_s: i64,
    /// Connected seconds.
    pub duration_s: u32,
    /// Millionths.
    pub connection_fee_micros: i64,
    /// Millionths, exact, the connection fee included (boundaries.md X1), what nobody paid not (X2).
    pub charge_micros: i64,
    /// Millionths of the charge that nobody paid, for want of a licence.
    pub unlicensed_micros: i64,
    /// ISO 4217.
    pub currency: &'a str,
    /// By what the call was paid.
    pub capability: &'a str,
}

/// The licence that lets credits pay.
const CREDITS: &str = "MCOPSTNPP";
/// What a call without a price has for a licence.
const FREE_CALL: &str = "FREECALL";

/// Who paid, as far as a row tells it.
#[derive(Default)]
struct Payers<'a> {
    credits: bool,
    pool: Option<&'a str>,
    unlicensed: Money,
}

impl<'a> Row<'a> {
    pub(super) fn of(
        debit: &'a Debit<'a>,
        start: Timestamp,
        tenant_country: Option<&str>,
        place: Place<'_>,
    ) -> Result<Self, Fault> {
        let (call, charge) = (&debit.call, &debit.charge);
        let end = call.end_date_time.as_ref().map(|end| place.time("call.endDateTime", end)).transpose()?;
        // A year before 1970 is none (boundaries.md U13), and no time of a workbook.
        let end = end.filter(|end| *end >= Timestamp::EPOCH);
        let payers = Payers::of(&debit.funding, place)?;
        let amount = place.money("charge.amount", &charge.amount)?.minus(payers.unlicensed);
        let fee = match &charge.connection_fee {
            // It was not charged either, where nobody paid.
            Some(fee) if payers.unlicensed.is_zero() => place.money("charge.connectionFee", fee)?,
            _ => Money::ZERO,
        };
        place.currency("charge.currency", &charge.currency)?;
        let country = call.tenant_country_code.as_deref().or(tenant_country).unwrap_or_default();
        let (caller, called) = mask::numbers(call, Direction::of(&call.call_type), mask::digits_lost(country));
        Ok(Row {
            seq: debit.seq,
            reverses: debit.reverses.map(|reverses| reverses.seq),
            usage_id: &debit.id,
            call_id: call.call_id.as_deref().unwrap_or_default(),
            conference_id: call.conference_id.as_deref().unwrap_or_default(),
            user_location: call.usage_country_code.as_deref().unwrap_or_default(),
            user_id: call.user_id.as_deref().unwrap_or_default(),
            user_principal_name: call.user_principal_name.as_deref().unwrap_or_default(),
            user_display_name: call.user_display_name.as_deref().unwrap_or_default(),
            caller,
            call_type: &call.call_type,
            number_type: call.inventory_type.as_deref().unwrap_or_default(),
            destination_context: call.destination_context.as_deref().unwrap_or_default(),
            destination: call.destination_name.as_deref().or(charge.destination.as_deref()).unwrap_or_default(),
            called,
            start_s: start.seconds(),
            end_s: end.unwrap_or_else(|| start.plus_seconds(i64::from(call.duration))).seconds(),
            duration_s: call.duration,
            connection_fee_micros: fee.micros(),
            charge_micros: amount.micros(),
            unlicensed_micros: payers.unlicensed.micros(),
            currency: &charge.currency,
            capability: payers.capability(debit),
        })
    }
}

impl<'a> Payers<'a> {
    fn of(funding: &'a [Funding<'a>], place: Place<'_>) -> Result<Self, Fault> {
        let mut payers = Payers::default();
        for (index, line) in funding.iter().enumerate() {
            match &*line.kind {
                "pool" => {
                    let pool = place.need("funding.pool", line.pool.as_deref())?;
                    payers.pool = pool.split('/').next();
                }
                "lot" | "overdraft" | "postUsage" | "uncollected" => payers.credits = true,
                "unlicensed" => {
                    payers.unlicensed =
                        payers.unlicensed.plus(place.amount("funding", index, "amount", line.amount.as_ref())?);
                }
                kind => {
                    let problem = format!("{kind:?}, of which this program does not know who pays");
                    return Err(place.fault(format!("funding[{index}].type"), problem));
                }
            }
        }
        Ok(payers)
    }

    /// boundaries.md X2. A call that a pool paid in part, and nobody the rest, has the pool's licence: nothing else paid.
    fn capability(&self, debit: &Debit<'_>) -> &'a str {
        let is_unrated = debit.charge.unrated.is_some() || debit.flags.iter().any(|flag| **flag == *"unrated");
        match self.pool {
            _ if self.credits => CREDITS,
            _ if is_unrated => FREE_CALL,
            Some(licence) => licence,
            None => "",
        }
    }
}

/// The bytes by which rows are sorted: start at full precision, id (boundaries.md X4), `seq`.
pub(super) fn key_of(start: Timestamp, debit: &Debit<'_>, key: &mut Vec<u8>) {
    key.clear();
    // With the sign turned, so that negative ones are below the others as bytes too.
    key.extend_from_slice(&(start.seconds() ^ i64::MIN).to_be_bytes());
    key.extend_from_slice(&start.nanos().to_be_bytes());
    key.extend_from_slice(debit.id.as_bytes());
    // An id ends before one that goes on. None holds a zero byte, but for who is out to sort wrongly.
    key.push(0);
    key.extend_from_slice(&debit.seq.to_be_bytes());
}
