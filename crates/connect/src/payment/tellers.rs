//! The threads that stand at the gateway: a few, so that one charge without an answer does not hold up the others.
//!
//! They are not waited for at the end: a charge that is at the gateway then is one whose answer was lost, and is asked for
//! again after the restart.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::{Answer, Charge, Gateway, Unreachable};

/// A charge that came back, and with what.
pub struct Returned {
    /// Its key.
    pub key: Box<str>,
    /// What the gateway said, if it did.
    pub answer: Result<Answer, Unreachable>,
    /// How long it was at the gateway.
    pub took: Duration,
}

/// Threads that charge.
pub struct Tellers {
    charges: Sender<Charge>,
    returned: Receiver<Returned>,
}

impl Tellers {
    /// Starts `count` of them.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(gateway: &Arc<dyn Gateway>, count: usize) -> std::io::Result<Self> {
        let (charges, waiting) = channel();
        let (done, returned) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 1..=count.max(1) {
            let (gateway, waiting, done) = (Arc::clone(gateway), Arc::clone(&waiting), done.clone());
            let thread = thread::Builder::new().name(format!("payment-{number}"));
            thread.spawn(move || serve(&*gateway, &waiting, &done))?;
        }
        Ok(Tellers { charges, returned })
    }

    /// Has it charged as soon as a thread is free.
    pub fn charge(&self, charge: Charge) {
        self.charges.send(charge).expect("invariant: tellers end after whoever sends to them");
    }

    /// The next charge that came back, if one did.
    pub fn returned(&self) -> Option<Returned> {
        self.returned.try_recv().ok()
    }
}

fn serve(gateway: &dyn Gateway, waiting: &Mutex<Receiver<Charge>>, done: &Sender<Returned>) {
    loop {
        let charge = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(charge) = charge else { return };
        let began = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| gateway.charge(&charge)));
        let answer = outcome.unwrap_or_else(|_| Err(Unreachable("the adapter of the gateway panicked".to_owned())));
        if done.send(Returned { key: charge.key, answer, took: began.elapsed() }).is_err() {
            return;
        }
    }
}
