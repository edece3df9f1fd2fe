//! The transactions of one worker: a producer, and a thread that commits so that the worker need not wait.
//!
//! Invariant: at any moment one of the two threads uses the producer: the worker until it hands a commit over, the
//! committer until it answers. A transaction ends committed, aborted, or unknown; after unknown the log is not used again.

use std::ffi::CString;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use drawdown_engine::log::LogError;
use rdkafka::TopicPartitionList;
use rdkafka::producer::{Producer as _, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;

use super::ffi::{Failure, GroupMetadata, Producer, Severity};
use super::heard::{Context, Heard};
use super::settings::MESSAGE_BYTES_MAX;

/// A commit to be carried out.
struct Job {
    offsets: TopicPartitionList,
    group: GroupMetadata,
}

/// How a commit ended; what is told to the worker, and whether the group was the reason.
#[derive(Debug)]
struct Answer {
    outcome: Result<(), LogError>,
    is_fenced: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Open,
    InFlight,
    /// The producer is not to be used any more.
    Dead,
}

/// The writing half of a log.
pub(super) struct Transactions {
    producer: Arc<Producer<Context>>,
    heard: Arc<Heard>,
    topics: Vec<CString>,
    state: State,
    is_fenced: bool,
    patience: Duration,
    /// By topic and partition, whether the open transaction, or the last, wrote there.
    is_touched: Vec<Vec<bool>>,
    /// An answer that came before it was asked for.
    early: Option<Answer>,
    jobs: Option<SyncSender<Job>>,
    answers: Receiver<Answer>,
    committer: Option<JoinHandle<()>>,
}

impl Transactions {
    /// Fences whoever had the transactional id before. `patience` is for calls that may be tried again.
    pub fn new(
        client: ThreadedProducer<Context>,
        heard: Arc<Heard>,
        topics: Vec<CString>,
        partitions: u32,
        patience: Duration,
    ) -> Result<Self, LogError> {
        let is_touched = vec![vec![false; partitions as usize]; topics.len()];
        let names: Vec<_> = topics.iter().map(CString::as_c_str).collect();
        let producer = Producer::new(client, &names).map_err(|failure| LogError::Fatal(failure.to_string()))?;
        let producer = Arc::new(producer);
        persist("cannot become the only writer", patience, || producer.init(patience)).map_err(|failure| failure.0)?;
        let (jobs, for_committer) = sync_channel(1);
        let (from_committer, answers) = sync_channel(1);
        let committer = Committer { producer: Arc::clone(&producer), heard: Arc::clone(&heard), patience };
        let committer = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run(&for_committer, &from_committer))
            .map_err(|error| LogError::Fatal(format!("cannot start the committing thread: {error}")))?;
        Ok(Transactions {
            producer,
            heard,
            topics,
            state: State::Idle,
            is_fenced: false,
            patience,
            is_touched,
            early: None,
            jobs: Some(jobs),
            answers,
            committer: Some(committer),
        })
    }

    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Whether the group refused the last commit. Asked once.
    pub fn was_fenced(&mut self) -> bool {
        std::mem::take(&mut self.is_fenced)
    }

    pub fn begin(&mut self) -> Result<(), LogError> {
        self.expect(State::Idle)?;
        self.is_touched.iter_mut().for_each(|partitions| partitions.fill(false));
        let begun = persist("cannot begin a transaction", self.patience, || self.producer.begin());
        self.move_on(begun, State::Open)
    }

    /// The partitions that the open transaction writes to.
    pub fn touched(&self) -> impl Iterator<Item = u32> {
        let count = self.is_touched.first().map_or(0, Vec::len);
        let is_touched = |partition: usize| self.is_touched.iter().any(|partitions| partitions[partition]);
        (0..count).filter(move |partition| is_touched(*partition)).map(|partition| partition as u32)
    }

    /// Waits while the queue is full: the broker is slow, and so are we then.
    #[inline]
    pub fn append(&mut self, topic: usize, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        self.expect(State::Open)?;
        if let Some(is_touched) = self.is_touched[topic].get_mut(partition as usize) {
            *is_touched = true;
        }
        match self.producer.produce(topic, partition as i32, key, value) {
            Ok(()) => Ok(()),
            Err(RDKafkaErrorCode::QueueFull) => self.append_slowly(topic, partition, key, value),
            Err(code) => Err(self.refused(code, topic, key.len() + value.len())),
        }
    }

    fn append_slowly(&mut self, topic: usize, partition: u32, key: &[u8], value: &[u8]) -> Result<(), LogError> {
        let deadline = Instant::now() + self.patience;
        loop {
            thread::sleep(Duration::from_millis(1));
            match self.producer.produce(topic, partition as i32, key, value) {
                Ok(()) => return Ok(()),
                Err(RDKafkaErrorCode::QueueFull) if Instant::now() < deadline => {}
                Err(RDKafkaErrorCode::QueueFull) => {
                    self.state = State::Dead;
                    return Err(LogError::Fatal(format!("the broker took nothing for {:?}", self.patience)));
                }
                Err(code) => return Err(self.refused(code, topic, key.len() + value.len())),
            }
        }
    }

    /// Why a message was not queued.
    fn refused(&mut self, code: RDKafkaErrorCode, topic: usize, size_bytes: usize) -> LogError {
        let topic = self.topics[topic].to_string_lossy();
        let error = match code {
            // The transaction failed meanwhile: the commit would say the same.
            RDKafkaErrorCode::State => LogError::Abort(format!("nothing more can be added: {}", self.heard.words())),
            RDKafkaErrorCode::MessageSizeTooLarge => LogError::Fatal(too_large(&topic, size_bytes)),
            code => LogError::Fatal(format!("cannot append to {topic}: {code}; {}", self.heard.words())),
        };
        if matches!(error, LogError::Fatal(_)) {
            self.state = State::Dead;
        }
        error
    }

    /// Hands the open transaction over to the committer.
    pub fn commit(&mut self, offsets: TopicPartitionList, group: GroupMetadata) -> Result<(), LogError> {
        self.expect(State::Open)?;
        let is_sent = self.jobs.as_ref().is_some_and(|jobs| jobs.send(Job { offsets, group }).is_ok());
        if !is_sent {
            self.state = State::Dead;
            return Err(LogError::Fatal("the committing thread is gone".to_owned()));
        }
        self.state = State::InFlight;
        Ok(())
    }

    /// The transaction cannot be committed: it is as if the group had refused it.
    pub fn fence(&mut self, reason: String) -> LogError {
        self.is_fenced = true;
        LogError::Abort(reason)
    }

    pub fn settle(&mut self) -> Result<(), LogError> {
        self.expect(State::InFlight)?;
        self.wait()?;
        let Some(answer) = self.early.take() else { unreachable!("invariant: an answer was waited for") };
        self.is_fenced |= answer.is_fenced;
        self.state = match &answer.outcome {
            Ok(()) => State::Idle,
            Err(LogError::Abort(_)) => State::Open,
            Err(LogError::Fatal(_)) => State::Dead,
        };
        answer.outcome
    }

    /// Waits until nothing is in flight; the outcome is kept for [`Transactions::settle`].
    fn wait(&mut self) -> Result<(), LogError> {
        if self.state != State::InFlight || self.early.is_some() {
            return Ok(());
        }
        self.early = self.answers.recv().ok();
        if self.early.is_none() {
            self.state = State::Dead;
            return Err(LogError::Fatal("the committing thread is gone".to_owned()));
        }
        Ok(())
    }

    /// Waits until all that can be is committed in the eyes of a reader of a partition, and says whether that is all of
    /// it: else an open transaction of ours stands at its end, and begins where the rest ends.
    pub fn is_all_committed(&mut self, topic: usize, partition: u32) -> Result<bool, LogError> {
        self.wait()?;
        if let Some(answer) = &self.early {
            return Ok(answer.outcome.is_ok());
        }
        let is_touched = self.is_touched[topic].get(partition as usize).is_some_and(|is_touched| *is_touched);
        if self.state == State::Idle || !is_touched {
            return Ok(true);
        }
        // Once the broker took a message of this transaction, the one before is over there too.
        let flushed = self.producer.client().flush(self.patience);
        flushed.map_err(|error| LogError::Fatal(format!("cannot flush: {error}")))?;
        Ok(false)
    }

    /// Waits for what is in flight, if need be.
    pub fn abort(&mut self) -> Result<(), LogError> {
        if self.state == State::InFlight && self.settle().is_ok() {
            self.state = State::Dead;
            return Err(LogError::Fatal("a transaction was committed that was to be aborted".to_owned()));
        }
        self.expect(State::Open)?;
        let aborted = persist("cannot abort a transaction", self.patience, || self.producer.abort(None));
        // What was not delivered is gone with the transaction.
        self.heard.take_undelivered();
        self.move_on(aborted, State::Idle)
    }

    /// Outside a commit no error leaves a transaction that could be aborted.
    fn move_on(&mut self, result: Result<(), (LogError, RDKafkaErrorCode)>, next: State) -> Result<(), LogError> {
        let Err((error, _)) = result else {
            self.state = next;
            return Ok(());
        };
        self.state = State::Dead;
        Err(LogError::Fatal(error.to_string()))
    }

    fn expect(&self, state: State) -> Result<(), LogError> {
        if self.state == State::Dead {
            return Err(LogError::Fatal("the log failed before; a new one is needed".to_owned()));
        }
        assert!(self.state == state, "invariant: the transaction is {state:?}, not {:?}", self.state);
        Ok(())
    }
}

