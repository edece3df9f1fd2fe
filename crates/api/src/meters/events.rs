//! Counting account events from their lines: they are few beside the debits, and a line is what every log has.

use drawdown_units::Timestamp;
use drawdown_wire::event;
use rustc_hash::FxHashMap;

use crate::names;

/// Recharges whose answer is awaited, at most: beyond, times to settle are not measured.
const AWAITED_COUNT_MAX: usize = 100_000;

/// Account events of a stretch of input. Counted when their transaction is final, and thrown away when it is aborted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventTally {
    /// By [`names::EVENT_TYPES`], and the others.
    pub(super) types: [u64; names::EVENT_TYPES.len() + 1],
    /// By [`names::REFUSALS`], and the others.
    pub(super) refusals: [u64; names::REFUSALS.len() + 1],
    pub(super) recharges: Vec<(String, Recharged)>,
}

/// What became of a recharge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Recharged {
    Requested(Timestamp),
    Answered(Timestamp),
}

impl EventTally {
    /// Counts one line of the events output.
    pub fn line(&mut self, line: &[u8]) {
        let Ok(event) = event::read(line) else {
            self.types[names::EVENT_TYPES.len()] += 1;
            return;
        };
        self.types[place(&names::EVENT_TYPES, &event.kind)] += 1;
        match &*event.kind {
            "CommandRefused" => {
                let reason = event.reason.as_deref().unwrap_or_default();
                self.refusals[place(&names::REFUSALS, reason)] += 1;
            }
            "RechargeRequested" if event.sending == Some(1) => self.recharge(&event, Recharged::Requested),
            "RechargeSucceeded" | "RechargeFailed" => self.recharge(&event, Recharged::Answered),
            _ => {}
        }
    }

    fn recharge(&mut self, event: &event::AccountEvent<'_>, what: impl Fn(Timestamp) -> Recharged) {
        if let (Some(id), Ok(at)) = (&event.recharge_id, Timestamp::parse(&event.at)) {
            self.recharges.push((id.to_string(), what(at)));
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.types.iter().all(|count| *count == 0)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.types.fill(0);
        self.refusals.fill(0);
        self.recharges.clear();
    }
}

/// Where a value stands among the known ones; behind them if it is none.
fn place(known: &[&str], value: &str) -> usize {
    known.iter().position(|held| *held == value).unwrap_or(known.len())
}

/// When recharges were asked for whose answer is awaited.
#[derive(Debug, Default)]
pub(super) struct Awaited(FxHashMap<String, Timestamp>);

impl Awaited {
    /// Notes what became of a recharge; how long the answer took, in seconds, if it is one.
    pub fn note(&mut self, id: &str, recharged: Recharged) -> Option<f64> {
        match recharged {
            Recharged::Requested(at) => {
                if self.0.len() < AWAITED_COUNT_MAX {
                    self.0.insert(id.to_owned(), at);
                }
                None
            }
            Recharged::Answered(at) => self.0.remove(id).map(|requested| super::age_s(at, requested)),
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
