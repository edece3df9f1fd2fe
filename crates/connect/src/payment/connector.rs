//! The connector itself: requests in from the log, charges out to the gateway, settlements back to the log.
//!
//! Invariants: the place in the log is committed only while no charge is open, and so after every settlement of what was
//! read is durable. Killed anywhere, it reads the same requests again and sends the same charges under the same keys,
//! and the engine takes each settlement once by its command's id.
//!
//! **A gateway without answers holds nobody up for ever.** Charges are open side by side, up to [`Settings::open_max`],
//! and each waits for itself, from a second up to a minute. The place in the log stays behind the oldest of them, but for
//! [`Settings::hold`] at most: then reading rests until what is at the gateway came back (its timeout bounds that), what had
//! no answer is let go, and the place is committed. That loses nothing: the engine asks again after 15 minutes of silence,
//! under the same id, for as long as there is no answer. It does not where the account is closed meanwhile; what a
//! gateway charged without being able to say so in all that time is then found by its own list only.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use drawdown_ledger::command::PaymentMethod;
use drawdown_units::Timestamp;
use drawdown_wire::command::settle::{self, Settle};
use drawdown_wire::event::recharge::{self, RechargeNews, RechargeRequest};

use super::desk::Desk;
use super::tally::Tally;
use super::tellers::Tellers;
use super::{Answer, Charge, Gateway, key};
use crate::feed::{Feed, FeedError, Orders};
use crate::secret::Secret;

/// How many events are read before charges are looked at.
const EVENTS_AT_ONCE: usize = 4096;
/// How long the log is waited for where no charge is open.
const IDLE_WAIT: Duration = Duration::from_millis(200);
/// The same where one is.
const BUSY_WAIT: Duration = Duration::from_millis(10);
/// How long a request waits for its answer further on in a log that never rests.
const FRESH: Duration = Duration::from_secs(2);
/// How often the place is committed while nothing is asked for.
const COMMIT_INTERVAL: Duration = Duration::from_secs(1);
/// The longest wait after the log could not be read or written.
const FAULT_WAIT_MAX: Duration = Duration::from_secs(60);

/// Settings of a payment connector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Before every key: another one for every log whose recharges the same gateway sees.
    pub namespace: String,
    /// How many charges are at the gateway at once.
    pub tellers: usize,
    /// How many charges may be open at once: more are not read.
    pub open_max: usize,
    /// How long the place in the log waits for answers: less than the engine's 15 minutes.
    pub hold: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { namespace: "drawdown".to_owned(), tellers: 4, open_max: 1024, hold: Duration::from_secs(600) }
    }
}

/// Tells the time of day.
pub type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// An answer whose settlement is not known to be durable.
struct Answered {
    request: Asked,
    answer: Answer,
}

/// What a settlement is about.
struct Asked {
    org: Box<str>,
    recharge: Box<str>,
    attempt: u32,
    /// Of the charge that it ends.
    key: Option<Box<str>>,
}

/// Carries recharges to a gateway, and its answers back.
pub struct Connector<F, O> {
    feed: F,
    orders: O,
    tellers: Tellers,
    settings: Settings,
    clock: Clock,
    desk: Desk,
    answered: VecDeque<Answered>,
    tally: Arc<Tally>,
    started: Instant,
    /// Since when something was read that is not committed.
    uncommitted: Option<Duration>,
    has_settled: bool,
}

