//! Topics are made, checked, and looked at before a worker starts.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use drawdown_stream::kafka::topics::{check, create};
use drawdown_stream::kafka::{ConnectError, KafkaLog};
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::desk;

#[test]
fn topics_are_made_once_and_are_right() {
    let Some(settings) = desk::settings("create") else { return };
    let missing = check(&settings, 7).expect("an answer");
    assert_eq!(missing.len(), 8, "{missing:?}");
    let created = create(&settings, &desk::plan(4)).expect("created");
    assert_eq!(created.len(), 8);
    assert!(created.contains(&settings.topic("account-events")));
    assert_eq!(create(&settings, &desk::plan(4)).expect("nothing to do"), Vec::<String>::new());
    assert_eq!(check(&settings, 7).expect("an answer"), Vec::new());
    let faults = check(&settings, 30).expect("an answer");
    assert_eq!(faults.iter().map(|fault| fault.topic.clone()).collect::<Vec<_>>(), [settings.topic("seen")]);
}

#[test]
fn a_wrong_topic_is_named() {
    let Some(settings) = desk::with_topics("wrong", 4) else { return };
    let admin: AdminClient<DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().expect("a client");
    let topic = settings.topic("accounts");
    let wrong = AlterConfig::new(ResourceSpecifier::Topic(&topic)).set("cleanup.policy", "delete");
    wait(admin.alter_configs(&[wrong], &AdminOptions::new())).expect("altered")[0].as_ref().expect("altered");
    let expected = format!("{topic}: is cleaned up by delete; set cleanup.policy to compact");
    let deadline = Instant::now() + desk::PATIENCE;
    // A broker learns of it a little later.
    loop {
        let faults: Vec<_> = check(&settings, 7).expect("an answer").iter().map(ToString::to_string).collect();
        if faults.contains(&expected) {
            return;
        }
        assert!(Instant::now() < deadline, "{faults:#?}");
    }
}

#[test]
fn a_worker_does_not_start_on_topics_that_do_not_fit() {
    let Some(settings) = desk::settings("unfit") else { return };
    let admin: AdminClient<DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &settings.brokers).create().expect("a client");
    let seen = settings.topic("seen");
    let narrow = NewTopic::new(&seen, 2, TopicReplication::Fixed(1));
    wait(admin.create_topics(&[narrow], &AdminOptions::new())).expect("created")[0].as_ref().expect("created");
    let Err(ConnectError::Topics(faults)) = KafkaLog::connect(&settings, 0) else { panic!("it starts") };
    assert!(faults.len() >= 6, "{faults:#?}");
    create(&settings, &desk::plan(4)).expect("the others are created");
    let Err(ConnectError::Topics(faults)) = KafkaLog::connect(&settings, 0) else { panic!("it starts") };
    assert!(faults.len() == 1 && faults[0].starts_with(&format!("{seen}: has 2 partitions")), "{faults:#?}");
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for an administrative call.
pub fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
