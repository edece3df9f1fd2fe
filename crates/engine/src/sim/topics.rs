//! All partitions of all topics.

use std::collections::BTreeMap;

use super::stream::Stream;
use crate::log::{Input, Output};

/// A partition of a topic.
pub(super) type StreamId = (Topic, u32);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Topic {
    In(Input),
    Out(Output),
}

#[derive(Debug)]
pub(super) struct Topics {
    streams: BTreeMap<StreamId, Stream>,
}

impl Topics {
    pub fn new(partitions: u32) -> Self {
        let inputs = Input::ALL.map(Topic::In);
        let topics = inputs.into_iter().chain(Output::ALL.map(Topic::Out));
        let ids = topics.flat_map(|topic| (0..partitions).map(move |partition| (topic, partition)));
        Topics { streams: ids.map(|id| (id, Stream::default())).collect() }
    }

    pub fn get(&self, topic: Topic, partition: u32) -> &Stream {
        self.streams.get(&(topic, partition)).expect("invariant: only partitions that exist are asked for")
    }

    pub fn get_mut(&mut self, id: StreamId) -> &mut Stream {
        self.streams.get_mut(&id).expect("invariant: only partitions that exist are asked for")
    }
}