impl<F: Feed, O: Orders> Connector<F, O> {
    /// Starts the threads that stand at the gateway.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn new(
        feed: F,
        orders: O,
        gateway: &Arc<dyn Gateway>,
        settings: Settings,
        clock: Clock,
    ) -> std::io::Result<Self> {
        Ok(Connector {
            feed,
            orders,
            tellers: Tellers::start(gateway, settings.tellers)?,
            settings,
            clock,
            desk: Desk::default(),
            answered: VecDeque::new(),
            tally: Arc::default(),
            started: Instant::now(),
            uncommitted: None,
            has_settled: false,
        })
    }

    /// What it did so far.
    pub fn tally(&self) -> Arc<Tally> {
        Arc::clone(&self.tally)
    }

    /// Works until it is told to stop. What has no answer then is asked for again after the restart.
    pub fn run(mut self, stop: &AtomicBool) {
        let mut wait = COMMIT_INTERVAL;
        while !stop.load(Ordering::Relaxed) {
            match self.step() {
                Ok(()) => wait = COMMIT_INTERVAL,
                Err(error) => {
                    tracing::error!("payments rest for {} s: {error}", wait.as_secs());
                    let until = Instant::now() + wait;
                    while Instant::now() < until && !stop.load(Ordering::Relaxed) {
                        thread::sleep(IDLE_WAIT);
                    }
                    wait = (wait * 2).min(FAULT_WAIT_MAX);
                }
            }
        }
    }

    /// One round: reads what there is, sends what is due, settles what has its answer, and commits if nothing is open.
    ///
    /// # Errors
    /// The log cannot be read or written. Nothing is lost by it: the next step tries again.
    pub fn step(&mut self) -> Result<(), FeedError> {
        let is_resting = self.uncommitted.is_some_and(|since| self.now().saturating_sub(since) >= self.settings.hold);
        if is_resting {
            let count = self.desk.let_go();
            self.tally.note_let_go(count);
            thread::sleep(BUSY_WAIT);
        } else {
            self.read()?;
        }
        for charge in self.desk.send(self.now(), is_resting) {
            self.tellers.charge(charge);
        }
        self.take_answers();
        self.settle()?;
        self.tally.note_outstanding(self.desk.count());
        self.commit()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn read(&mut self) -> Result<(), FeedError> {
        let mut wait = if self.desk.count() == 0 { IDLE_WAIT } else { BUSY_WAIT };
        if self.desk.count() >= self.settings.open_max {
            self.desk.nothing_more_came();
            thread::sleep(wait);
            return Ok(());
        }
        for _ in 0..EVENTS_AT_ONCE {
            let Some(line) = self.feed.next(wait)? else { break };
            wait = Duration::ZERO;
            let now = self.now();
            self.uncommitted.get_or_insert(now);
            match recharge::read(&line) {
                Ok(Some(news)) => self.hear(news),
                Ok(None) => {}
                // Its writer asks again, if it was a request.
                Err(error) => tracing::error!("an account event that cannot be read was passed over: {error}"),
            }
            if self.desk.count() >= self.settings.open_max {
                break;
            }
        }
        if !wait.is_zero() {
            self.desk.nothing_more_came();
        }
        Ok(())
    }

    fn hear(&mut self, news: RechargeNews) {
        match news {
            RechargeNews::Requested(request) => self.take_up(*request),
            RechargeNews::Attempted { recharge, attempt } => self.desk.drop_answered(&recharge, Some(attempt)),
            RechargeNews::Ended { recharge } => self.desk.drop_answered(&recharge, None),
        }
    }

    fn take_up(&mut self, request: RechargeRequest) {
        let RechargeRequest { org, recharge, amount, currency, sending, attempt, payment, at: _ } = request;
        match payment {
            PaymentMethod::Card(token) => {
                let key = key(&self.settings.namespace, &recharge, attempt);
                let card = Secret::new(String::from(token));
                let charge = Charge { key, recharge, org, attempt, sending, amount, currency, card };
                self.desk.take(charge, self.now().saturating_add(FRESH));
            }
            // The invoice is how it is paid.
            PaymentMethod::Agreement { .. } => {
                let request = Asked { org, recharge, attempt, key: None };
                let answer = Answer { amount: Some(amount), ..Answer::succeeded(None) };
                self.answered.push_back(Answered { request, answer });
            }
        }
    }

    fn take_answers(&mut self) {
        while let Some(returned) = self.tellers.returned() {
            let Some(charge) = self.desk.charge(&returned.key) else { continue };
            match returned.answer {
                Ok(answer) => {
                    let key = Some(returned.key);
                    let Charge { org, recharge, attempt, amount, .. } = charge;
                    let request = Asked { org: org.clone(), recharge: recharge.clone(), attempt: *attempt, key };
                    let paid =
                        (answer.outcome == super::Outcome::Succeeded).then_some(answer.amount.unwrap_or(*amount));
                    let answer = Answer { amount: paid, ..answer };
                    self.answered.push_back(Answered { request, answer });
                }
                Err(reason) => {
                    let (recharge, attempt) = (charge.recharge.clone(), charge.attempt);
                    self.tally.note_unanswered();
                    let wait = self.desk.unanswered(&returned.key, self.started.elapsed()).unwrap_or_default();
                    tracing::warn!(%recharge, attempt, "no answer of the gateway, asked again in {} s: {reason}", wait.as_secs());
                }
            }
        }
    }

    /// Each stays until its command is durable.
    fn settle(&mut self) -> Result<(), FeedError> {
        while let Some(Answered { request, answer }) = self.answered.front() {
            let at = (self.clock)();
            let settle = Settle {
                org: &request.org,
                recharge: &request.recharge,
                attempt: request.attempt,
                outcome: answer.outcome,
                reason: answer.reason.as_deref(),
                amount: answer.amount,
                processed: answer.processed.unwrap_or(at),
                at,
            };
            let mut command = Vec::new();
            settle::write(&mut command, &settle);
            self.orders.send(&request.org, &command)?;
            self.tally.note_settled(answer.outcome);
            self.has_settled = true;
            if let Some(key) = &request.key {
                self.desk.end(key);
            }
            self.answered.pop_front();
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        let Some(since) = self.uncommitted else { return Ok(()) };
        let is_worth_it = self.has_settled || self.now().saturating_sub(since) >= COMMIT_INTERVAL;
        if self.desk.count() == 0 && self.answered.is_empty() && is_worth_it {
            self.feed.commit()?;
            self.uncommitted = None;
            self.has_settled = false;
        }
        Ok(())
    }
}
