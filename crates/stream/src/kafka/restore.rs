//! Reads back the state of partitions that were just assigned.
//!
//! Invariant: the committed offsets are known before the ends of the state topics are looked up. An owner of before may
//! have sent offsets while it still was the owner, and its messages may reach the broker after we are; as long as its
//! transaction is not over, the offsets are not told. Once they are told, all that belongs to them lies before the ends.

use std::collections::VecDeque;
use std::ffi::CString;
use std::ops::Range;
use std::time::{Duration, Instant};

use drawdown_engine::log::{Input, LogError, Output, Progress, Saved};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset;

use super::cursors::Cursor;
use super::ffi::{Message, TopicHandle};
use super::heard::Context;
use super::probe::Probe;
use super::reader::{Reader, Span};

/// How long one call may take, so that the member can take its turn.
const SLICE: Duration = Duration::from_millis(20);

/// How long to wait for committed offsets, which a broker holds back while a transaction of the last owner is open.
const OFFSETS: Duration = Duration::from_millis(250);

/// Why reading has not begun.
const NO_ENDS: &str = "no broker says where a partition begins and ends";
/// How often that is told.
const NOTICE: Duration = Duration::from_secs(10);

/// The topics whose contents are read back.
const STATE: [Output; 2] = [Output::Accounts, Output::Seen];

/// Full names, and what else a restore needs of its log.
pub(super) struct Source<'a> {
    pub member: &'a BaseConsumer<Context>,
    pub probe: &'a Probe,
    pub topic: &'a dyn Fn(&str) -> String,
    pub open: &'a dyn Fn(Vec<Span>) -> Result<Reader, LogError>,
}

/// On its way.
pub(super) struct Restore {
    partitions: Vec<u32>,
    /// What the inputs are to be read from.
    cursors: Vec<Cursor>,
    stage: Stage,
    progress: Progress,
    standstill: Standstill,
}

/// How long a restore has been waiting for brokers, so that an operator learns of it.
struct Standstill {
    since: Instant,
    told: Instant,
}

impl Standstill {
    fn begin() -> Self {
        let now = Instant::now();
        Standstill { since: now, told: now }
    }

    fn tell(&mut self, partitions: &[u32], why: &str) {
        if self.told.elapsed() >= NOTICE {
            self.told = Instant::now();
            let waited_s = self.since.elapsed().as_secs();
            tracing::warn!(?partitions, waited_s, "reading back has not begun: {why}");
        }
    }
}

enum Stage {
    /// Waits for what was committed.
    Offsets,
    /// Looks where partitions begin and end, one after the other.
    Ends {
        inputs: VecDeque<usize>,
        state: VecDeque<(Output, u32)>,
        spans: Vec<Span>,
    },
    Reading(Box<Reader>, Option<(TopicHandle, Output)>),
}

impl Restore {
    pub fn new(partitions: &[u32]) -> Self {
        let partitions = partitions.to_vec();
        let (stage, progress) = (Stage::Offsets, Progress::default());
        Restore { partitions, cursors: Vec::new(), stage, progress, standstill: Standstill::begin() }
    }

    /// Of restored partitions, from where their inputs go on.
    pub fn into_cursors(self) -> Vec<Cursor> {
        self.cursors
    }

