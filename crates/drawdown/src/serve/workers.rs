//! The threads that rate. Each runs a worker on a log of its own; a log that breaks is replaced, and the new worker
//! restores itself from what was committed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use drawdown_api::Stage;
use drawdown_engine::log::{Log, LogError};
use drawdown_engine::worker::{Sources, Step};
use drawdown_engine::{Engine, Worker};
use drawdown_ledger::command::OpenAccount;
use drawdown_rating::Catalogue;
use drawdown_stream::embedded::EmbeddedLog;
use drawdown_stream::kafka::KafkaLog;

use super::watch::{Shared, Watch};
use crate::config::{Config, Log as LogConfig};
use crate::exit::{Done, Failure, Run};
use crate::pipeline;

/// How long to wait before a broken log is replaced: doubled each time, up to the second figure.
const BACKOFF: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(15)];

/// The running threads.
pub struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// Each thread says how it ended.
    ended: Receiver<Run>,
}

/// Starts them; the first log of each is opened before, so that what is wrong with it ends the program.
///
/// # Errors
/// What is wrong with a log.
pub fn start(config: &Arc<Config>, shared: &Arc<Shared>, stop: &Arc<AtomicBool>) -> Result<Workers, Failure> {
    let (tell, ended) = mpsc::channel();
    let mut threads = Vec::new();
    for thread in 0..config.workers as u32 {
        let place = Place { config: Arc::clone(config), shared: Arc::clone(shared), stop: Arc::clone(stop), thread };
        let sources = pipeline::sources(config)?;
        let tell = tell.clone();
        let run: Box<dyn FnOnce() + Send> = match &config.log {
            LogConfig::Embedded(embedded) => {
                let settings = pipeline::embedded_settings(config, embedded);
                let log = EmbeddedLog::open(&settings).map_err(|error| Failure::Fault(error.into()))?;
                Box::new(move || {
                    let open = || EmbeddedLog::open(&settings);
                    let _ = tell.send(place.run(log, open, sources));
                })
            }
            LogConfig::Kafka(kafka) => {
                let settings = pipeline::member_settings(config, kafka, shared.address());
                let log = KafkaLog::connect(&settings, thread).map_err(|error| Failure::Fault(error.into()))?;
                Box::new(move || {
                    let open =
                        || KafkaLog::connect(&settings, thread).map_err(|error| LogError::Fatal(error.to_string()));
                    let _ = tell.send(place.run(log, open, sources));
                })
            }
        };
        let name = format!("worker-{thread}");
        threads.push(std::thread::Builder::new().name(name).spawn(run).map_err(|error| Failure::Fault(error.into()))?);
    }
    Ok(Workers { threads, ended })
}

impl Workers {
    /// How many.
    pub fn count(&self) -> usize {
        self.threads.len()
    }

    /// Whether one ended: none should before it is told to.
    pub fn have_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Waits for all of them.
    pub fn join(self, patience: Duration) -> Run {
        let deadline = Instant::now() + patience;
        let mut outcome = Ok(Done::Well);
        for _ in &self.threads {
            match self.ended.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Ok(_)) => {}
                Ok(Err(failure)) => outcome = Err(failure),
                Err(RecvTimeoutError::Timeout) => {
                    tracing::warn!("a worker did not stop in time; what it had not committed is done again next time");
                }
                Err(RecvTimeoutError::Disconnected) => {
                    outcome = Err(Failure::Fault(anyhow::anyhow!("a worker broke off: see the log")));
                }
            }
        }
        outcome
    }
}

/// Where a worker runs.
struct Place {
    config: Arc<Config>,
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    thread: u32,
}

impl Place {
    fn run<L: Log>(&self, log: L, open: impl Fn() -> Result<L, LogError>, sources: Sources) -> Run {
        self.stand_back();
        let settings = pipeline::worker_settings(&self.config);
        let mut next = Some((log, sources));
        let mut backoff = BACKOFF[0];
        while let Some((log, sources)) = next.take() {
            let began = Instant::now();
            let watch = Watch::new(Arc::clone(&self.shared), self.thread);
            let worker = Worker::new(log, watch, settings, sources);
            match self.rate(worker) {
                Ok(()) => return Ok(Done::Well),
                Err(error) => tracing::error!(worker = self.thread, "the log broke, a new one takes over: {error}"),
            }
            self.shared.restarted(self.thread);
            if began.elapsed() > BACKOFF[1] {
                backoff = BACKOFF[0];
            }
            next = self.reopen(&open, &mut backoff)?;
        }
        Ok(Done::Well)
    }

    /// On Linux niceness is a thread's own. What answers requests sleeps most of the time, and a thread that rates a backlog
    /// never: without this one they wait for each other's time slices.
    fn stand_back(&self) {
        if let Err(error) = rustix::process::setpriority_process(None, self.config.worker_nice.into()) {
            tracing::warn!(worker = self.thread, nice = self.config.worker_nice, %error, "the worker cannot stand back");
        }
    }

    /// A new log, as soon as there is one; `None` when told to stop.
    fn reopen<L: Log>(
        &self,
        open: &impl Fn() -> Result<L, LogError>,
        backoff: &mut Duration,
    ) -> Result<Option<(L, Sources)>, Failure> {
        loop {
            let until = Instant::now() + *backoff;
            *backoff = (*backoff * 2).min(BACKOFF[1]);
            while Instant::now() < until {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
                self.shared.alive(self.thread);
                std::thread::sleep(super::LOOK_INTERVAL);
            }
            match open() {
                Ok(log) => return Ok(Some((log, pipeline::sources(&self.config)?))),
                Err(error) => tracing::error!(worker = self.thread, "the log cannot be opened: {error}"),
            }
        }
    }

    /// Steps until told to stop. The catalogue may change between two steps.
    fn rate<L: Log>(&self, mut worker: Worker<L, Watch>) -> Result<(), LogError> {
        while !self.stop.load(Ordering::Relaxed) {
            self.shared.alive(self.thread);
            let Some(catalogue) = self.shared.catalogue() else {
                std::thread::sleep(super::LOOK_INTERVAL);
                continue;
            };
            let open_unknown = if self.config.rating.open_unknown { terms(&catalogue) } else { None };
            let engine = Engine {
                catalogue: &catalogue,
                rules: &self.config.rules,
                limits: self.config.rating.limits,
                open_unknown: open_unknown.as_ref(),
            };
            match worker.step(&engine)? {
                // A worker that has nothing to own is as ready as it will be.
                Step::Unassigned | Step::Rating(_) => worker.observer().step(Stage::Rating),
                Step::Restoring(_) => worker.observer().step(Stage::Restoring),
            }
        }
        let stopped = worker.stop();
        self.shared.stopped(self.thread);
        stopped.map(|_| ())
    }
}

/// How organisations are opened that no command opened.
fn terms(catalogue: &Catalogue) -> Option<OpenAccount> {
    let rate_plan = catalogue.sole_plan()?;
    let currency = catalogue.plan_currency(catalogue.plan(rate_plan)?);
    Some(crate::files::terms_of_unknown(currency, rate_plan))
}
