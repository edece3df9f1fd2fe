//! From the fields of a record, whatever format they came in, to a complete [`Cdr`].

use std::borrow::Cow;

use drawdown_rating::Number;
use drawdown_units::Timestamp;

use super::duration::{self, Duration};
use super::profile::mapping::{CallTypes, Mapping, Texts};
use super::profile::{FieldRef, Profile};
use super::{Context, Decoded, instant, quoted};
use crate::cdr::{CallType, Callee, Cdr, Runs, Text};
use crate::flags::Flags;
use crate::id::check_id;
use crate::native;
use crate::number;
use crate::rejection::{Reason, Rejection};

/// The values of one record by field; empty is absent.
pub(crate) trait Fields<'a> {
    fn get(&self, field: FieldRef) -> Option<Cow<'a, str>>;
}

/// One record under way.
struct Record<'p, 'f, F> {
    profile: &'p Profile,
    mapping: &'p Mapping,
    fields: &'f F,
}

pub(crate) fn assemble<'a, F: Fields<'a>>(
    profile: &'a Profile,
    mapping: &'a Mapping,
    fields: &F,
    context: &Context<'a>,
) -> Result<Decoded<'a>, Rejection> {
    let record = Record { profile, mapping, fields };
    if mapping.not_a_call.iter().any(|rule| rule.matches(record.get(Some(rule.field)).as_deref())) {
        return Ok(Decoded::NotACall);
    }
    let source = Cow::Borrowed(context.ce_source.unwrap_or(profile.name()));
    let id = match context.ce_id {
        Some(id) => Cow::Borrowed(id),
        None => record.id()?,
    };
    check_id(&id, record.name_of(mapping.id.first().copied()))?;
    let user_id = mapping.texts.user_id;
    check_id(record.get(user_id).as_deref().unwrap_or_default(), record.name_of(user_id))?;
    let org = record.organisation(context)?;
    let (call_type, call_type_name) = record.call_type()?;
    let times = record.times()?;
    let is_answered = record.is_answered(&times);
    let (duration, flags) = record.connected(is_answered)?;
    // Ringing is no mismatch: only the times of a connection are compared with what is billed (boundaries.md U2).
    let is_compared = is_answered && !times.lacks_answer;
    let span = instant::check_span(times.start, times.end, duration, is_compared, record.name_of(times.end_field))?;
    let flags = flags.with(times.flags).with(span);
    let caller_number = record.get(mapping.caller);
    let callee_number = record.get(Some(mapping.callee));
    let callee = record.callee(call_type, callee_number.as_deref())?;
    let received = record.time(mapping.received.as_slice())?.map(|(instant, _, _)| instant);
    let revision = native::revision(record.get(mapping.revision).as_deref(), record.name_of(mapping.revision))?;
    Ok(Decoded::Cdr(Cdr {
        has_plain_identity: false,
        source,
        id,
        revision,
        void: record.is_void()?,
        org,
        call_type,
        callee,
        caller: caller_number.as_deref().and_then(Number::parse_clean),
        start: times.start,
        end: times.end,
        seconds: duration.seconds,
        received,
        flags: flags.with_if(callee.is_masked(), Flags::MASKED),
        text: record.text(&mapping.texts, call_type_name, caller_number, callee_number),
    }))
}

/// The times of a call that matter.
struct Times {
    /// Answer, else start (boundaries.md U5).
    start: Timestamp,
    end: Option<Timestamp>,
    end_field: Option<FieldRef>,
    /// The source has an answer time, and this call none.
    lacks_answer: bool,
    flags: Flags,
}

