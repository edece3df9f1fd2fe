use super::{KafkaSettings, Role};

fn with(properties: &[(&str, &str)]) -> KafkaSettings {
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    KafkaSettings { properties, ..KafkaSettings::default() }
}

#[test]
fn a_property_reaches_the_clients_that_it_is_for() {
    let settings =
        with(&[("linger.ms", "7"), ("producer.compression.type", "zstd"), ("consumer.fetch.min.bytes", "9")]);
    assert_eq!(settings.faults(), Vec::<String>::new());
    let producer = settings.client(Role::Producer, 3);
    assert_eq!(producer.get("linger.ms"), Some("7"));
    assert_eq!(producer.get("compression.type"), Some("zstd"));
    assert_eq!(producer.get("fetch.min.bytes"), None);
    assert_eq!(producer.get("transactional.id"), Some("drawdown-0-3"));
    let member = settings.client(Role::Member, 3);
    assert_eq!(member.get("fetch.min.bytes"), Some("9"));
    assert_eq!(member.get("compression.type"), None);
}

#[test]
fn what_exactly_once_rests_on_is_refused() {
    let faults = with(&[("consumer.isolation.level", "read_uncommitted"), ("group.id", "other")]).faults();
    assert_eq!(
        faults,
        [
            "property consumer.isolation.level: exactly-once rests on it, so it cannot be set",
            "property group.id: set `group` instead"
        ]
    );
}

/// Else commands would reach another partition than the calls of their organisation.
#[test]
fn how_partitions_are_chosen_is_not_to_be_set() {
    for name in ["partitioner", "producer.partitioner", "consumer.partitioner"] {
        let expected = format!("property {name}: exactly-once rests on it, so it cannot be set");
        assert_eq!(with(&[(name, "random")]).faults(), [expected]);
    }
}

#[test]
fn an_unknown_property_is_named() {
    let faults = with(&[("producer.no.such.thing", "1")]).faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("no.such.thing"), "{faults:?}");
}

#[test]
fn secrets_are_not_shown() {
    let settings = with(&[("sasl.username", "ann"), ("sasl.password", "hunter2"), ("producer.ssl.key.pem", "hunter3")]);
    let shown = format!("{settings:?}");
    assert!(shown.contains("ann") && !shown.contains("hunter"), "{shown}");
}
