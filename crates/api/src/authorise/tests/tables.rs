//! What is answered, case by case.

use super::world::{World, ask};
use super::*;

const ROWS: &str = "prefix,destination,price_per_minute,connection_fee,initial_s,increment_s,blocked\n\
                    44,Britain,0.60,0.10,60,60,false\n\
                    49,Germany,0.06,0,1,1,false\n\
                    800,Free,0,0,60,60,false\n\
                    979,Premium,5,0,60,60,true\n";

const BRITAIN: &str = "+442071838750";
const GERMANY: &str = "+4930123456";

fn told(answer: &Authorisation) -> (bool, Option<u32>, Option<u32>) {
    (answer.allowed, answer.granted_seconds, answer.maximum_seconds)
}

fn small() -> Settings {
    Settings { maximum_s: 3_600, ..Settings::default() }
}

#[test]
fn a_call_is_granted_as_far_as_money_goes() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.buy("acme", "4.00");
    let authoriser = Authoriser::new(small());
    let answer = authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", BRITAIN), world.now);
    // 0.10 and six minutes are 3.70; a seventh would be 4.30.
    assert_eq!(told(&answer), (true, Some(300), Some(360)));
    assert_eq!(answer.granted_until.as_deref(), Some("2026-03-01T00:05:00Z"));
    assert_eq!(answer.funding, [Funding::Lots { amount: "3.10".into() }]);
    let price = answer.price.expect("a price");
    assert_eq!((&*price.price_per_minute, &*price.connection_fee, &*price.destination), ("0.60", "0.10", "Britain"));
    assert_eq!(authoriser.promised("acme").money, money("3.10"));
}

#[test]
fn asking_again_gives_the_same_reservation() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.buy("acme", "4.00");
    let authoriser = Authoriser::new(small());
    let first = authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", BRITAIN), world.now);
    let later = world.now.plus_seconds(20);
    let again = authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", BRITAIN), later);
    assert_eq!(first, again);
    assert_eq!((authoriser.count(), authoriser.promised("acme").money), (1, money("3.10")));
    let other = authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", GERMANY), later);
    assert_eq!(reason(&other), Some(RefusalReason::CallConflict));
}

#[test]
fn the_same_money_is_not_promised_twice() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.buy("acme", "4.00");
    let authoriser = Authoriser::new(small());
    let ask_for =
        |call: &str| authoriser.authorise(world.terms(), &world.partition, &ask("acme", call, BRITAIN), world.now);
    assert_eq!(told(&ask_for("1")), (true, Some(300), Some(360)));
    // 0.90 are left: one minute.
    assert_eq!(told(&ask_for("2")), (true, Some(60), Some(60)));
    assert_eq!(reason(&ask_for("3")), Some(RefusalReason::FundsPromised));
    assert_eq!(authoriser.reserved(), [(Currency::parse("USD").unwrap(), 3_800_000)]);
    assert!(authoriser.release("acme", "1", Released::Record));
    assert!(!authoriser.release("acme", "1", Released::Request));
    assert_eq!(told(&ask_for("3")), (true, Some(300), Some(300)));
    assert!(authoriser.release("acme", "2", Released::Request) && authoriser.release("acme", "3", Released::Request));
    assert_eq!(authoriser.reserved(), []);
    // Whoever asks next finds what nobody asked more time for gone.
    ask_for("4");
    let late = world.now.plus_seconds(600);
    authoriser.authorise(world.terms(), &world.partition, &ask("acme", "5", BRITAIN), late);
    assert_eq!((Released::ALL.map(|by| authoriser.released(by)), authoriser.count()), ([1, 2, 1], 1));
}