    /// Goes on for a while.
    pub fn step(&mut self, source: &Source<'_>, each: &mut dyn FnMut(Saved<'_>)) -> Result<Progress, LogError> {
        match &mut self.stage {
            Stage::Offsets => self.offsets(source)?,
            Stage::Ends { .. } => self.ends(source)?,
            Stage::Reading(reader, last) => {
                let accounts = CString::new((source.topic)(Output::Accounts.name())).unwrap_or_default();
                let mut hand_over = |message: Message<'_>| {
                    let output = match *last {
                        Some((topic, output)) if topic == message.topic() => output,
                        _ => {
                            if message.topic_name() == accounts.as_c_str() {
                                Output::Accounts
                            } else {
                                Output::Seen
                            }
                        }
                    };
                    *last = Some((message.topic(), output));
                    let (partition, key) = (message.partition() as u32, message.key().unwrap_or_default());
                    each(Saved { output, partition, key, value: message.value() });
                };
                self.progress.read += reader.read(SLICE, &mut hand_over)?;
                self.progress.is_done = reader.is_done();
            }
        }
        if self.progress.is_done {
            self.progress.total = self.progress.read;
        }
        Ok(self.progress)
    }

    fn offsets(&mut self, source: &Source<'_>) -> Result<(), LogError> {
        let mut list = TopicPartitionList::new();
        for input in Input::ALL {
            for partition in &self.partitions {
                list.add_partition(&(source.topic)(input.name()), *partition as i32);
            }
        }
        let committed = match source.member.committed_offsets(list, OFFSETS) {
            Ok(committed) => committed,
            Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) => {
                return Err(LogError::Fatal(format!("cannot read what was committed: {error}")));
            }
            Err(error) => {
                // While a transaction of the last owner is open, no broker tells: at most for its timeout.
                self.standstill.tell(&self.partitions, &format!("what was committed is not known, {error}"));
                return Ok(());
            }
        };
        let refused = committed.elements().iter().find_map(|element| element.error().err());
        if let Some(error) = refused {
            // Of one partition, or of all.
            self.standstill.tell(&self.partitions, &format!("what was committed is not known, {error}"));
            return Ok(());
        }
        self.cursors.clear();
        for input in Input::ALL {
            for element in committed.elements_for_topic(&(source.topic)(input.name())) {
                let committed = if let Offset::Offset(offset) = element.offset() { offset as u64 } else { u64::MAX };
                let partition = element.partition() as u32;
                self.cursors.push(Cursor { input, partition, committed, next: 0, is_at_end: false });
            }
        }
        let state = STATE.iter().flat_map(|output| self.partitions.iter().map(|partition| (*output, *partition)));
        self.stage =
            Stage::Ends { inputs: (0..self.cursors.len()).collect(), state: state.collect(), spans: Vec::new() };
        Ok(())
    }

    fn ends(&mut self, source: &Source<'_>) -> Result<(), LogError> {
        let Stage::Ends { inputs, state, spans } = &mut self.stage else { return Ok(()) };
        let deadline = Instant::now() + SLICE;
        while Instant::now() < deadline {
            if let Some(index) = inputs.pop_front() {
                let cursor = &mut self.cursors[index];
                match source.probe.watermarks(&(source.topic)(cursor.input.name()), cursor.partition)? {
                    Some((low, high)) => start(cursor, low as u64..high as u64)?,
                    None => {
                        self.standstill.tell(&self.partitions, NO_ENDS);
                        inputs.push_back(index);
                    }
                }
            } else if let Some((output, partition)) = state.pop_front() {
                let topic = (source.topic)(output.name());
                match source.probe.watermarks(&topic, partition)? {
                    Some((from, to)) if from < to => {
                        self.progress.total += (to - from) as u64;
                        let topic = CString::new(topic).unwrap_or_default();
                        spans.push(Span { topic, partition, from, to });
                    }
                    Some(_) => {}
                    None => {
                        self.standstill.tell(&self.partitions, NO_ENDS);
                        state.push_back((output, partition));
                    }
                }
            } else {
                let spans = std::mem::take(spans);
                self.progress.is_done = spans.is_empty();
                if !self.progress.is_done {
                    self.stage = Stage::Reading(Box::new((source.open)(spans)?), None);
                }
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Reads on from what was committed, or else from the beginning of what is kept.
fn start(cursor: &mut Cursor, kept: Range<u64>) -> Result<(), LogError> {
    let low = kept.start;
    if cursor.committed == u64::MAX {
        cursor.committed = low;
    } else if cursor.committed > kept.end {
        // What was written since to the offsets below would be taken for read.
        return Err(LogError::Fatal(format!(
            "{} {} was read up to offset {} and ends at {}: the topic lost records that were acknowledged (or was made anew); \
             move the group to where it should read on (kafka-consumer-groups --reset-offsets), then start again",
            cursor.input.name(),
            cursor.partition,
            cursor.committed,
            kept.end
        )));
    } else if cursor.committed < low {
        tracing::error!(
            input = cursor.input.name(),
            partition = cursor.partition,
            from = cursor.committed,
            to = low,
            "records were deleted before they were read: the topic's retention is shorter than the outage was"
        );
    }
    cursor.next = cursor.committed;
    Ok(())
}
