//! The connector itself: requests in from the log, charges out to the gateway, settlements back to the log.
//!
//! Invariants: the place in the log is committed only while no charge is open, and so after every settlement of what was
//! read is durable. Killed anywhere, it reads the same requests again and sends the same charges under the same keys,
//! and the engine takes each settlement once by its command's id.
//!
//! **A gateway without answers holds nobody up for ever.** Charges are open side by side, up to [`Settings::open_max`],
//! and each waits for itself, longer and longer, up to a minute. The place in the log stays behind the oldest of them, but for
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
use drawdown_wire::event::recharge::{self, RechargeNews, RechargeRequest};

use super::answered::Answered;
use super::desk::Desk;
use super::settings::{Clock, Settings};
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
/// The first wait after the log could not be read or written, and the longest.
const FAULT_WAIT: Duration = Duration::from_secs(1);
const FAULT_WAIT_MAX: Duration = Duration::from_secs(60);

/// Carries recharges to a gateway, and its answers back.
pub struct Connector<F, O> {
    feed: F,
    orders: O,
    tellers: Tellers,
    settings: Settings,
    clock: Clock,
    desk: Desk,
    /// What is paid by agreement: it waits like the others for what the log says of it, and is never at the gateway.
    agreed: Desk,
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
            desk: Desk::new(settings.backoff, settings.backoff_max),
            agreed: Desk::new(settings.backoff, settings.backoff_max),
            settings,
            clock,
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
        let mut wait = FAULT_WAIT;
        while !stop.load(Ordering::Relaxed) {
            match self.step() {
                Ok(()) => wait = FAULT_WAIT,
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
        let is_overdue = self.uncommitted.is_some_and(|since| self.now().saturating_sub(since) >= self.settings.hold);
        let is_resting = is_overdue && self.feed.is_caught_up();
        if is_resting {
            let count = self.desk.let_go();
            self.tally.note_let_go(count);
            thread::sleep(BUSY_WAIT);
        } else {
            self.read()?;
        }
        // What is history may have its answer further on, however long that takes to read.
        if self.feed.is_caught_up() {
            self.send(is_resting);
        }
        self.take_answers();
        self.settle()?;
        self.feed.look();
        self.tally.note_outstanding(self.open_count());
        self.commit()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn open_count(&self) -> usize {
        self.desk.count() + self.agreed.count()
    }

    /// History is read however many are open: most of them have their answer further on.
    fn is_full(&mut self) -> bool {
        self.open_count() >= self.settings.open_max && self.feed.is_caught_up()
    }

    fn read(&mut self) -> Result<(), FeedError> {
        let mut wait = if self.open_count() == 0 { IDLE_WAIT } else { BUSY_WAIT };
        if self.is_full() {
            self.nothing_more_came();
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
                Err(error) => {
                    self.tally.note_undecodable();
                    tracing::error!("an account event that cannot be read was passed over: {error}");
                }
            }
            if self.is_full() {
                break;
            }
        }
        if !wait.is_zero() {
            self.nothing_more_came();
        }
        Ok(())
    }

    fn nothing_more_came(&mut self) {
        self.desk.nothing_more_came();
        self.agreed.nothing_more_came();
    }

    fn hear(&mut self, news: RechargeNews) {
        match news {
            RechargeNews::Requested(request) => self.take_up(*request),
            RechargeNews::Attempted { recharge, attempt } => self.drop_answered(&recharge, Some(attempt)),
            RechargeNews::Ended { recharge } => self.drop_answered(&recharge, None),
        }
    }

    fn drop_answered(&mut self, recharge: &str, attempt: Option<u32>) {
        self.desk.drop_answered(recharge, attempt);
        self.agreed.drop_answered(recharge, attempt);
    }

    fn take_up(&mut self, request: RechargeRequest) {
        let RechargeRequest { org, recharge, amount, currency, sending, attempt, payment, at } = request;
        let key = key(&self.settings.namespace, &recharge, attempt);
        let fresh_until = self.now().saturating_add(FRESH);
        let (desk, card) = match payment {
            PaymentMethod::Card(token) => (&mut self.desk, Secret::new(token)),
            PaymentMethod::Agreement { .. } => (&mut self.agreed, Secret::new("")),
        };
        desk.take(Charge { key, recharge, org, attempt, sending, at, amount, currency, card }, fresh_until);
    }

    fn send(&mut self, first_only: bool) {
        let now = self.now();
        for charge in self.desk.send(now, first_only) {
            self.tellers.charge(charge);
        }
        for charge in self.agreed.send(now, first_only) {
            // The invoice is how it is paid.
            self.answered.push_back(Answered::new(&charge, Answer::succeeded(None)));
        }
    }

    fn take_answers(&mut self) {
        while let Some(returned) = self.tellers.returned() {
            self.tally.took.note(returned.took);
            let Some(charge) = self.desk.charge(&returned.key) else { continue };
            match returned.answer {
                Ok(answer) => self.answered.push_back(Answered::new(charge, answer)),
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
        while let Some(answered) = self.answered.front() {
            self.orders.send(answered.org(), &answered.command((self.clock)()))?;
            match self.agreed.charge(answered.key()) {
                Some(_) => self.tally.note_agreed(),
                None => self.tally.note_settled(answered.outcome()),
            }
            self.has_settled = true;
            self.desk.end(answered.key());
            self.agreed.end(answered.key());
            self.answered.pop_front();
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        let Some(since) = self.uncommitted else { return Ok(()) };
        let is_worth_it = self.has_settled || self.now().saturating_sub(since) >= self.settings.commit_interval;
        if self.open_count() == 0 && self.answered.is_empty() && is_worth_it {
            self.feed.commit()?;
            self.uncommitted = None;
            self.has_settled = false;
        }
        Ok(())
    }
}
