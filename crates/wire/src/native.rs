//! Native usage records: JSON with the field names of Microsoft Graph's `pstnCallLogRow`, plus `orgId`, `receivedAt`,
//! `revision` and `void`. This is the hot path of everything that reads calls.
//!
//! One pass of the JSON reader into borrowed texts, then checks field by field; a clean row allocates nothing. Only when
//! the reader refuses a row is it looked at again, to name the field at fault.
//! Numbers are taken as the text they were written in: no floating point is between a record and its money.

mod depth;
mod envelope;
pub(crate) mod fault;
mod plain;
mod row;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use drawdown_rating::Number;

use crate::cdr::{CallType, Callee, Cdr, Runs, Text};
use crate::flags::Flags;
use crate::id::check_id;
use crate::number::{self, NumberPlan};
use crate::rejection::{Reason, Rejection};
use crate::source::duration::{self, Duration, Unit};
use crate::source::instant;
use crate::source::{Context, quoted};
use row::Row;

static NO_PLAN: NumberPlan = NumberPlan::unknown();

/// Decodes one native row, or one CloudEvents 1.0 structured-mode event whose data is a native row.
///
/// # Errors
/// A rejection naming the field; U, N and T8 of boundaries.md say which.
#[inline]
pub fn decode<'a>(bytes: &'a [u8], context: &Context<'a>) -> Result<Cdr<'a>, Rejection> {
    decode_with(bytes, context, &NO_PLAN)
}

/// [`decode`] with the number plan of a source profile.
pub(crate) fn decode_with<'a>(bytes: &'a [u8], context: &Context<'a>, plan: &NumberPlan) -> Result<Cdr<'a>, Rejection> {
    let mut row = Row::default();
    let runs = row::read(bytes, &mut row)?;
    if row.specversion.0.is_some() {
        return envelope::decode(bytes, context, plan);
    }
    assemble(row, runs, context, plan)
}

fn assemble<'a>(row: Row<'a>, runs: Runs<'a>, context: &Context<'a>, plan: &NumberPlan) -> Result<Cdr<'a>, Rejection> {
    let source = Cow::Borrowed(context.ce_source.or(context.profile).unwrap_or("native"));
    let id = match context.ce_id {
        Some(id) => Cow::Borrowed(id),
        None => row.id.0.ok_or_else(|| missing("id"))?,
    };
    check_id(&id, "id")?;
    check_id(row.user_id.get().unwrap_or_default(), "userId")?;
    let is_named_inside = context.ce_id.is_none() && source == "native" && row.org_id.0.is_some();
    let org = organisation(row.org_id.0, context, "orgId")?;
    let call_type_name = row.call_type.0.ok_or_else(|| missing("callType"))?;
    let call_type = CallType::parse(&call_type_name).ok_or_else(|| unknown_call_type("callType", &call_type_name))?;
    let start =
        instant::rfc3339(row.start_date_time.get(), "startDateTime")?.ok_or_else(|| missing("startDateTime"))?;
    let end = instant::rfc3339(row.end_date_time.get(), "endDateTime")?;
    let received = instant::rfc3339(row.received_at.get(), "receivedAt")?;
    let duration = seconds(row.duration.get())?;
    let flags = instant::check_span(start, end, duration, true, "endDateTime")?;
    let revision = revision(row.revision.get(), "revision")?;
    let callee = match call_type.product() {
        None => Callee::NotRated,
        Some(_) => {
            let region = row.usage_country_code.get().or(row.tenant_country_code.get());
            let dialled = row.callee_number.get().ok_or_else(|| missing("calleeNumber"))?;
            number::classify(plan, dialled, region, "calleeNumber")?
        }
    };
    Ok(Cdr {
        source,
        id,
        revision,
        void: row.void.0,
        org,
        has_plain_identity: is_named_inside,
        call_type,
        callee,
        caller: row.caller_number.get().and_then(Number::parse_clean),
        start,
        end,
        seconds: duration.seconds,
        received,
        flags: flags.with_if(callee.is_masked(), Flags::MASKED),
        text: Text {
            is_plain: true,
            runs,
            call_id: row.call_id.0,
            user_id: row.user_id.0,
            user_principal_name: row.user_principal_name.0,
            user_display_name: row.user_display_name.0,
            call_type: call_type_name,
            caller_number: row.caller_number.0,
            callee_number: row.callee_number.0,
            conference_id: row.conference_id.0,
            inventory_type: row.inventory_type.0,
            usage_country_code: row.usage_country_code.0,
            tenant_country_code: row.tenant_country_code.0,
            destination_context: row.destination_context.0,
            destination_name: row.destination_name.0,
            license_capability: row.license_capability.0,
            operator: row.operator.0,
            call_duration_source: row.call_duration_source.0,
            upstream_charge: row.charge.0,
            upstream_connection_charge: row.connection_charge.0,
            upstream_currency: row.currency.0,
        },
    })
}

/// The body and the key must agree where both name the organisation; the key stands in for a silent body (U10).
#[inline]
pub(crate) fn organisation<'a>(
    body: Option<Cow<'a, str>>,
    context: &Context<'a>,
    field: &str,
) -> Result<Cow<'a, str>, Rejection> {
    let org = match (body, context.key) {
        (Some(body), Some(key)) if *body != *key => return Err(org_mismatch(&body, key, field)),
        (Some(body), _) => body,
        (None, Some(key)) => Cow::Borrowed(key),
        (None, None) => context.org.map(Cow::Borrowed).ok_or_else(|| no_organisation(field))?,
    };
    check_id(&org, field)?;
    Ok(org)
}

#[inline]
fn seconds(text: Option<&str>) -> Result<Duration, Rejection> {
    let text = text.ok_or_else(|| missing("duration"))?;
    duration::parse(text, Unit::Seconds).map_err(|error| error.reject("duration", text))
}

/// Missing is 0 (boundaries.md D4).
#[inline]
pub(crate) fn revision(text: Option<&str>, field: &str) -> Result<u32, Rejection> {
    match text {
        None => Ok(0),
        Some(text) => text.parse().map_err(|_| {
            let detail = format!("{} is no whole number from 0 to {}", quoted(text), u32::MAX);
            Rejection::of_field(Reason::BadField, field, detail)
        }),
    }
}

#[cold]
pub(crate) fn missing(field: &str) -> Rejection {
    Rejection::of_field(Reason::MissingField, field, "absent, null or empty")
}

#[cold]
pub(crate) fn unknown_call_type(field: &str, name: &str) -> Rejection {
    let detail = format!("{} is no call type; the names are lower-case, like user_out or conf_in", quoted(name));
    Rejection::of_field(Reason::UnknownCallType, field, detail)
}

#[cold]
fn org_mismatch(body: &str, key: &str, field: &str) -> Rejection {
    let detail = format!("the record says {}, its key {}", quoted(body), quoted(key));
    Rejection::of_field(Reason::OrgMismatch, field, detail)
}

#[cold]
fn no_organisation(field: &str) -> Rejection {
    Rejection::of_field(
        Reason::MissingField,
        field,
        "neither the record nor its key names an organisation, nor was --org given",
    )
}