#[test]
fn a_call_is_extended_to_the_end_of_its_money() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.buy("acme", "4.00");
    let authoriser = Authoriser::new(small());
    authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", BRITAIN), world.now);
    let extension = Extension { org_id: "acme".into(), call_id: "1".into(), ..Extension::default() };
    let extend =
        |after: i64| authoriser.extend(world.terms(), &world.partition, &extension, world.now.plus_seconds(after));
    assert_eq!(told(&extend(290)), (true, Some(360), Some(360)));
    let refused = extend(350);
    assert_eq!((reason(&refused), refused.granted_seconds), (Some(RefusalReason::InsufficientFunds), Some(360)));
    assert_eq!(authoriser.promised("acme").money, money("3.70"));
    // Given up a grace after its end, and made anew by whoever says enough of it.
    let late = world.now.plus_seconds(360 + 300);
    assert_eq!((authoriser.sweep(late), authoriser.count()), (1, 0));
    assert_eq!(reason(&extend(661)), Some(RefusalReason::UnknownReservation));
    let whole = Extension {
        callee_number: Some(GERMANY.into()),
        user_id: Some("u1".into()),
        start_date_time: Some(world.now.to_string()),
        ..extension.clone()
    };
    let answer = authoriser.extend(world.terms(), &world.partition, &whole, world.now.plus_seconds(600));
    assert_eq!(told(&answer), (true, Some(900), Some(3_600)));
}

#[test]
fn emergency_calls_always_pass() {
    let world = World::new(ROWS);
    let authoriser = Authoriser::default();
    for (number, country) in [("911", Some("US")), ("112", Some("DE")), ("112", None), ("911", Some("nowhere"))] {
        let mut request = ask("nobody", "1", number);
        request.usage_country_code = country.map(str::to_owned);
        let answer = authoriser.authorise(world.terms(), &world.partition, &request, world.now);
        assert_eq!((told(&answer), authoriser.count()), ((true, None, None), 0), "{number} in {country:?}");
    }
    let answer = authoriser.authorise(world.terms(), &world.partition, &ask("nobody", "1", BRITAIN), world.now);
    assert_eq!(reason(&answer), Some(RefusalReason::UnknownOrg));
}

#[test]
fn what_the_rater_would_not_price_is_refused_by_its_reason() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.open("shut", "none");
    world.command("shut", serde_json::json!({ "type": "closeAccount" }));
    let authoriser = Authoriser::default();
    let early = "2025-12-31T23:00:00Z";
    for (org, number, expected) in [
        ("acme", "+33123456789", Some(RefusalReason::NoRow)),
        ("acme", "+0", Some(RefusalReason::BadNumber)),
        ("acme", "***", Some(RefusalReason::NothingVisible)),
        ("acme", "+979123456789", Some(RefusalReason::Blocked)),
        ("acme", BRITAIN, Some(RefusalReason::InsufficientFunds)),
        ("shut", BRITAIN, Some(RefusalReason::OrgClosed)),
        ("shut", "911", None),
        ("acme", "+80012345678", None),
    ] {
        let answer = authoriser.authorise(world.terms(), &world.partition, &ask(org, "1", number), world.now);
        assert_eq!(reason(&answer), expected, "{org} {number}");
        authoriser.release(org, "1", Released::Request);
    }
    let request = AuthorisationRequest { start_date_time: Some(early.into()), ..ask("acme", "1", BRITAIN) };
    let then = at("2026-01-01T00:00:00Z");
    let answer = authoriser.authorise(world.terms(), &world.partition, &request, then);
    assert_eq!(reason(&answer), Some(RefusalReason::NoDeck));
}

#[test]
fn licences_decide_who_draws_credits() {
    let mut world = World::new(ROWS);
    world.open("acme", "required");
    world.buy("acme", "100.00");
    for (user, licences) in
        [("bare", &[][..]), ("payg", &["MCOPSTN_PAYG_1", "MCOPSTNPP"]), ("exempt", &["MCOMEETACPEA"])]
    {
        licences.iter().for_each(|licence| world.licence("acme", user, licence));
    }
    let authoriser = Authoriser::default();
    for (user, expected) in [("bare", Some(RefusalReason::Unlicensed)), ("payg", None), ("exempt", None)] {
        let request = AuthorisationRequest { user_id: Some(user.into()), ..ask("acme", user, BRITAIN) };
        let answer = authoriser.authorise(world.terms(), &world.partition, &request, world.now);
        assert_eq!(reason(&answer), expected, "{user}");
    }
}