impl Drop for Transactions {
    /// An open transaction is aborted, so that nobody has to wait until it times out. A commit in flight is left to its
    /// thread, which may need as long as the transaction may last, and then drops the producer.
    fn drop(&mut self) {
        self.jobs = None;
        if self.state == State::InFlight {
            return;
        }
        if let Some(committer) = self.committer.take() {
            // It has nothing to do, so it ends at once; it does not panic.
            let _ = committer.join();
        }
        if self.state == State::Open {
            // The best that can be done: else it times out.
            let _ = self.producer.abort(Some(Duration::from_secs(1)));
        }
    }
}

/// What runs on the thread that commits.
struct Committer {
    producer: Arc<Producer<Context>>,
    heard: Arc<Heard>,
    patience: Duration,
}

impl Committer {
    fn run(&self, jobs: &Receiver<Job>, answers: &SyncSender<Answer>) {
        while let Ok(job) = jobs.recv() {
            if answers.send(self.carry_out(&job)).is_err() {
                return;
            }
        }
    }

    fn carry_out(&self, job: &Job) -> Answer {
        let sent =
            persist("cannot send offsets", self.patience, || self.producer.send_offsets(&job.offsets, &job.group));
        let ended = sent.and_then(|()| persist("cannot commit", self.patience, || self.producer.commit()));
        match ended {
            Ok(()) => Answer { outcome: Ok(()), is_fenced: false },
            Err((error, code)) => Answer { outcome: Err(self.explain(error)), is_fenced: is_of_group(code) },
        }
    }

