//! Which deck prices a call, and which catalogues are refused.

use super::*;
use crate::testing::{at, compile, joined};

fn deck(id: &str, version: u32, currency: &str, effective_from: &str) -> Deck {
    let manifest = format!(
        "id = \"{id}\"\nversion = {version}\ncurrency = \"{currency}\"\neffectiveFrom = \"{effective_from}\"\nrows = \"r.csv\"\n"
    );
    compile(&manifest, b"prefix,price_per_minute\n44,1\n").map(|compiled| compiled.deck).expect("a deck")
}

fn plan(id: &str, currency: &str, outbound: &str) -> RatePlan {
    let text = format!("id = \"{id}\"\ncurrency = \"{currency}\"\n[products]\noutbound = \"{outbound}\"\n");
    RatePlan::parse(&format!("{id}.toml"), &text).unwrap_or_else(|faults| panic!("{}", joined(&faults)))
}

fn refuses(decks: Vec<Deck>, plans: Vec<RatePlan>, faults: &[&str]) {
    let found = Catalogue::new(decks, plans).expect_err("faults");
    assert_eq!(joined(&found), faults.join("\n"));
}

/// boundaries.md C4, C5: inclusive; the higher version wins at the same instant, the later one otherwise.
#[test]
fn the_version_in_force_is_the_latest_at_the_calls_start() {
    let decks = vec![
        deck("d", 3, "USD", "2026-02-01T00:00:00Z"),
        deck("d", 1, "USD", "2026-01-01T00:00:00Z"),
        deck("d", 2, "USD", "2026-02-01T00:00:00Z"),
        // Published last with an older date.
        deck("d", 4, "USD", "2026-01-15T00:00:00Z"),
        deck("other", 9, "USD", "2026-01-01T00:00:00Z"),
    ];
    let catalogue = Catalogue::new(decks, vec![plan("p", "USD", "d")]).expect("a catalogue");
    let plan = catalogue.plan("p").expect("the plan");
    for (start, version) in [
        ("2025-12-31T23:59:59.999999999Z", Err(NoDeck::NoneInForce)),
        ("2026-01-01T00:00:00Z", Ok(1)),
        ("2026-01-14T23:59:59.9999999Z", Ok(1)),
        ("2026-01-15T00:00:00Z", Ok(4)),
        ("2026-02-01T00:00:00Z", Ok(3)),
        ("2030-01-01T00:00:00Z", Ok(3)),
    ] {
        let found = catalogue.deck_in_force(plan, Product::Outbound, at(start)).map(Deck::version);
        assert_eq!(found, version, "{start}");
    }
    let inbound = catalogue.deck_in_force(plan, Product::TollFreeInbound, at("2026-03-01T00:00:00Z"));
    assert_eq!(inbound.map(Deck::version), Err(NoDeck::ProductNotSold));
    assert_eq!(catalogue.plan("q"), None);
    assert_eq!(catalogue.deck("d", 2).map(Deck::version), Some(2));
    assert!(catalogue.deck("d", 5).is_none());
    assert_eq!(catalogue.decks().len(), 5);
}

/// A call that no version is left for has no deck; the plan that names the deck, and its currency, stand.
#[test]
fn a_withdrawn_version_leaves_its_calls_to_the_one_before() {
    let since = at("2026-03-01T00:00:00Z");
    let first = |is_withdrawn: bool| {
        let first = deck("d", 1, "USD", "2026-01-01T00:00:00Z");
        if is_withdrawn { first.withdrawn(since) } else { first }
    };
    for (is_first_withdrawn, in_february) in [(false, Ok(1)), (true, Err(NoDeck::NoneInForce))] {
        let decks = vec![
            first(is_first_withdrawn),
            deck("d", 2, "USD", "2026-02-01T00:00:00Z").withdrawn(since),
            deck("d", 3, "USD", "2026-04-01T00:00:00Z"),
        ];
        let catalogue = Catalogue::new(decks, vec![plan("p", "USD", "d")]).expect("a catalogue");
        let plan = catalogue.plan("p").expect("the plan");
        let version_at = |start| catalogue.deck_in_force(plan, Product::Outbound, at(start)).map(Deck::version);
        assert_eq!(version_at("2026-02-10T00:00:00Z"), in_february);
        assert_eq!(version_at("2026-03-10T00:00:00Z"), in_february, "since when it is withdrawn does not matter");
        assert_eq!(version_at("2026-04-01T00:00:00Z"), Ok(3));
        assert_eq!(catalogue.deck("d", 2).and_then(Deck::withdrawn_at), Some(since));
    }
}

