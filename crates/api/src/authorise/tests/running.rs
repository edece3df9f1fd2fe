//! Calls that run at once, in random worlds: authorised, extended, given up, and rated in any order.
//!
//! Whatever is granted is paid for when it is rated: no overdraft beyond what is allowed, nothing uncollected, unlicensed
//! or unrated, and never more in all than was promised.

use drawdown_engine::Limits;
use drawdown_ledger::command::Mode;
use drawdown_testkit::workload::{Options, Rng, Workload};

use super::world::{World, ask, questions};
use super::*;

struct Running {
    request: AuthorisationRequest,
    start: Timestamp,
    granted_s: u32,
}

/// One world and the calls that run in it.
struct Play {
    seed: u64,
    world: World,
    authoriser: Authoriser,
    overdraft: Money,
    running: Vec<Running>,
    questions: Vec<AuthorisationRequest>,
    rng: Rng,
    calls: usize,
    rated: usize,
    extended: usize,
    scarce: usize,
}

impl Play {
    fn new(seed: u64, world: World, questions: Vec<AuthorisationRequest>) -> Self {
        let mut rng = Rng::new(seed ^ 0xca11);
        let overdraft = Money::from_micros(rng.between(0, 1) * 2_000_000);
        let settings = Settings { maximum_s: 4_000, grace_s: 100_000, overdraft, ..Settings::default() };
        let authoriser = Authoriser::new(settings);
        let (running, calls, rated, extended, scarce) = (Vec::new(), 0, 0, 0, 0);
        Play { seed, world, authoriser, overdraft, running, questions, rng, calls, rated, extended, scarce }
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.rng.weighted(&[50, 25, 20, 5]) {
                0 => self.authorise(),
                1 => self.extend(),
                2 => self.rate_one(),
                _ => self.give_up(),
            }
            self.check_promises();
            let tenths = self.rng.between(0, 400);
            self.world.now = self.world.now.plus_seconds(tenths / 10);
        }
        while !self.running.is_empty() {
            self.rate_one();
        }
        assert_eq!(self.authoriser.count(), 0, "seed {}", self.seed);
    }

    fn authorise(&mut self) {
        self.calls += 1;
        let seconds = Some(self.rng.between(1, 900) as u32);
        let call_id = format!("call-{}-{}", self.seed, self.calls);
        let request = AuthorisationRequest { call_id, seconds, ..self.rng.pick(&self.questions) };
        let answer = self.authoriser.authorise(self.world.terms(), &self.world.partition, &request, self.world.now);
        self.scarce += usize::from(reason(&answer) == Some(RefusalReason::FundsPromised));
        if let Some(granted_s) = answer.granted_seconds.filter(|_| answer.allowed) {
            self.running.push(Running { request, start: self.world.now, granted_s });
        }
    }

    fn extend(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let index = self.rng.below(self.running.len());
        let call = &mut self.running[index];
        let extension = Extension {
            org_id: call.request.org_id.clone(),
            call_id: call.request.call_id.clone(),
            seconds: Some(self.rng.between(1, 900) as u32),
            ..Extension::default()
        };
        let answer = self.authoriser.extend(self.world.terms(), &self.world.partition, &extension, self.world.now);
        let granted_s = answer.granted_seconds.expect("what was granted stays granted");
        assert!(granted_s >= call.granted_s, "seed {}: {answer:?}", self.seed);
        self.extended += usize::from(granted_s > call.granted_s);
        call.granted_s = granted_s;
    }

    fn give_up(&mut self) {
        if !self.running.is_empty() {
            let index = self.rng.below(self.running.len());
            let Running { request, .. } = self.running.swap_remove(index);
            assert!(self.authoriser.release(&request.org_id, &request.call_id, Released::Request));
        }
    }

    /// One call ends, mostly at the end of its time, and its record is debited.
    fn rate_one(&mut self) {
        if self.running.is_empty() {
            return;
        }
        let index = self.rng.below(self.running.len());
        let Running { request, start, granted_s } = self.running.swap_remove(index);
        let seconds = if self.rng.chance(70) { granted_s } else { self.rng.below(granted_s as usize + 1) as u32 };
        let promised = self.authoriser.promised(&request.org_id).money;
        let before = self.world.partition.account(&request.org_id).expect("an account").clone();
        let rated = self.world.rate(&request, start, seconds);
        self.world.partition.commit(&Limits::default());
        let after = self.world.partition.account(&request.org_id).expect("an account");
        let told = || format!("seed {}: {request:?} of {start} for {seconds} of {granted_s} s\n{rated:?}", self.seed);
        // A call of no time draws no minutes: then the deck is asked, which need not know whom minutes reach.
        assert!(!rated.is_unrated || seconds == 0, "unrated: {}", told());
        assert_eq!(before.head().unlicensed, after.head().unlicensed, "unlicensed: {}", told());
        if after.mode() == Mode::Prepaid {
            assert!(rated.charge <= promised, "{promised} promised: {}", told());
            assert_eq!(before.head().uncollected, after.head().uncollected, "uncollected: {}", told());
            let limit = before.head().overdraft.max(self.overdraft);
            assert!(after.head().overdraft <= limit, "overdraft {}: {}", after.head().overdraft, told());
        }
        assert!(self.authoriser.release(&request.org_id, &request.call_id, Released::Request), "{}", told());
        self.rated += 1;
    }

    /// What is promised is there.
    fn check_promises(&self) {
        for account in self.world.partition.accounts().filter(|account| account.mode() == Mode::Prepaid) {
            let promised = self.authoriser.promised(account.org()).money;
            let holdings = account.lots().totals().remaining.minus(account.head().overdraft).plus(self.overdraft);
            assert!(promised.is_zero() || promised <= holdings, "seed {}: {promised} of {holdings}", self.seed);
        }
    }
}

