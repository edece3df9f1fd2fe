//! The number called: from what was dialled to what rating matches.
//!
//! Order matters and is fixed: a clean `+digits` is read by hand; an emergency code is found before anything else is
//! made of the digits; then patterns a PBX declares as its own, other short codes, masks; and only then a libphonenumber
//! port normalises, with an explicit region. There is no default region: without one a national number is rejected.

mod dialled;
mod lookup;
mod places;
mod plan;
mod short_codes;

use drawdown_rating::Number;

pub use lookup::{is_premium, is_toll_free, region_of};
pub use places::Places;
pub use plan::{NumberPlan, Pattern};

use crate::cdr::Callee;
use crate::rejection::{Reason, Rejection};
use dialled::Unusable;

/// Classifies the called number `text`, which stands in `field`.
///
/// `region` is the ISO 3166 code of the country it was dialled in, as the record says; a region fixed by the plan comes
/// before it.
///
/// # Errors
/// `bad-number` for what neither a plan nor E.164 knows (boundaries.md N3, N4), `missing-field` for an empty text.
#[inline]
pub fn classify(plan: &NumberPlan, text: &str, region: Option<&str>, field: &str) -> Result<Callee, Rejection> {
    match Number::parse_clean(text) {
        Some(number) => Ok(Callee::Number { number, masked: false }),
        None => classify_dialled(plan, text, region, field),
    }
}

/// Everything that is not clean E.164.
#[cold]
fn classify_dialled(plan: &NumberPlan, text: &str, region: Option<&str>, field: &str) -> Result<Callee, Rejection> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Rejection::of_field(Reason::MissingField, field, "no called number"));
    }
    let region = plan.region().or(region.map(str::trim).filter(|region| !region.is_empty()));
    dialled::classify(plan, text, region).map_err(|unusable| reject(unusable, text, region, field))
}

/// E.164 text, `+` and digits, of a number dialled in `region`: what libphonenumber makes of it.
///
/// # Errors
/// `bad-number`. More than 15 digits are returned here, but are no [`Number`].
pub fn normalise(text: &str, region: Option<&str>) -> Result<String, Rejection> {
    dialled::normalise(text.trim(), region).map_err(|unusable| reject(unusable, text, region, "number"))
}

/// Whether `text`, as dialled, is an emergency number in some region: for calls of which nobody knows the region, and
/// which must not be stopped for that.
pub fn may_be_emergency(text: &str) -> bool {
    short_codes::is_emergency_somewhere(text.trim())
}

/// Whether `region` is the ISO 3166 code of a country with a numbering plan.
pub fn is_region(region: &str) -> bool {
    dialled::is_region(region)
}

fn reject(unusable: Unusable, text: &str, region: Option<&str>, field: &str) -> Rejection {
    let shown = shown(text);
    let detail = match unusable {
        Unusable::NoRegion => format!(
            "{shown} is not in international form, and no region is known to read it in: \
             usageCountryCode, tenantCountryCode or the profile's number plan must name one"
        ),
        Unusable::UnknownRegion => {
            format!("{shown} cannot be read: {:?} is no region of the numbering plan", region.unwrap_or_default())
        }
        Unusable::Letters => format!("{shown} has letters in it"),
        Unusable::FeatureCode => {
            format!("{shown} is a feature code; if the switch's own, declare it under internal in the number plan")
        }
        Unusable::TooLong => format!("{shown} has more than 15 digits"),
        Unusable::LeadingZero => format!("{shown} has a 0 after the +"),
        Unusable::NotANumber => match region {
            Some(region) => format!("{shown} is no telephone number in region {region}"),
            None => format!("{shown} is no telephone number"),
        },
    };
    Rejection::of_field(Reason::BadNumber, field, detail)
}

/// The beginning of a number and its length: enough to find it, too little to call it.
pub(crate) fn shown(text: &str) -> String {
    let length = text.chars().count();
    let visible = (length / 3).min(4);
    let head: String = text.chars().take(visible).filter(|c| !c.is_control()).collect();
    format!("{head}… ({length} characters)")
}

/// A number as it may be logged.
pub(crate) struct Redacted<'a>(pub(crate) Option<&'a str>);

impl std::fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(text) => f.write_str(&shown(text)),
            None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests;
