//! Whether the workers live, and whether they have what they need: told by themselves, read by whoever asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How far a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It has not been given partitions yet.
    Joining,
    /// It reads their state back.
    Restoring,
    /// It rates; it may own no partition at all, if others own them all.
    Rating,
    /// It failed, and waits to begin again.
    Failed,
    /// It is done.
    Stopped,
}

const STAGES: [Stage; 5] = [Stage::Joining, Stage::Restoring, Stage::Rating, Stage::Failed, Stage::Stopped];

impl Stage {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Joining => "joining",
            Stage::Restoring => "restoring",
            Stage::Rating => "rating",
            Stage::Failed => "failed",
            Stage::Stopped => "stopped",
        }
    }
}

/// The health of all workers of the process.
#[derive(Debug)]
pub struct Health {
    pulses: Vec<Arc<Pulse>>,
    stale_after: Duration,
}

/// What one worker tells of itself.
#[derive(Debug)]
pub struct Pulse {
    origin: Instant,
    /// When it beat last, in milliseconds after `origin`.
    beat_ms: AtomicU64,
    /// A place in [`STAGES`].
    stage: AtomicU8,
}

impl Health {
    /// `worker_count` workers, all of them joining and just heard of; silent for `stale_after`, one is taken for stuck.
    pub fn new(worker_count: usize, stale_after: Duration) -> Self {
        let pulse = || Pulse { origin: Instant::now(), beat_ms: AtomicU64::new(0), stage: AtomicU8::new(0) };
        Health { pulses: (0..worker_count).map(|_| Arc::new(pulse())).collect(), stale_after }
    }

    /// What the worker of this number tells.
    ///
    /// # Panics
    /// If there is no such worker.
    pub fn pulse(&self, worker: usize) -> Arc<Pulse> {
        Arc::clone(&self.pulses[worker])
    }

    /// All workers, in order.
    pub fn pulses(&self) -> impl Iterator<Item = &Pulse> {
        self.pulses.iter().map(AsRef::as_ref)
    }

    /// The workers that were not heard of for too long, in words; none if the process is well.
    pub fn stuck(&self) -> Vec<String> {
        let silent = self.pulses().enumerate().filter_map(|(worker, pulse)| {
            let silence = pulse.silence();
            let is_stuck = silence > self.stale_after && pulse.stage() != Stage::Stopped;
            is_stuck.then(|| {
                format!("worker {worker} was last heard of {} s ago, {}", silence.as_secs(), pulse.stage().name())
            })
        });
        silent.collect()
    }

    /// The workers that are not at work yet, in words; none if the process is ready.
    pub fn unready(&self) -> Vec<String> {
        let idle = self.pulses().enumerate().filter(|(_, pulse)| pulse.stage() != Stage::Rating);
        idle.map(|(worker, pulse)| format!("worker {worker} is {}", pulse.stage().name())).collect()
    }
}

impl Pulse {
    /// The worker lives. Called once a turn, a commit that waits for its broker included: cheap, but for the clock.
    #[inline]
    pub fn beat(&self) {
        let now_ms = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat_ms.store(now_ms, Ordering::Relaxed);
    }

    /// The worker is at this stage from now on.
    pub fn enter(&self, stage: Stage) {
        let place = STAGES.iter().position(|held| *held == stage).expect("invariant: every stage is in the list");
        self.stage.store(place as u8, Ordering::Release);
        self.beat();
    }

    /// Which stage it is at.
    pub fn stage(&self) -> Stage {
        STAGES[usize::from(self.stage.load(Ordering::Acquire))]
    }

    /// How long ago it was heard of.
    pub fn silence(&self) -> Duration {
        self.origin.elapsed().saturating_sub(Duration::from_millis(self.beat_ms.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_is_when_every_worker_has_its_state() {
        let health = Health::new(2, Duration::MAX);
        assert_eq!(health.unready(), ["worker 0 is joining", "worker 1 is joining"]);
        health.pulse(0).enter(Stage::Rating);
        health.pulse(1).enter(Stage::Restoring);
        assert_eq!(health.unready(), ["worker 1 is restoring"]);
        health.pulse(1).enter(Stage::Rating);
        assert_eq!(health.unready(), [""; 0]);
        assert_eq!(health.stuck(), [""; 0]);
    }

    #[test]
    fn silence_is_told_but_not_of_a_worker_that_is_done() {
        let health = Health::new(2, Duration::ZERO);
        health.pulse(1).enter(Stage::Stopped);
        while health.pulse(0).silence().is_zero() {
            std::hint::spin_loop();
        }
        let stuck = health.stuck();
        assert_eq!(stuck.len(), 1, "{stuck:?}");
        assert!(stuck[0].starts_with("worker 0 was last heard of 0 s ago, joining"), "{stuck:?}");
    }

    #[test]
    fn every_stage_is_kept_as_it_was_told() {
        let health = Health::new(1, Duration::MAX);
        for stage in STAGES {
            health.pulse(0).enter(stage);
            assert_eq!(health.pulse(0).stage(), stage);
        }
    }
}