#[test]
fn whatever_is_granted_is_paid_for() {
    let (mut rated, mut extended, mut scarce) = (0, 0, 0);
    for seed in 1..=40 {
        let workload = Workload::generate(seed, Options { operations: 300, ..Options::default() });
        let questions = questions(&workload);
        let mut play = Play::new(seed, World::of_workload(&workload), questions);
        play.run(150);
        rated += play.rated;
        extended += play.extended;
        scarce += play.scarce;
    }
    eprintln!("{rated} rated, {extended} extended, {scarce} refused for what was promised");
    assert!(rated > 200 && extended > 50, "{rated} {extended}: the worlds are too dull");
}

/// Small pools, little money, dear and cheap destinations side by side, users with and without the right to draw credits.
#[test]
fn nobody_loses_minutes_to_another() {
    let rows = "prefix,destination,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge\n\
                1,America,0.01,0,1,1,0\n1212,Manhattan,0.90,0.25,60,60,0\n1213,Angeles,0.05,0,30,6,0.40\n\
                44,Britain,0.60,0.10,60,60,0\n";
    let (mut rated, mut scarce) = (0, 0);
    for seed in 1..=120 {
        let mut rng = Rng::new(seed);
        let mut world = World::new(rows);
        world.open("acme", "required");
        let amount = rng.between(1, 30);
        world.buy("acme", &amount.to_string());
        let plan = rng.pick(&["MCOPSTN5", "MCOPSTN8", "MCOPSTN2"]);
        let mut questions = Vec::new();
        for user in ["bare", "rich", "both"] {
            if user != "rich" {
                world.licence("acme", user, plan);
            }
            if user != "bare" {
                world.licence("acme", user, "MCOPSTNPP");
                world.licence("acme", user, "MCOPSTN_PAYG_1");
            }
            for number in ["+12125550100", "+12135550100", "+14155550100", "+442071838750"] {
                let user_id = Some(user.into());
                questions.push(AuthorisationRequest { user_id, ..ask("acme", "", number) });
            }
        }
        let mut play = Play::new(seed, world, questions);
        // All but a few minutes are used.
        let left = play.rng.between(0, 40) as u32;
        let used = if plan == "MCOPSTN2" { 6_000 - left } else { 240 - left };
        let first = AuthorisationRequest { user_id: Some("bare".into()), ..ask("acme", "first", "+14155550100") };
        if plan != "MCOPSTN8" {
            play.world.rate(&first, play.world.now, used * 60);
        }
        play.run(200);
        rated += play.rated;
        scarce += play.scarce;
    }
    eprintln!("{rated} rated, {scarce} refused for what was promised");
    assert!(rated > 1_000 && scarce > 200, "{rated} {scarce}: the worlds are too dull");
}
