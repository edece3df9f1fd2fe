//! The world a workload is made in: whose turn it is, and when.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::decks::{self, DeckFiles, PlanFile};
use super::rng::Rng;
use super::timeline::{Stream, TICK, Timeline};
use super::{Input, Options, Step};
use crate::model::{Account, Mode, Model, ModelDeck, time};

/// Never opened.
pub const GHOST: &str = "ghost";
/// How many usage records can come again.
const RECORDS: usize = 240;
const ORGS: [&str; 5] = ["acme", "b-2", "Org3", "d.4", "E5"];

pub struct World {
    pub rng: Rng,
    pub options: Options,
    pub model: Model,
    pub deck_files: Vec<DeckFiles>,
    pub plan_files: Vec<PlanFile>,
    /// As the model reads them, to aim at their prefixes and instants.
    pub decks: Vec<ModelDeck>,
    pub timeline: Timeline,
    pub orgs: Vec<&'static str>,
    /// Every command made, for repeating.
    pub commands: Vec<Value>,
    /// The latest usage records, for repeating.
    pub records: Vec<Value>,
    counter: u64,
    steps: usize,
}

impl World {
    pub fn new(seed: u64, options: Options) -> Self {
        let mut rng = Rng::new(seed);
        let january: Timestamp = "2027-01-01T00:00:00Z".parse().expect("an instant");
        let start = january + time::days(rng.between(0, 900)) + SignedDuration::from_millis(rng.between(0, 86_400_000));
        let (deck_files, plan_files) = decks::random_decks(&mut rng, start, options.credits);
        let read = |deck: &DeckFiles| ModelDeck::read(&deck.toml, &deck.csv).expect("decks made here are sound");
        let orgs = ORGS[..rng.below(ORGS.len()) + 1].to_vec();
        Self {
            model: super::new_model(&deck_files, &plan_files, options),
            decks: deck_files.iter().map(read).collect(),
            deck_files,
            plan_files,
            timeline: Timeline::new(start),
            orgs,
            commands: Vec::new(),
            records: Vec::new(),
            counter: 0,
            steps: 0,
            rng,
            options,
        }
    }

    /// Makes one input and lets the model answer it.
    pub fn step(&mut self) -> Step {
        self.steps += 1;
        let org = self.whose_turn();
        let wish = self.wish(org);
        let opens = org != GHOST && self.model.account(org).is_none() && self.rng.chance(70);
        let stream = if opens || self.rng.chance(40) { Stream::Commands } else { Stream::Cdrs };
        let wish = if self.timeline.may_step_back(stream) && self.rng.chance(5) { self.earlier() } else { wish };
        let arrival = self.timeline.arrive(stream, wish);
        match stream {
            Stream::Commands => self.command_step(org, arrival),
            Stream::Cdrs => self.cdr_step(org, arrival),
        }
    }

    /// Lets time run on, for up to 450 days, and returns where to and what came of it.
    pub fn run_on(&mut self) -> (Timestamp, Vec<Value>) {
        let last = self.timeline.now + time::days(self.rng.between(0, 450));
        let mut until = self.timeline.now;
        let mut outputs = self.model.run_until(until);
        while until < last {
            until = self.bearable(last).max(until + TICK);
            self.timeline.now = until;
            outputs.append(&mut self.model.run_until(until));
            if self.somebody_waits() {
                break;
            }
        }
        (until, outputs)
    }

    pub fn account(&self, org: &str) -> Option<&Account> {
        self.model.account(org)
    }

    /// The clock a record of `org` that arrives at `arrival` is judged by.
    pub fn clock(&self, org: &str, arrival: Timestamp) -> Timestamp {
        self.account(org).map_or(arrival, |account| account.clock.max(arrival))
    }

    /// Most accounts live to see the last fifth of the steps.
    pub fn may_close(&mut self) -> bool {
        self.steps * 5 > self.options.operations * 4 || self.rng.chance(3)
    }

    /// The deck that serves an organisation's outbound calls at an instant, as one would guess.
    pub fn deck_of(&self, org: &str, at: Timestamp) -> Option<&ModelDeck> {
        let id = match self.account(org)?.plan_at(at) {
            "lean" => "alpha",
            "full" => "beta",
            _ => return None,
        };
        let in_force = self.decks.iter().filter(|deck| deck.id == id && deck.effective_from <= at);
        in_force.max_by_key(|deck| (deck.effective_from, deck.version))
    }

