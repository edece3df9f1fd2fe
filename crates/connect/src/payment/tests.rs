//! Keys, and what no debug output shows.

use super::*;

#[test]
fn every_attempt_has_a_key_of_its_own_that_any_header_can_carry() {
    assert_eq!(&*key("live", "contoso/7", 2), "live/contoso/7/2");
    assert_eq!(&*key("live", "a b\n%é/7", 1), "live/a%20b%0A%25%C3%A9/7/1");
    assert_ne!(key("live", "a b/7", 1), key("live", "a%20b/7", 1));
    let long = "o".repeat(300);
    let keys = [key("live", &format!("{long}/7"), 1), key("live", &format!("{long}/7"), 2)];
    assert!(keys.iter().all(|key| key.len() == 64) && keys[0] != keys[1], "{keys:?}");
}

#[test]
fn words_are_short_and_on_one_line() {
    assert_eq!(&*words(" expired\r\ncard \u{0}"), "expired  card");
    assert_eq!(words(&"x".repeat(10_000)).len(), REASON_CHARS_MAX);
}

#[test]
fn a_token_is_not_shown() {
    let charge = Charge {
        key: key("live", "o/1", 1),
        recharge: "o/1".into(),
        org: "o".into(),
        attempt: 1,
        sending: 1,
        at: Timestamp::EPOCH,
        amount: Money::from_micros(1),
        currency: Currency::parse("EUR").unwrap(),
        card: Secret::new("tok_secret".to_owned()),
    };
    assert!(!format!("{charge:?}").contains("tok_secret"));
}
