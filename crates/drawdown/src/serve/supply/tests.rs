//! What is taken up, in whatever order it comes, and what may not be published.

use drawdown_rating::{NoDeck, Product};
use drawdown_units::Timestamp;

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn deck(version: u32, effective_from: &str) -> Bundle {
    let text = |text: &str| text.to_owned();
    Bundle::Deck {
        id: text("d"),
        version,
        manifest_name: format!("d-{version}.toml"),
        manifest: format!(
            "id = \"d\"\nversion = {version}\ncurrency = \"USD\"\neffectiveFrom = \"{effective_from}\"\nrows = \"r.csv\"\n"
        ),
        rows_name: text("r.csv"),
        rows: text("prefix,price_per_minute\n44,1\n"),
    }
}

fn withdrawal(version: u32, at_text: &str) -> Bundle {
    Bundle::Withdrawal { id: "d".to_owned(), version, at: at(at_text) }
}

fn take_up(supply: &Supply, bundle: Bundle) {
    assert_eq!(supply.take_up(vec![bundle]), [Ok(())]);
}

/// The version that prices a call.
fn version_at(supply: &Supply, start: &str) -> Result<u32, NoDeck> {
    let catalogue = supply.current().expect("a catalogue");
    let plan = catalogue.plan("any").expect("one deck serves every name");
    catalogue.deck_in_force(plan, Product::Outbound, at(start)).map(|deck| deck.version())
}

#[test]
fn a_withdrawal_holds_in_whatever_order_it_comes() {
    let [first, second] = [deck(1, "2026-01-01T00:00:00Z"), deck(2, "2026-02-01T00:00:00Z")];
    let withdrawn = withdrawal(2, "2026-02-10T00:00:00Z");
    let three = [&first, &second, &withdrawn];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let together = Supply::default();
        assert_eq!(together.take_up(order.map(|index| three[index].clone()).to_vec()), [Ok(()), Ok(()), Ok(())]);
        let singly = Supply::default();
        order.into_iter().for_each(|index| take_up(&singly, three[index].clone()));
        for supply in [together, singly] {
            assert_eq!(version_at(&supply, "2026-02-05T00:00:00Z"), Ok(1), "{order:?}");
            assert_eq!(supply.standing("d", 1), Standing::Published);
            assert_eq!(supply.standing("d", 2), Standing::Withdrawn(at("2026-02-10T00:00:00Z")));
            assert_eq!(supply.standing("d", 3), Standing::Unknown);
        }
    }
}

#[test]
fn where_every_version_is_withdrawn_calls_have_no_deck_and_the_next_version_prices_them() {
    let supply = Supply::default();
    take_up(&supply, deck(1, "2026-01-01T00:00:00Z"));
    take_up(&supply, withdrawal(1, "2026-02-10T00:00:00Z"));
    assert_eq!(version_at(&supply, "2026-02-05T00:00:00Z"), Err(NoDeck::NoneInForce));
    assert_eq!(supply.versions(), [("d".to_owned(), 0)].into());
    take_up(&supply, deck(2, "2026-01-01T00:00:00Z"));
    assert_eq!(version_at(&supply, "2026-02-05T00:00:00Z"), Ok(2));
    assert_eq!(supply.versions(), [("d".to_owned(), 2)].into());
}

#[test]
fn a_withdrawn_version_is_not_published_again() {
    let supply = Supply::default();
    let first = deck(1, "2026-01-01T00:00:00Z");
    take_up(&supply, first.clone());
    assert_eq!(supply.check(&first), Ok(()), "what is in force may be published again");
    take_up(&supply, withdrawal(1, "2026-02-10T00:00:00Z"));
    take_up(&supply, withdrawal(1, "2026-02-11T00:00:00Z"));
    let refusal = "deck d: version: version 1 was withdrawn at 2026-02-10T00:00:00Z, which is for good; give the changed \
                   deck a higher version";
    for refused in [supply.check(&first), supply.may_be_published(&first)] {
        assert_eq!(refused.expect_err("it is withdrawn")[0].to_string(), refusal);
    }
    assert_eq!(supply.check(&deck(2, "2026-01-01T00:00:00Z")), Ok(()));
}

#[test]
fn of_two_contents_of_a_version_the_first_counts() {
    let [first, second] = ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"].map(|from| deck(1, from));
    let together = Supply::default();
    let outcomes = together.take_up(vec![first.clone(), second.clone()]);
    assert_eq!(outcomes[0], Ok(()));
    let refusal = "deck d: version: version 1 is in force with other content, and debits name it; give the changed deck a \
                   higher version";
    assert_eq!(outcomes[1].as_ref().expect_err("another content")[0].to_string(), refusal);
    let singly = Supply::default();
    take_up(&singly, first.clone());
    assert!(singly.take_up(vec![second])[0].is_err());
    for supply in [together, singly] {
        assert!(supply.holds(&first));
        assert_eq!(version_at(&supply, "2026-01-15T00:00:00Z"), Ok(1));
    }
}
