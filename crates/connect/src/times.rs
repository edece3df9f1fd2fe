//! How long things took, kept until somebody collects it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// So many are kept where nobody collects them.
const KEPT_MAX: usize = 4096;

/// Durations that were not collected yet.
#[derive(Debug, Default)]
pub struct Times(Mutex<Vec<Duration>>);

impl Times {
    /// Those since the last call.
    pub fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn note(&self, took: Duration) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push(took);
        }
    }
}
