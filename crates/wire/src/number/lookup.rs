//! What the numbering plan says of an E.164 number. Not cached: some microseconds a call, meant for cold paths.

use drawdown_rating::Number;
use rlibphonenumber::{PhoneNumber, PhoneNumberType};

/// Whether the caller pays nothing for it anywhere it can be dialled (boundaries.md U22).
pub fn is_toll_free(number: Number) -> bool {
    parse(number).is_some_and(|number| number.get_type() == PhoneNumberType::TollFree)
}

/// Whether it is a premium-rate number (boundaries.md U20).
pub fn is_premium(number: Number) -> bool {
    parse(number).is_some_and(|number| number.get_type() == PhoneNumberType::PremiumRate)
}

/// [`region_of`] and [`is_premium`] in one.
pub(super) fn region_and_premium(number: Number) -> (Option<[u8; 2]>, bool) {
    let Some(number) = parse(number) else { return (None, false) };
    let region = number.get_region_code().map(|region| region.as_region_str());
    (region.and_then(|region| region.as_bytes().try_into().ok()), number.get_type() == PhoneNumberType::PremiumRate)
}

/// Its country as an ISO 3166 code, `001` for numbers of no country; by area code under `+1` and `+7` (U21).
pub fn region_of(number: Number) -> Option<[u8; 2]> {
    let region = parse(number)?.get_region_code()?.as_region_str();
    region.as_bytes().try_into().ok()
}

fn parse(number: Number) -> Option<PhoneNumber> {
    PhoneNumber::parse(format!("+{number}"), None).ok()
}