/// Its number stays taken, and its currency stays the deck's.
#[test]
fn what_a_withdrawn_version_said_still_binds() {
    let from = "2026-01-01T00:00:00Z";
    let withdrawn = || deck("d", 1, "USD", from).withdrawn(at(from));
    refuses(
        vec![withdrawn(), deck("d", 1, "USD", from)],
        Vec::new(),
        &[
            "test.toml: version: test.toml has version 1 of deck d too; a published version never changes: number the new one \
         higher",
        ],
    );
    refuses(
        vec![withdrawn(), deck("d", 2, "EUR", from)],
        Vec::new(),
        &[
            "test.toml: currency: version 2 is in EUR, another in USD; a deck keeps its currency: give the other one another id",
        ],
    );
    let catalogue =
        Catalogue::new(vec![withdrawn()], vec![plan("p", "USD", "d")]).expect("its plan still names a deck");
    assert_eq!(catalogue.plan_currency(catalogue.plan("p").expect("the plan")).as_str(), "USD");
}

#[test]
fn a_single_deck_without_a_plan_serves_every_plan_name() {
    let decks = vec![deck("d", 2, "EUR", "2026-02-01T00:00:00Z"), deck("d", 1, "EUR", "2026-01-01T00:00:00Z")];
    let catalogue = Catalogue::new(decks, Vec::new()).expect("a catalogue");
    let plan = catalogue.plan("whatever").expect("a plan");
    assert_eq!(catalogue.plan(""), Some(plan));
    assert_eq!(catalogue.plan_currency(plan).as_str(), "EUR");
    for product in Product::ALL {
        let found = catalogue.deck_in_force(plan, product, at("2026-01-20T00:00:00Z")).map(Deck::version);
        assert_eq!(found, Ok(1));
    }
}

#[test]
fn contradictions_are_refused() {
    let from = "2026-01-01T00:00:00Z";
    refuses(Vec::new(), Vec::new(), &["catalogue: there is no deck; give at least one"]);
    refuses(
        vec![deck("a", 1, "USD", from), deck("b", 1, "USD", from)],
        Vec::new(),
        &["test.toml: there are several decks (a, b) and no rate plan; give a rate plan that says which serves what"],
    );
    refuses(
        vec![deck("a", 1, "USD", from), deck("a", 2, "EUR", from)],
        Vec::new(),
        &[
            "test.toml: currency: version 2 is in EUR, another in USD; a deck keeps its currency: give the other one another id",
        ],
    );
    refuses(
        vec![deck("a", 1, "USD", from), deck("a", 1, "USD", "2027-01-01T00:00:00Z")],
        Vec::new(),
        &[
            "test.toml: version: test.toml has version 1 of deck a too; a published version never changes: number the new one \
         higher",
        ],
    );
    refuses(
        vec![deck("a", 1, "USD", from)],
        vec![plan("p", "EUR", "a"), plan("q", "USD", "b"), plan("q", "USD", "a")],
        &[
            "q.toml: id: q.toml has a rate plan q too; give them different ids",
            "p.toml: outbound: deck a version 1 is in USD, the plan in EUR; nothing is converted: use a deck in the plan's \
             currency",
            "q.toml: outbound: there is no deck b; give it too, or name another",
        ],
    );
}

#[test]
fn a_plan_says_what_is_wrong_with_it() {
    for (text, faults) in [
        (
            "id = \"p\"\ncurrency = \"EURO\"\nprice = 1\n[products]\nsms = \"d\"\noutbound = 1\n",
            "p.toml:2: currency: \"EURO\" is no currency; write three capital letters, such as USD\n\
             p.toml:6: outbound: integer 1 does not fit here; write a text in quotes\n\
             p.toml:5: sms: \"sms\" is no product; known are outbound, toll-free-inbound\n\
             p.toml:3: price: unknown key; known are id, currency, products",
        ),
        (
            "id = \"p\"\ncurrency = \"EUR\"\n[products]\n",
            "p.toml:3: products: the plan sells nothing; name a deck for a product",
        ),
    ] {
        assert_eq!(joined(&RatePlan::parse("p.toml", text).expect_err("faults")), faults);
    }
}
