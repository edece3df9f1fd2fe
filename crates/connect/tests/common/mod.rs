//! A log in memory, for tests.
#![allow(dead_code, reason = "not every test uses all of it")]

pub mod http;
pub mod smtp;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use drawdown_connect::feed::{Feed, FeedError};
use drawdown_connect::stop::Stop;

/// A log, and the place that one connector keeps on it. Clones are one.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    lines: Vec<String>,
    committed: usize,
}

impl Log {
    pub fn of(lines: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let log = Log::default();
        log.0.lock().expect("a lock").lines.extend(lines.into_iter().map(Into::into));
        log
    }

    pub fn committed(&self) -> usize {
        self.0.lock().expect("a lock").committed
    }

    /// As nobody had let go of anything.
    pub fn rewind(&self) {
        self.0.lock().expect("a lock").committed = 0;
    }

    /// A feed from where the last one left off, which asks to stop once it has given everything.
    pub fn follow(&self, drained: &Stop) -> LogFeed {
        LogFeed { log: self.clone(), at: self.committed(), drained: drained.clone() }
    }
}

pub struct LogFeed {
    log: Log,
    at: usize,
    drained: Stop,
}

impl Feed for LogFeed {
    fn next(&mut self, _: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        let line = self.log.0.lock().expect("a lock").lines.get(self.at).cloned();
        match &line {
            Some(_) => self.at += 1,
            None => self.drained.ask(),
        }
        Ok(line.map(|line| format!("{line}\n").into_bytes()))
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        self.log.0.lock().expect("a lock").committed = self.at;
        Ok(())
    }
}

pub fn balance_exhausted(org: &str, seq: u64) -> String {
    format!(
        "{{\"schemaVersion\":1,\"type\":\"BalanceExhausted\",\"orgId\":\"{org}\",\"seq\":{seq},\
         \"at\":\"2026-03-01T10:00:00Z\",\"balanceAfter\":\"0.00\",\"debitSeq\":9}}"
    )
}

pub fn mode_set(org: &str, seq: u64) -> String {
    format!(
        "{{\"schemaVersion\":1,\"type\":\"ModeSet\",\"orgId\":\"{org}\",\"seq\":{seq},\
         \"at\":\"2026-03-01T10:00:00Z\",\"mode\":\"prepaid\",\"balanceAfter\":\"1.00\",\"commandId\":\"c-{seq}\"}}"
    )
}

pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