    /// A message that will never be stored would fail again and again.
    fn explain(&self, error: LogError) -> LogError {
        let Some(undelivered) = self.heard.take_undelivered() else { return error };
        match undelivered.code {
            RDKafkaErrorCode::MessageSizeTooLarge | RDKafkaErrorCode::InvalidMessageSize => {
                LogError::Fatal(too_large(&undelivered.topic, undelivered.size_bytes))
            }
            RDKafkaErrorCode::TopicAuthorizationFailed => LogError::Fatal(format!(
                "writing to {} is not allowed: give the user the right to write and to describe it",
                undelivered.topic
            )),
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic => LogError::Fatal(format!(
                "{} or one of its partitions is gone: `drawdown topics check` says what is missing",
                undelivered.topic
            )),
            code => match error {
                LogError::Abort(text) => LogError::Abort(format!("{text}; to {}: {code}", undelivered.topic)),
                LogError::Fatal(text) => LogError::Fatal(format!("{text}; to {}: {code}", undelivered.topic)),
            },
        }
    }
}

fn too_large(topic: &str, size_bytes: usize) -> String {
    format!(
        "a message of {size_bytes} bytes for {topic} is larger than allowed: set max.message.bytes of the topic (and \
         replica.fetch.max.bytes of the brokers) to {MESSAGE_BYTES_MAX}, and the property message.max.bytes if it was lowered"
    )
}

/// Refusals of a member that is not one any more.
fn is_of_group(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::RebalanceInProgress
    )
}

/// Makes a call again and again as long as that may help, at most for `patience`.
fn persist(
    what: &str,
    patience: Duration,
    mut call: impl FnMut() -> Result<(), Failure>,
) -> Result<(), (LogError, RDKafkaErrorCode)> {
    let deadline = Instant::now() + patience;
    let mut pause = Duration::from_millis(2);
    loop {
        let Err(failure) = call() else { return Ok(()) };
        match failure.severity {
            Severity::Retriable if Instant::now() < deadline => {
                tracing::debug!(%failure, "{what}; trying again");
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(250));
            }
            Severity::Abortable => return Err((LogError::Abort(format!("{what}: {failure}")), failure.code)),
            Severity::Retriable | Severity::Fatal => {
                return Err((LogError::Fatal(format!("{what}: {failure}")), failure.code));
            }
        }
    }
}
