use super::*;

fn planned() -> BTreeMap<&'static str, Topic> {
    let plan = TopicPlan::default();
    let topic = |name| {
        let settings = settings(name, &plan).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Topic { partitions: if name == DECKS { 1 } else { plan.partitions }, replication: 3, settings }
    };
    names().map(|name| (name, topic(name))).collect()
}

/// The faults of topics as planned, but for one change.
fn check(change: impl FnOnce(&mut BTreeMap<&'static str, Topic>), expected: &[&str]) {
    let mut topics = planned();
    change(&mut topics);
    let faults: Vec<_> = faults(&topics, 3, 7).iter().map(ToString::to_string).collect();
    let is_expected =
        faults.len() == expected.len() && faults.iter().zip(expected).all(|(is, was)| is.starts_with(was));
    assert!(is_expected, "{faults:#?}");
}

fn set(topics: &mut BTreeMap<&'static str, Topic>, name: &str, key: &str, value: &str) {
    topics.get_mut(name).expect("a topic").settings.insert(key.to_owned(), value.to_owned());
}

#[test]
fn as_planned_is_right() {
    check(|_| {}, &[]);
}

#[test]
fn each_wrong_setting_is_named() {
    let cases = [
        ("accounts", "cleanup.policy", "delete", "accounts: is cleaned up by delete; set cleanup.policy to compact"),
        ("accounts", "cleanup.policy", "compact,delete", "accounts: is cleaned up by compact,delete"),
        ("decks", "cleanup.policy", "delete", "decks: is cleaned up by delete"),
        ("debits", "cleanup.policy", "compact", "debits: is cleaned up by compact; set cleanup.policy to delete"),
        ("accounts", "segment.bytes", "1073741824", "accounts: has segments of 1073741824 bytes"),
        ("accounts", "min.cleanable.dirty.ratio", "0.5", "accounts: is compacted only once 0.5"),
        ("rejects", "max.message.bytes", "1048588", "rejects: takes messages of 1048588 bytes at most"),
        (
            "cdrs",
            "max.message.bytes",
            "8388608",
            "cdrs: takes messages of 8388608 bytes; set max.message.bytes to 1398101",
        ),
        ("debits", "min.insync.replicas", "1", "debits: takes a message that only 1 broker has"),
        ("debits", "min.insync.replicas", "3", "debits: needs all of its 3 copies"),
        ("cdrs", "unclean.leader.election.enable", "true", "cdrs: may be led by a broker that lacks messages"),
        ("seen", "retention.ms", "864000000", "seen: is kept for 10 days; set retention.ms to 1382400000 or more"),
        ("debits", "retention.ms", "864000000", "debits: is kept for 10 days"),
        ("seen", "retention.bytes", "1000000000", "seen: is cut to 1000000000 bytes"),
    ];
    for (topic, key, value, fault) in cases {
        check(|topics| set(topics, topic, key, value), &[fault]);
    }
}

#[test]
fn inputs_that_are_kept_for_ever_need_identities_that_are() {
    let both = ["seen: is kept for 16 days; set retention.ms to -1", "debits: is kept for 90 days"];
    check(|topics| set(topics, "cdrs", "retention.ms", "-1"), &both);
    check(
        |topics| {
            set(topics, "cdrs", "retention.ms", "-1");
            set(topics, "seen", "retention.ms", "-1");
            set(topics, "debits", "retention.ms", "-1");
        },
        &[],
    );
}

#[test]
fn topics_must_be_there_and_fit_together() {
    check(|topics| drop(topics.remove("rejects")), &["rejects: is missing"]);
    check(|topics| drop(topics.remove("decks")), &["decks: is missing"]);
    check(|topics| topics.get_mut("seen").expect("seen").partitions = 8, &["seen: has 8 partitions where cdrs has 16"]);
    check(|topics| topics.get_mut("decks").expect("decks").partitions = 2, &["decks: has 2 partitions"]);
}

#[test]
fn copies_are_asked_for_as_far_as_there_are_brokers() {
    check(
        |topics| topics.get_mut("cdrs").expect("cdrs").replication = 2,
        &["cdrs: has 2 copies on 3 brokers", "cdrs: needs all of its 2 copies"],
    );
    let mut topics = planned();
    for topic in topics.values_mut() {
        topic.replication = 1;
        topic.settings.insert("min.insync.replicas".to_owned(), "1".to_owned());
    }
    assert_eq!(faults(&topics, 1, 7), Vec::new());
}