    /// A number never used before in this world.
    pub fn fresh(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// The instant itself, or the finest step beside it.
    pub fn beside(&mut self, instant: Timestamp) -> Timestamp {
        match self.rng.below(4) {
            0 => instant - TICK,
            1 => instant + TICK,
            _ => instant,
        }
    }

    /// Anybody's, rather of one whose request waits for its answer: otherwise sendings would be all there is.
    fn whose_turn(&mut self) -> &'static str {
        let waits = |org: &&'static str| self.account(org).is_some_and(waits_for_answer);
        let waiting = self.orgs.iter().copied().find(waits);
        match waiting {
            Some(org) if self.rng.chance(35) => org,
            _ if self.rng.chance(1) => GHOST,
            _ => self.rng.pick(&self.orgs),
        }
    }

    fn command_step(&mut self, org: &str, arrival: Timestamp) -> Step {
        let command = self.make_command(org, arrival);
        let expected = self.model.feed_command(&command);
        self.commands.push(command.clone());
        Step { input: Input::Command(command), expected }
    }

    fn cdr_step(&mut self, org: &str, arrival: Timestamp) -> Step {
        let row = self.make_record(org, arrival);
        let expected = self.model.feed_cdr(&row, arrival);
        self.records.push(row.clone());
        if self.records.len() > RECORDS {
            self.records.remove(0);
        }
        Step { input: Input::Cdr { row, arrival }, expected }
    }

    /// When the next input should arrive.
    fn wish(&mut self, org: &str) -> Timestamp {
        let now = self.timeline.now;
        let wish = match self.rng.weighted(&[18, 22, 18, 22, 10, 4, 3, 3]) {
            0 => now,
            1 => now + SignedDuration::from_nanos(self.rng.between(1, 100_000_000) * 100),
            2 => now + SignedDuration::from_secs(self.rng.between(1, 3_600)),
            3 => self.account(org).and_then(Account::next_due_at).map_or(now, |due| self.beside(due)),
            4 => now + SignedDuration::from_secs(self.rng.between(3_600, 40_000)),
            5 => now + SignedDuration::from_secs(self.rng.between(40_000, 500_000)),
            6 => self.beside(time::next_month_start(now)),
            _ => now + time::minutes(15 * self.rng.between(1, 3)),
        };
        let longest = if self.rng.chance(15) { time::days(60) } else { time::days(self.rng.between(1, 6)) };
        self.bearable(wish.clamp(now, now + longest))
    }

    /// `wish`, or earlier: a request that nobody answers is sent again every quarter of an hour, without limit, so no
    /// step leaps far over an instant at which one may begin.
    fn bearable(&mut self, wish: Timestamp) -> Timestamp {
        if self.somebody_waits() {
            let bearable = if self.rng.chance(3) { time::hours(5) } else { time::minutes(20) };
            return wish.min(self.timeline.now + bearable);
        }
        let may_request = |account: &Account| {
            let enabled = account.recharge.settings.as_ref().is_some_and(|settings| settings.enabled);
            enabled && !account.closed && account.mode == Mode::Prepaid
        };
        let accounts = self.orgs.iter().filter_map(|org| self.account(org)).filter(|account| may_request(account));
        let next = accounts.filter_map(Account::next_due_at).min();
        next.map_or(wish, |due| wish.min(due.max(self.timeline.now) + time::hours(2)))
    }

    /// Somewhat before now, as another topic or a retry brings it.
    fn earlier(&mut self) -> Timestamp {
        let reach_s = self.rng.pick(&[1, 60, 3_600, 90_000, 300_000]);
        self.timeline.now - SignedDuration::from_secs(self.rng.between(0, reach_s))
    }

    fn somebody_waits(&self) -> bool {
        self.orgs.iter().filter_map(|org| self.account(org)).any(waits_for_answer)
    }
}

fn waits_for_answer(account: &Account) -> bool {
    !account.closed && account.recharge.outstanding().is_some()
}
