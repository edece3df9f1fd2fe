//! Making topics and asking for their settings: the calls.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::types::RDKafkaErrorCode;

use super::{DECKS, TopicPlan, rules};
use crate::kafka::heard::{Context, Heard};
use crate::kafka::settings::Role;
use crate::kafka::{ConnectError, KafkaSettings};

const REQUEST: Duration = Duration::from_secs(30);

fn client(settings: &KafkaSettings, heard: &Arc<Heard>) -> Result<AdminClient<Context>, ConnectError> {
    let context = Context { heard: Arc::clone(heard) };
    AdminClient::from_config_and_context(&settings.client(Role::Probe, 0), context)
        .map_err(|error| ConnectError::Client(error.to_string()))
}

fn options() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(REQUEST)).operation_timeout(Some(REQUEST))
}

pub(super) fn create(
    settings: &KafkaSettings,
    heard: &Arc<Heard>,
    names: &[&str],
    plan: &TopicPlan,
) -> Result<(), ConnectError> {
    let topics: Vec<_> = names.iter().map(|name| (settings.topic(name), rules::settings(name, plan), *name)).collect();
    let new = topics.iter().map(|(full, settings, name)| {
        let partitions = if *name == DECKS { 1 } else { plan.partitions };
        let topic = NewTopic::new(full, partitions as i32, TopicReplication::Fixed(i32::from(plan.replication)));
        settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value))
    });
    let new: Vec<_> = new.collect();
    if new.is_empty() {
        return Ok(());
    }
    let results = wait(client(settings, heard)?.create_topics(&new, &options()))
        .map_err(|error| ConnectError::Client(format!("cannot create topics: {error}")))?;
    let refused = results.into_iter().filter_map(Result::err);
    // Someone else may make them at the same time.
    let refused = refused.filter(|(_, code)| *code != RDKafkaErrorCode::TopicAlreadyExists);
    let faults: Vec<_> = refused.map(|(topic, code)| format!("{topic}: cannot be created: {code}")).collect();
    if faults.is_empty() { Ok(()) } else { Err(ConnectError::Topics(faults)) }
}

/// The settings of topics that are there, defaults included.
pub(super) fn describe(
    settings: &KafkaSettings,
    heard: &Arc<Heard>,
    topics: &[String],
) -> Result<BTreeMap<String, BTreeMap<String, String>>, ConnectError> {
    if topics.is_empty() {
        return Ok(BTreeMap::new());
    }
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let failed = |error: &dyn std::fmt::Display| {
        ConnectError::Client(format!(
            "cannot read the settings of topics: {error} (the right to describe settings is needed)"
        ))
    };
    let results =
        wait(client(settings, heard)?.describe_configs(&resources, &options())).map_err(|error| failed(&error))?;
    let mut described = BTreeMap::new();
    for result in results {
        let resource = result.map_err(|code| failed(&code))?;
        let OwnedResourceSpecifier::Topic(name) = resource.specifier else { continue };
        let entries = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
        described.insert(name, entries.collect());
    }
    Ok(described)
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The administrative calls are futures; there is nothing else to do here meanwhile. They end by their timeouts.
fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = TaskContext::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
