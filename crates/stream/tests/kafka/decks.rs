//! The topic of decks: what is published is read whole, by whoever comes later too, and what withdraws a version stands
//! beside it.

use std::time::{Duration, Instant};

use drawdown_stream::bundle::Bundle;
use drawdown_stream::kafka::KafkaSettings;
use drawdown_stream::kafka::decks::Decks;
use drawdown_stream::kafka::publish::{DeckPublisher, PublishError};
use drawdown_units::Timestamp;

use crate::desk;

#[test]
fn a_withdrawal_does_not_take_the_place_of_its_deck() {
    let Some(settings) = desk::with_topics("decks", 1) else { return };
    let text = |text: &str| text.to_owned();
    // More than a message holds, and not to be compressed to less.
    let rows: String =
        (0_u64..300_000).map(|row| format!("{:x},1\n", row.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    let deck = Bundle::Deck {
        id: text("gold"),
        version: 3,
        manifest_name: text("gold.toml"),
        manifest: text("id = \"gold\""),
        rows_name: text("gold.csv"),
        rows,
    };
    let at = Timestamp::parse("2026-03-16T12:00:00Z").expect("an instant");
    let withdrawal = Bundle::Withdrawal { id: text("gold"), version: 3, at };
    let publisher = DeckPublisher::begin(&settings).expect("a publisher");
    for bundle in [&deck, &withdrawal] {
        publisher.publish(bundle).expect("published");
    }
    assert_eq!(on_topic(&settings), [Ok(deck), Ok(withdrawal)]);
}

#[test]
fn who_begins_later_fences_who_began_before() {
    let Some(settings) = desk::with_topics("publishers", 1) else { return };
    let plan = |text: &str| Bundle::RatePlan {
        id: "gold".to_owned(),
        file_name: "gold.toml".to_owned(),
        text: text.to_owned(),
    };
    let before = DeckPublisher::begin(&settings).expect("a publisher");
    before.publish(&plan("a first")).expect("published");
    let mut elsewhere = settings.clone();
    elsewhere.transactional_prefix.push_str("-of-another-process");
    let later = DeckPublisher::begin(&elsewhere).expect("a publisher");
    let overtaken = before.publish(&plan("a second")).expect_err("somebody else publishes");
    assert!(matches!(overtaken, PublishError::Overtaken), "{overtaken}");
    later.publish(&plan("a third")).expect("published");
    assert_eq!(on_topic(&settings), [Ok(plan("a first")), Ok(plan("a third"))]);
}

/// What a reader finds who comes now.
fn on_topic(settings: &KafkaSettings) -> Vec<Result<Bundle, String>> {
    let mut topic = Decks::open(settings).expect("the topic");
    let (mut found, deadline) = (Vec::new(), Instant::now() + desk::PATIENCE);
    loop {
        let news = topic.read(Duration::from_millis(100)).expect("it is read");
        found.extend(news.bundles);
        if news.is_caught_up {
            return found;
        }
        assert!(Instant::now() < deadline, "it does not end");
    }
}
