//! Amounts as Stripe counts them: whole numbers of the smallest unit of the currency, which is not always a hundredth.
//!
//! The exceptions are Stripe's own, from its documentation, and not those of ISO 4217.

use drawdown_units::{Currency, Money};

/// Currencies without a smaller unit.
const WHOLE: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];
/// A currency without a smaller unit in use, of which Stripe counts hundredths all the same: whole units only.
const WHOLE_IN_HUNDREDTHS: &str = "ISK";
/// A currency of which Stripe's documentation says both: nothing is charged on a guess.
const UNCLEAR: &str = "UGX";
/// Currencies of thousandths, of which Stripe takes tens only.
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Millionths of a currency unit in one of Stripe's, and the least of those that it takes.
fn scale(currency: Currency) -> (i64, i64) {
    let code = currency.as_str();
    match () {
        () if WHOLE.contains(&code) => (1_000_000, 1),
        () if code == WHOLE_IN_HUNDREDTHS => (10_000, 100),
        () if THOUSANDTHS.contains(&code) => (1_000, 10),
        () => (10_000, 1),
    }
}

/// An amount in Stripe's units; `None` where it is not a whole number of what can be charged, or not above zero.
pub fn minor_units(amount: Money, currency: Currency) -> Option<u64> {
    let (micros, step) = scale(currency);
    let is_whole = currency.as_str() != UNCLEAR && amount.is_positive() && amount.micros() % (micros * step) == 0;
    is_whole.then(|| u64::try_from(amount.micros() / micros).ok()).flatten()
}

/// The amount that so many of Stripe's units are.
pub fn amount_of(minor: u64, currency: Currency) -> Option<Money> {
    let micros = i64::try_from(minor).ok()?.checked_mul(scale(currency).0)?;
    Some(Money::from_micros(micros)).filter(|amount| *amount <= Money::LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_whole_numbers_of_what_can_be_charged() {
        for (amount, currency, expected) in [
            ("50.00", "USD", Some(5_000)),
            ("50.01", "EUR", Some(5_001)),
            ("50.001", "USD", None),
            ("5000", "JPY", Some(5_000)),
            ("5000.50", "JPY", None),
            ("5", "ISK", Some(500)),
            ("5.50", "ISK", None),
            ("5", "UGX", None),
            ("5.12", "KWD", Some(5_120)),
            ("5.123", "KWD", None),
            ("0", "USD", None),
            ("-1", "USD", None),
            ("1000000000000", "USD", Some(100_000_000_000_000)),
        ] {
            let (money, currency) = (Money::parse(amount).unwrap(), Currency::parse(currency).unwrap());
            let minor = minor_units(money, currency);
            assert_eq!(minor, expected, "{amount} {currency}");
            assert_eq!(minor.and_then(|minor| amount_of(minor, currency)), expected.map(|_| money));
        }
        assert_eq!(amount_of(u64::MAX, Currency::parse("USD").unwrap()), None);
    }
}
