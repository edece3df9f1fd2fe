//! Which process of the group owns which partition, as the group's coordinator has it: asked by whoever must reach the
//! process that decides for an organisation.
//!
//! A member says in its client id where its process is reached. What is known may be a moment old: who is asked in vain
//! says so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use drawdown_engine::log::Input;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;

use super::KafkaSettings;
use super::heard::{Context, Heard};
use super::partitioner::PartitionCount;
use super::settings::Role;

/// How long what is known is used.
const FRESH_FOR: Duration = Duration::from_secs(2);

/// What stands between a client id and the address in it.
pub(super) const MARK: &str = " at ";

/// The owners of the partitions of `commands`.
pub struct Owners {
    settings: KafkaSettings,
    partitions: PartitionCount,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    consumer: Option<BaseConsumer<Context>>,
    owners: HashMap<u32, String>,
    read: Option<Instant>,
}

impl Owners {
    /// Connects when it is first asked.
    pub fn new(settings: &KafkaSettings) -> Self {
        let partitions = PartitionCount::of(settings.topic(Input::Commands.name()));
        Owners { settings: settings.clone(), partitions, state: Mutex::default() }
    }

    /// The partition of an organisation, and where the process that owns it is reached; `None` while nobody does, or
    /// while it does not say where.
    ///
    /// # Errors
    /// The brokers cannot be asked.
    pub fn of(&self, org: &str) -> Result<(u32, Option<String>), KafkaError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { consumer, owners, read } = &mut *state;
        let consumer = match consumer {
            Some(consumer) => consumer,
            None => {
                let context = Context { heard: Arc::new(Heard::default()) };
                let config = self.settings.client(Role::Probe, u32::MAX);
                consumer.insert(BaseConsumer::from_config_and_context(&config, context)?)
            }
        };
        let partition = self.partitions.partition(consumer, org, self.settings.connect_timeout)?;
        if read.is_none_or(|read| read.elapsed() > FRESH_FOR) {
            *owners = self.read(consumer)?;
            *read = Some(Instant::now());
        }
        Ok((partition, owners.get(&partition).cloned()))
    }

    /// The partition of an organisation, if it is known how many there are.
    pub fn partition(&self, org: &str) -> Option<u32> {
        self.partitions.known(org)
    }

    /// What is known is wrong: it is asked again before it is used.
    pub fn forget(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).read = None;
    }

    /// Every partition whose owner says where it is reached.
    fn read(&self, consumer: &BaseConsumer<Context>) -> Result<HashMap<u32, String>, KafkaError> {
        let topic = self.settings.topic(Input::Commands.name());
        let groups = consumer.fetch_group_list(Some(&self.settings.group), self.settings.connect_timeout)?;
        let mut owners = HashMap::new();
        for member in groups.groups().iter().flat_map(|group| group.members()) {
            let Some((_, address)) = member.client_id().split_once(MARK) else { continue };
            let partitions = member.assignment().and_then(|assignment| assigned(assignment, &topic));
            owners.extend(partitions.unwrap_or_default().into_iter().map(|it| (it, address.to_owned())));
        }
        Ok(owners)
    }
}

/// The partitions of a topic in an assignment of the consumer protocol: a version, then for each topic its name and
/// its partitions.
fn assigned(bytes: &[u8], topic: &str) -> Option<Vec<u32>> {
    let mut rest = bytes.get(2..)?;
    let mut found = Vec::new();
    for _ in 0..number(&mut rest)? {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (name, after) = after.split_at_checked(length)?;
        rest = after;
        for _ in 0..number(&mut rest)? {
            let partition = number(&mut rest)?;
            if name == topic.as_bytes() {
                found.push(partition);
            }
        }
    }
    Some(found)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(u32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_read_and_a_cut_one_is_not() {
        let mut bytes = vec![0, 1, 0, 0, 0, 2];
        for (name, partitions) in [("cdrs", &[0u32, 1][..]), ("commands", &[2, 5])] {
            bytes.extend((name.len() as u16).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend((partitions.len() as u32).to_be_bytes());
            partitions.iter().for_each(|partition| bytes.extend(partition.to_be_bytes()));
        }
        assert_eq!(assigned(&bytes, "commands"), Some(vec![2, 5]));
        assert_eq!(assigned(&bytes, "other"), Some(vec![]));
        for cut in 0..bytes.len() {
            assert_eq!(assigned(&bytes[..cut], "commands"), None, "cut at {cut}");
        }
    }
}
