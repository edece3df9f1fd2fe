//! The limit that the pipeline is held against: records in, as many bytes out, the same transactions, and nothing else.
//!
//! Written as fast as we know how: batches without a copy, producing by topic handle, failed deliveries only reported. A
//! worker is one thread with a consumer and a producer, set like those of the pipeline.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use drawdown_stream::kafka::KafkaSettings;
use drawdown_stream::kafka::ffi::{self, Failure, GroupMetadata, Producer, Queue, Severity};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::producer::{DefaultProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

/// What to pass through.
#[derive(Debug, Clone)]
pub struct Passthrough {
    /// The broker, and the group, which must be new: reading starts at the beginning of `cdrs`. Written is to `debits`.
    pub settings: KafkaSettings,
    /// Threads.
    pub workers: u32,
    /// How many records there are.
    pub count: u64,
    /// What is written for records, in rotation.
    pub payloads: Vec<Vec<u8>>,
    /// Records of a transaction, at most.
    pub transaction_records_max: usize,
    /// How long a transaction waits for so many.
    pub transaction_wait: Duration,
}

/// What it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Took {
    /// Records a second.
    pub records_per_s: f64,
    /// CPU time of this process a record, in µs.
    pub cpu_us_per_record: f64,
}

/// Measures what `work` takes, which handles `count` records.
pub fn measure(count: u64, work: impl FnOnce()) -> Took {
    let (cpu, wall) = (cpu_time(), Instant::now());
    work();
    let (cpu, wall) = (cpu_time().saturating_sub(cpu), wall.elapsed());
    let records_per_s = count as f64 / wall.as_secs_f64();
    Took { records_per_s, cpu_us_per_record: cpu.as_secs_f64() * 1e6 / count as f64 }
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Passthrough {
    /// Runs until every record was passed through. Panics where anything goes wrong: it is a benchmark.
    pub fn run(&self) -> Took {
        let passed = AtomicU64::new(0);
        let ready = Barrier::new(self.workers as usize + 1);
        thread::scope(|scope| {
            for index in 0..self.workers {
                let (passed, ready) = (&passed, &ready);
                scope.spawn(move || {
                    let mut worker = Worker::connect(self, index);
                    ready.wait();
                    worker.work(self, passed);
                    // The group would rebalance under those who still work.
                    ready.wait();
                });
            }
            ready.wait();
            measure(self.count, || {
                ready.wait();
            })
        })
    }
}

/// Notes what is assigned, and keeps it apart until the worker takes it in.
#[derive(Debug, Default)]
struct Assignment(Mutex<Vec<(CString, i32)>>);

impl ClientContext for Assignment {}

impl ConsumerContext for Assignment {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(list) = rebalance else { return };
        let mut assigned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for element in list.elements() {
            let topic = CString::new(element.topic()).expect("a topic's name has no NUL");
            ffi::hold(consumer, &topic, element.partition());
            assigned.push((topic, element.partition()));
        }
    }
}

struct Worker {
    queue: Queue<Assignment>,
    producer: Producer<DefaultProducerContext>,
    input: String,
    /// By partition.
    next: Vec<Option<i64>>,
}

impl Worker {
    /// Joins the group and waits for partitions. With several workers the last one to join decides, so each waits until
    /// it owns no more than its share.
    fn connect(plan: &Passthrough, index: u32) -> Self {
        let (member, writer) = plan.settings.clients(index);
        let producer = producer(&writer, &plan.settings);
        let consumer = BaseConsumer::from_config_and_context(&member, Assignment::default()).expect("a consumer");
        let input = plan.settings.topic("cdrs");
        consumer.subscribe(&[&input]).expect("a subscription");
        let partitions = consumer.fetch_metadata(Some(&input), Duration::from_secs(30)).expect("metadata").topics()[0]
            .partitions()
            .len();
        let share = partitions.div_ceil(plan.workers as usize);
        let queue = Queue::new(Arc::new(consumer));
        let worker = Worker { queue, producer, input, next: vec![None; partitions] };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            worker.poll(Duration::from_millis(10));
            let owned = worker.queue.consumer().assignment().expect("an assignment").count();
            if (1..=share).contains(&owned) {
                return worker;
            }
            assert!(Instant::now() < deadline, "the workers do not share the partitions");
        }
    }

    fn poll(&self, wait: Duration) {
        if let Some(Err(error)) = self.queue.consumer().poll(wait) {
            panic!("the consumer failed: {error}");
        }
    }

    fn work(&mut self, plan: &Passthrough, passed: &AtomicU64) {
        let assigned =
            std::mem::take(&mut *self.queue.consumer().context().0.lock().unwrap_or_else(PoisonError::into_inner));
        for (topic, partition) in assigned {
            self.queue.take_in(&topic, partition);
        }
        while passed.load(Ordering::Relaxed) < plan.count {
            self.poll(Duration::ZERO);
            let count = self.queue.refill(plan.transaction_wait, plan.transaction_records_max).expect("a batch");
            if count > 0 {
                passed.fetch_add(self.pass(&plan.payloads), Ordering::Relaxed);
            }
        }
    }

    /// One transaction. Counts its records once they are committed.
    fn pass(&mut self, payloads: &[Vec<u8>]) -> u64 {
        persist(|| self.producer.begin());
        let (mut count, mut payloads) = (0, payloads.iter().cycle());
        while let Some(message) = self.queue.next_message() {
            match message.error() {
                None => {}
                Some(RDKafkaErrorCode::PartitionEOF) => continue,
                Some(error) => panic!("cannot read: {error}"),
            }
            let key = message.key().unwrap_or_default();
            let payload = payloads.next().expect("payloads");
            while let Err(error) = self.producer.produce(0, message.partition(), key, payload) {
                assert_eq!(error, RDKafkaErrorCode::QueueFull);
                thread::sleep(Duration::from_millis(1));
            }
            self.next[message.partition() as usize] = Some(message.offset() + 1);
            count += 1;
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, next) in self.next.iter_mut().enumerate() {
            let Some(next) = next.take() else { continue };
            offsets.add_partition_offset(&self.input, partition as i32, Offset::Offset(next)).expect("an offset");
        }
        let group = GroupMetadata::now(self.queue.consumer()).expect("a group");
        assert!(group.is_fencing(), "the worker lost its membership");
        persist(|| self.producer.send_offsets(&offsets, &group));
        persist(|| self.producer.commit());
        count
    }
}

fn producer(config: &ClientConfig, settings: &KafkaSettings) -> Producer<DefaultProducerContext> {
    let client = ThreadedProducer::from_config_and_context(config, DefaultProducerContext).expect("a producer");
    let output = CString::new(settings.topic("debits")).expect("a topic's name has no NUL");
    let topics: [&CStr; 1] = [&output];
    let producer = Producer::new(client, &topics).expect("a producer");
    persist(|| producer.init(Duration::from_secs(60)));
    producer
}

fn persist(mut call: impl FnMut() -> Result<(), Failure>) {
    while let Err(failure) = call() {
        assert_eq!(failure.severity, Severity::Retriable, "{failure}");
    }
}
