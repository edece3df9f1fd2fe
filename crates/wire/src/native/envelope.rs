//! CloudEvents 1.0 in structured mode: the attributes and the row in one JSON object.

use std::borrow::Cow;

use serde::Deserialize;
use sonic_rs::LazyValue;

use super::row::{Field, Row};
use super::{assemble, fault, missing, row};
use crate::cdr::Cdr;
use crate::id::{LONG_ID_BYTES_MAX, check_id, check_length};
use crate::number::NumberPlan;
use crate::rejection::{Reason, Rejection};
use crate::source::{Context, quoted};

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    specversion: Field<'a>,
    #[serde(borrow, default)]
    id: Field<'a>,
    #[serde(borrow, default)]
    source: Field<'a>,
    #[serde(borrow, default)]
    partitionkey: Field<'a>,
    #[serde(borrow, default)]
    data: Option<LazyValue<'a>>,
}

#[cold]
pub(super) fn decode<'a>(bytes: &'a [u8], context: &Context<'a>, plan: &NumberPlan) -> Result<Cdr<'a>, Rejection> {
    let envelope: Envelope<'a> = {
        let text = fault::utf8(bytes)?;
        sonic_rs::from_str(text).map_err(|error| fault::name(text, &error))?
    };
    let version = envelope.specversion.0.unwrap_or_default();
    if version != "1.0" {
        let detail = format!("CloudEvents {}: only 1.0 is read", quoted(&version));
        return Err(Rejection::of_field(Reason::BadField, "specversion", detail));
    }
    let id = envelope.id.0.ok_or_else(|| missing("id"))?;
    let source = envelope.source.0.ok_or_else(|| missing("source"))?;
    check_id(&id, "id")?;
    check_length(source.len(), LONG_ID_BYTES_MAX, "source")?;
    let data = envelope.data.map(|data| data.as_raw_cow()).ok_or_else(|| missing("data"))?;
    let Cow::Borrowed(data) = data else {
        return Err(Rejection::of_field(Reason::BadField, "data", "a text where the row itself is expected"));
    };
    let key = match envelope.partitionkey.0 {
        Some(key) => Some(super::organisation(Some(key), context, "partitionkey")?),
        None => context.key.map(Cow::Borrowed),
    };
    let mut row = Row::default();
    let runs = row::read(data.as_bytes(), &mut row)?;
    match (&row.org_id.0, key) {
        (Some(org), Some(key)) if *org != key => return Err(super::org_mismatch(org, &key, "orgId")),
        (None, key) => row.org_id = Field(key),
        _ => {}
    }
    let identified = Context { key: None, ce_id: Some(""), ce_source: Some(""), ..*context };
    let cdr = assemble(row, runs, &identified, plan)?;
    Ok(Cdr { id, source, has_plain_identity: false, ..cdr })
}
