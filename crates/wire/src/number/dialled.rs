//! What a switch writes when it does not write clean E.164.

use std::borrow::Cow;

use drawdown_rating::Number;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, Region};

use super::plan::NumberPlan;
use super::short_codes;
use crate::cdr::Callee;

/// Why a dialled string is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unusable {
    NoRegion,
    UnknownRegion,
    Letters,
    FeatureCode,
    TooLong,
    LeadingZero,
    NotANumber,
}

/// libphonenumber's own limit: nothing longer is a number with its separators and parameters.
const TEXT_BYTES_MAX: usize = 250;

/// Classifies a trimmed text that is not empty.
pub(super) fn classify(plan: &NumberPlan, text: &str, region: Option<&str>) -> Result<Callee, Unusable> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Unusable::TooLong);
    }
    let text = without_extension(without_scheme(text))?;
    if text.starts_with('+') {
        return if text.contains('*') { masked(plan, text, region) } else { number(text, region) };
    }
    let dialled = without_separators(text);
    if let Some(callee) = own_or_short(plan, &dialled, region) {
        return Ok(callee);
    }
    if text.contains('*') {
        return masked(plan, text, region);
    }
    match plan.after_outside_line(&dialled) {
        Some(outside) => match own_or_short(&NumberPlan::unknown(), outside, region) {
            Some(callee) => Ok(callee),
            None => outside_number(plan, outside, region),
        },
        None => outside_number(plan, text, region),
    }
}

/// Emergency first: nothing a PBX declares may hide an emergency call.
fn own_or_short(plan: &NumberPlan, dialled: &str, region: Option<&str>) -> Option<Callee> {
    let code = region.and_then(|region| short_codes::find(&region.to_ascii_uppercase(), dialled));
    match code {
        Some(code) if code.is_emergency => Some(Callee::Emergency),
        _ if plan.is_internal(dialled) => Some(Callee::Internal),
        Some(code) => Some(Callee::ShortCode { free: code.is_free }),
        None => None,
    }
}

fn outside_number(plan: &NumberPlan, dialled: &str, region: Option<&str>) -> Result<Callee, Unusable> {
    let digits = without_separators(dialled);
    match plan.after_international_prefix(&digits) {
        Some(international) => number(&format!("+{international}"), region),
        None if plan.plus_may_be_missing() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            number(&format!("+{digits}"), region)
        }
        None => number(dialled, region),
    }
}

fn number(text: &str, region: Option<&str>) -> Result<Callee, Unusable> {
    let e164 = normalise(text, region)?;
    let digits = e164.as_bytes().strip_prefix(b"+").unwrap_or_default();
    let number = Number::from_digits(digits).ok_or(match digits {
        [b'0', ..] => Unusable::LeadingZero,
        _ if digits.len() > Number::DIGITS_MAX => Unusable::TooLong,
        _ => Unusable::NotANumber,
    })?;
    Ok(Callee::Number { number, masked: false })
}

/// `+` and digits, of a text without a mask.
pub(super) fn normalise(text: &str, region: Option<&str>) -> Result<String, Unusable> {
    let text = without_extension(without_scheme(text))?;
    let is_international = text.starts_with('+');
    if is_international && let Some(digits) = plain_digits(&text[1..]) {
        return Ok(format!("+{digits}"));
    }
    let region = match region {
        // A region that is wrong does no harm to a number that needs none.
        Some(region) => {
            known_region(region).or(if is_international { Ok(None) } else { Err(Unusable::UnknownRegion) })?
        }
        None if is_international || text.contains("phone-context=") => None,
        None => return Err(Unusable::NoRegion),
    };
    if text.chars().any(|c| matches!(c, '#' | '*')) {
        return Err(Unusable::FeatureCode);
    }
    let number = PhoneNumber::parse(text, region).map_err(|_| Unusable::NotANumber)?;
    Ok(number.to_string())
}

/// Whether `region` is a country with a numbering plan.
pub(super) fn is_region(region: &str) -> bool {
    known_region(region).is_ok()
}

fn known_region(region: &str) -> Result<Option<Region>, Unusable> {
    let region = Region::from_code(region).map_err(|_| Unusable::UnknownRegion)?;
    match PHONE_NUMBER_UTIL.get_country_code_for_region(region) {
        Some(_) => Ok(Some(region)),
        None => Err(Unusable::UnknownRegion),
    }
}

