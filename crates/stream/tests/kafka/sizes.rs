//! A message that does not fit is a clear refusal, not an endless repetition.

use drawdown_engine::log::{Log, LogError, Output};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, ResourceSpecifier};
use rdkafka::client::DefaultClientContext;

use crate::desk::{self, open};
use crate::topics::wait;

fn refusal(error: LogError) -> String {
    let LogError::Fatal(text) = error else { panic!("it would be tried again: {error:?}") };
    text
}

#[test]
fn a_message_larger_than_any_is_refused_at_once() {
    let Some(settings) = desk::with_topics("oversized", 1) else { return };
    let (mut log, _) = open(&settings, 0);
    log.begin().expect("a transaction");
    let value = vec![b'x'; 9 << 20];
    let text = refusal(log.append(Output::Rejects, 0, b"org", &value).expect_err("refused"));
    assert!(text.contains("9437187 bytes") && text.contains("rejects") && text.contains("max.message.bytes"), "{text}");
}

#[test]
fn a_message_larger_than_its_topic_takes_is_refused_by_name() {
    let Some(settings) = desk::with_topics("narrow", 1) else { return };
    let topic = settings.topic("debits");
    let admin: AdminClient<DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().expect("a client");
    let narrow = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("max.message.bytes", "1000");
    wait(admin.alter_configs(&[narrow], &AdminOptions::new())).expect("altered")[0].as_ref().expect("altered");
    let (mut log, _) = open(&settings, 0);
    log.begin().expect("a transaction");
    // Bytes that do not compress.
    let value: Vec<u8> = (0..4_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let ended =
        log.append(Output::Debits, 0, b"org", &value).and_then(|()| log.commit(&[])).and_then(|()| log.settle());
    let text = refusal(ended.expect_err("refused"));
    assert!(text.contains(&topic) && text.contains("max.message.bytes"), "{text}");
}

#[test]
fn a_message_as_large_as_can_be_passes() {
    let Some(settings) = desk::with_topics("largest", 1) else { return };
    let (mut log, _) = open(&settings, 0);
    let mut state = 1_u32;
    let value = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b' ' + (state >> 25) as u8 % 95
    });
    let value: Vec<u8> = value.take((8 << 20) - 3).collect();
    log.begin().expect("a transaction");
    log.append(Output::Rejects, 0, b"org", &value).expect("appended");
    log.commit(&[]).expect("on its way");
    log.settle().expect("committed");
    assert_eq!(desk::await_committed(&settings, "rejects", 1)[&0][0].len(), value.len());
}