impl<'a, F: Fields<'a>> Record<'a, '_, F> {
    fn get(&self, field: Option<FieldRef>) -> Option<Cow<'a, str>> {
        let value = self.fields.get(field?)?;
        if !self.mapping.is_percent_encoded || memchr::memchr(b'%', value.as_bytes()).is_none() {
            return Some(value);
        }
        Some(Cow::Owned(percent_decoded(&value)))
    }

    /// A field's name in the source.
    fn name_of(&self, field: Option<FieldRef>) -> &'a str {
        field.map_or("", |field| self.profile.field_name(field))
    }

    fn id(&self) -> Result<Cow<'a, str>, Rejection> {
        match self.mapping.id[..] {
            [field] => self.get(Some(field)).ok_or_else(|| native::missing(self.name_of(Some(field)))),
            ref fields => {
                let parts: Vec<Cow<'a, str>> =
                    fields.iter().map(|field| self.get(Some(*field)).unwrap_or_default()).collect();
                if parts.iter().all(|part| part.is_empty()) {
                    return Err(native::missing(self.name_of(fields.first().copied())));
                }
                Ok(Cow::Owned(parts.join("/")))
            }
        }
    }

    fn organisation(&self, context: &Context<'a>) -> Result<Cow<'a, str>, Rejection> {
        let constant = self.mapping.org_constant.as_deref().map(Cow::Borrowed);
        let body = self.get(self.mapping.org).or(constant);
        let field = if self.mapping.org.is_some() { self.name_of(self.mapping.org) } else { "orgId" };
        native::organisation(body, context, field)
    }

    fn call_type(&self) -> Result<(CallType, Cow<'a, str>), Rejection> {
        let CallTypes { rules, field, default } = &self.mapping.call_types;
        for (rule, call_type, name) in rules {
            if rule.matches(self.get(Some(rule.field)).as_deref()) {
                return Ok((*call_type, Cow::Borrowed(name)));
            }
        }
        match (self.get(*field), default) {
            (Some(name), _) => match CallType::parse(&name) {
                Some(call_type) => Ok((call_type, name)),
                None => Err(native::unknown_call_type(self.name_of(*field), &name)),
            },
            (None, Some((call_type, name))) => Ok((*call_type, Cow::Borrowed(name))),
            (None, None) if field.is_some() => Err(native::missing(self.name_of(*field))),
            (None, None) => {
                let field = self.name_of(rules.last().map(|(rule, _, _)| rule.field));
                let detail = format!("no rule of profile {} tells what kind of call this is", self.profile.name());
                Err(Rejection::of_field(Reason::UnknownCallType, field, detail))
            }
        }
    }

    /// The first of `fields` that holds an instant.
    fn time(&self, fields: &[FieldRef]) -> Result<Option<(Timestamp, Flags, FieldRef)>, Rejection> {
        for field in fields {
            let Some(text) = self.get(Some(*field)) else { continue };
            let found = self.mapping.times.read(&text);
            match found.map_err(|problem| instant::bad_time(&text, self.name_of(Some(*field)), &problem))? {
                Some((instant, flags)) => return Ok(Some((instant, flags, *field))),
                None => continue,
            }
        }
        Ok(None)
    }

    fn times(&self) -> Result<Times, Rejection> {
        let answer = self.time(&self.mapping.answer)?;
        let lacks_answer = answer.is_none() && !self.mapping.answer.is_empty();
        let start = match answer {
            Some(answer) => Some(answer),
            None => self.time(&self.mapping.start)?,
        };
        let (start, flags, _) =
            start.ok_or_else(|| native::missing(self.name_of(self.mapping.start.first().copied())))?;
        let end = self.time(&self.mapping.end)?;
        let end_flags = end.map_or(Flags::NONE, |(_, flags, _)| flags);
        Ok(Times {
            start,
            end: end.map(|(instant, flags, _)| self.end_after(start, instant, flags)),
            end_field: end.map(|(_, _, field)| field),
            lacks_answer,
            flags: flags.with(end_flags),
        })
    }

    /// Of the two instants that a repeated hour may mean, the later one ended a call that began after the earlier.
    fn end_after(&self, start: Timestamp, end: Timestamp, flags: Flags) -> Timestamp {
        if end < start && flags.has(Flags::AMBIGUOUS_TIME) {
            return self.mapping.times.later(end).unwrap_or(end);
        }
        end
    }

    fn is_answered(&self, times: &Times) -> bool {
        match &self.mapping.answered {
            Some(rule) => rule.matches(self.get(Some(rule.field)).as_deref()),
            None => !times.lacks_answer,
        }
    }

    /// The connected time: what the source bills, for answered calls only (boundaries.md U6).
    fn connected(&self, is_answered: bool) -> Result<(Duration, Flags), Rejection> {
        match self.billed()? {
            Some(billed) if is_answered => Ok((billed, Flags::NONE)),
            Some(Duration { seconds: 1.., .. }) => Ok((Duration::ZERO, Flags::UNANSWERED_WITH_BILLSEC)),
            None if is_answered => Err(native::missing(self.name_of(Some(self.mapping.duration.0)))),
            _ => Ok((Duration::ZERO, Flags::NONE)),
        }
    }

    /// What the source bills. A finer field only tells an instant of connection from none (boundaries.md U3, U4).
    fn billed(&self) -> Result<Option<Duration>, Rejection> {
        let read = |(field, unit)| match self.get(Some(field)) {
            Some(text) => {
                let parsed = duration::parse(&text, unit);
                parsed.map(Some).map_err(|error| error.reject(self.name_of(Some(field)), &text))
            }
            None => Ok(None),
        };
        match read(self.mapping.duration)? {
            Some(billed) if billed.seconds > 0 => Ok(Some(billed)),
            nothing => match self.mapping.finer {
                Some(finer) => Ok(read(finer)?.or(nothing)),
                None => Ok(nothing),
            },
        }
    }

    /// Whether it withdraws an earlier record: a word that could mean either is refused, since money hangs on it.
    fn is_void(&self) -> Result<bool, Rejection> {
        let Some(text) = self.get(self.mapping.void) else { return Ok(false) };
        let is = |words: [&str; 3]| words.iter().any(|word| word.eq_ignore_ascii_case(&text));
        if is(["true", "yes", "1"]) {
            return Ok(true);
        }
        if is(["false", "no", "0"]) {
            return Ok(false);
        }
        let detail = format!("{} is none of true, yes and 1, nor of false, no and 0", quoted(&text));
        Err(Rejection::of_field(Reason::BadField, self.name_of(self.mapping.void), detail))
    }

    fn callee(&self, call_type: CallType, dialled: Option<&str>) -> Result<Callee, Rejection> {
        if call_type.product().is_none() {
            return Ok(Callee::NotRated);
        }
        let field = self.name_of(Some(self.mapping.callee));
        let dialled = dialled.ok_or_else(|| native::missing(field))?;
        let region = self.mapping.region_fields.iter().find_map(|field| self.get(Some(*field)));
        number::classify(&self.mapping.plan, dialled, region.as_deref(), field)
    }

    fn text(
        &self,
        texts: &Texts,
        call_type: Cow<'a, str>,
        caller_number: Option<Cow<'a, str>>,
        callee_number: Option<Cow<'a, str>>,
    ) -> Text<'a> {
        Text {
            is_plain: false,
            runs: Runs::default(),
            call_id: self.get(texts.call_id),
            user_id: self.get(texts.user_id),
            user_principal_name: self.get(texts.user_principal_name),
            user_display_name: self.get(texts.user_display_name),
            call_type,
            caller_number,
            callee_number,
            conference_id: self.get(texts.conference_id),
            inventory_type: self.get(texts.inventory_type),
            usage_country_code: self.get(texts.usage_country_code),
            tenant_country_code: self.get(texts.tenant_country_code),
            destination_context: self.get(texts.destination_context),
            destination_name: self.get(texts.destination_name),
            license_capability: self.get(texts.license_capability),
            operator: self.get(texts.operator),
            call_duration_source: self.get(texts.call_duration_source),
            upstream_charge: self.get(texts.charge),
            upstream_connection_charge: self.get(texts.connection_charge),
            upstream_currency: self.get(texts.currency),
        }
    }
}

/// `%2B44` to `+44`; what is no escape stays.
fn percent_decoded(text: &str) -> String {
    let hex = |byte: u8| char::from(byte).to_digit(16);
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let escaped = match bytes[position..] {
            [b'%', high, low, ..] => hex(high).zip(hex(low)).map(|(high, low)| (high * 16 + low) as u8),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(byte));
        position += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
}