/// The digits of an international number that has nothing but separators between them. A bracketed 0, as in
/// `+44 (0)20`, is a national prefix that must be left out: that takes libphonenumber.
fn plain_digits(after_plus: &str) -> Option<String> {
    let is_plain = after_plus.bytes().all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'.' | b'/'));
    let digits: String = after_plus.chars().filter(char::is_ascii_digit).collect();
    (is_plain && !digits.is_empty()).then_some(digits)
}

/// A number some of whose digits are hidden (boundaries.md N1, N2): what stands before the first star counts.
fn masked(plan: &NumberPlan, text: &str, region: Option<&str>) -> Result<Callee, Unusable> {
    let (visible, hidden) = text.split_at(text.find('*').unwrap_or(text.len()));
    let digits: String = visible.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        // One star and a digit is what a subscriber dials for a feature; two or more stars hide something.
        let is_feature_code = hidden.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        return if is_feature_code { Err(Unusable::FeatureCode) } else { Ok(Callee::NothingVisible) };
    }
    let number = if visible.starts_with('+') {
        Number::from_digits(digits.as_bytes()).ok_or(if digits.starts_with('0') {
            Unusable::LeadingZero
        } else {
            Unusable::TooLong
        })?
    } else {
        let dialled = without_separators(visible);
        let dialled = plan.after_outside_line(&dialled).unwrap_or(&dialled);
        certain_prefix(plan, dialled, hidden.chars().count(), region)?
    };
    Ok(Callee::Number { number, masked: true })
}

/// The digits that every number behind a mask has in common: the hidden part is filled with each digit in turn.
fn certain_prefix(plan: &NumberPlan, visible: &str, hidden: usize, region: Option<&str>) -> Result<Number, Unusable> {
    let hidden = hidden.min(Number::DIGITS_MAX);
    let mut common: Option<String> = None;
    let mut problem = Unusable::NotANumber;
    for fill in '0'..='9' {
        let filled: String = visible.chars().chain(std::iter::repeat_n(fill, hidden)).collect();
        let number = match outside_number(plan, &filled, region) {
            Ok(Callee::Number { number, .. }) => number.to_string(),
            Ok(_) => continue,
            Err(unusable) => {
                problem = unusable;
                continue;
            }
        };
        let known = number.len().saturating_sub(hidden);
        let shared = match &common {
            Some(common) => common.bytes().zip(number.bytes()).take_while(|(a, b)| a == b).count(),
            None => number.len(),
        };
        common = Some(number[..shared.min(known)].to_owned());
    }
    common.and_then(|digits| Number::from_digits(digits.as_bytes())).ok_or(problem)
}

/// Without `tel:`, or `sip:` and the host.
fn without_scheme(text: &str) -> &str {
    let scheme = |name: &str| text.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name)).map(str::len);
    if let Some(length) = scheme("tel:") {
        return &text[length..];
    }
    match scheme("sip:").or_else(|| scheme("sips:")) {
        Some(length) => {
            let address = &text[length..];
            address.split_once('@').map_or(address, |(user, _)| user)
        }
        None => text,
    }
}

/// Without an extension such as `;ext=12`, `x12` or `ext. 12`; other letters make it no number, even where
/// libphonenumber would read them as a vanity number.
fn without_extension(text: &str) -> Result<&str, Unusable> {
    let (number, parameters) = text.split_at(text.find(';').unwrap_or(text.len()));
    let Some(first) = number.find(char::is_alphabetic) else {
        // A national number of RFC 3966 needs its context to be read.
        return Ok(if parameters.contains("phone-context=") { text } else { number.trim_end() });
    };
    let (number, suffix) = number.split_at(first);
    let lower = suffix.to_ascii_lowercase();
    let extension = ["extension", "extn", "ext", "x"].iter().find_map(|word| lower.strip_prefix(word));
    let is_extension = extension.is_some_and(|rest| {
        let digits = rest.trim_start_matches(['.', ':', ' ']);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    });
    match number.trim_end_matches([' ', ',', '-']) {
        number if is_extension && !number.is_empty() => Ok(number),
        _ => Err(Unusable::Letters),
    }
}

fn without_separators(text: &str) -> Cow<'_, str> {
    let is_separator = |c: char| matches!(c, ' ' | '-' | '.' | '/' | '(' | ')' | '~' | '\u{a0}');
    if text.contains(is_separator) { text.replace(is_separator, "").into() } else { text.into() }
}