#[test]
fn minutes_come_first_and_are_not_promised_twice() {
    let mut world = World::new("prefix,destination,price_per_minute\n1,America,0.60\n");
    world.open("acme", "required");
    // 120 domestic minutes, and no right to draw credits.
    world.licence("acme", "u1", "MCOPSTN5");
    let authoriser = Authoriser::default();
    let ask_for = |call: &str, seconds: u32| {
        let request = AuthorisationRequest { seconds: Some(seconds), ..ask("acme", call, "+12125550100") };
        authoriser.authorise(world.terms(), &world.partition, &request, world.now)
    };
    let first = ask_for("1", 6_000);
    assert_eq!(told(&first), (true, Some(6_000), Some(7_200)));
    assert_eq!(first.funding, [Funding::Pool { pool: "MCOPSTN5/US".into(), minutes: 100 }]);
    assert_eq!(told(&ask_for("2", 6_000)), (true, Some(1_200), Some(1_200)));
    assert_eq!(reason(&ask_for("3", 60)), Some(RefusalReason::FundsPromised));
    assert_eq!(authoriser.promised("acme").money, Money::ZERO);
    assert_eq!(authoriser.promised("acme").minutes.iter().map(|(.., minutes)| minutes).sum::<u64>(), 120);
}

#[test]
fn post_usage_has_no_limit_but_time() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.command("acme", serde_json::json!({ "type": "setMode", "mode": "postUsage" }));
    let authoriser = Authoriser::default();
    let answer = authoriser.authorise(world.terms(), &world.partition, &ask("acme", "1", BRITAIN), world.now);
    assert_eq!(told(&answer), (true, Some(300), Some(14_400)));
    assert_eq!(answer.funding, [Funding::PostUsage { amount: "3.10".into() }]);
    let extension = Extension { org_id: "acme".into(), call_id: "1".into(), seconds: Some(60), ..Extension::default() };
    let answer = authoriser.extend(world.terms(), &world.partition, &extension, world.now.plus_seconds(14_380));
    assert_eq!(reason(&answer), Some(RefusalReason::UnknownReservation), "it was given up long ago");
}

#[test]
fn memory_is_bounded() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.open("b", "none");
    world.buy("acme", "1000.00");
    world.buy("b", "1000.00");
    let authoriser = Authoriser::new(Settings { of_org_count_max: 3, count_max: 5, ..Settings::default() });
    let ask_for = |org: &str, call: usize| {
        let request = ask(org, &call.to_string(), GERMANY);
        reason(&authoriser.authorise(world.terms(), &world.partition, &request, world.now))
    };
    assert_eq!([1, 2, 3, 4].map(|call| ask_for("acme", call)), [None, None, None, Some(RefusalReason::TooManyCalls)]);
    assert_eq!([1, 2, 3].map(|call| ask_for("b", call)), [None, None, Some(RefusalReason::TooManyCalls)]);
    assert_eq!(authoriser.sweep(world.now.plus_seconds(599)), 0);
    assert_eq!((authoriser.sweep(world.now.plus_seconds(600)), authoriser.count()), (5, 0));
}

#[test]
fn the_answer_on_the_wire() {
    let mut world = World::new(ROWS);
    world.open("acme", "none");
    world.buy("acme", "4.00");
    let authoriser = Authoriser::new(Settings { overdraft: money("0.50"), ..Settings::default() });
    let text = r#"{"orgId":"acme","callId":"1","calleeNumber":"+442071838750","seconds":400}"#;
    let request: AuthorisationRequest = serde_json::from_str(text).unwrap();
    let answer = authoriser.authorise(world.terms(), &world.partition, &request, world.now);
    let expected = serde_json::json!({
        "orgId": "acme", "callId": "1", "allowed": true, "maximumSeconds": 420, "grantedSeconds": 400,
        "grantedUntil": "2026-03-01T00:06:40Z",
        "price": { "currency": "USD", "pricePerMinute": "0.60", "connectionFee": "0.10", "initialSeconds": 60,
                   "incrementSeconds": 60, "destination": "Britain", "prefix": "44", "deck": "d", "deckVersion": 1 },
        "funding": [{ "type": "lots", "amount": "4.00" }, { "type": "overdraft", "amount": "0.30" }],
    });
    assert_eq!(serde_json::to_value(&answer).unwrap(), expected);
    let refused = authoriser.authorise(world.terms(), &world.partition, &ask("x", "1", BRITAIN), world.now);
    let refused = serde_json::to_value(&refused).unwrap();
    assert_eq!((&refused["allowed"], &refused["refusal"]["reason"]), (&false.into(), &"unknown-org".into()));
}
