//! A live server, a worker behind it and clients before it that go on until the test is over.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use drawdown_api::meters::Committed;
use drawdown_api::{
    EventTally, Figures, Health, Routes, Server, Service, Stage, Telemetry, Totals, Views, WorkerMeters,
};
use drawdown_engine::Tally;
use drawdown_engine::log::Progress;
use drawdown_engine::tally::{Charged, Funded};
use drawdown_ledger::Rules;
use drawdown_ledger::account::{Account, Input, RatedCall};
use drawdown_ledger::command::{AddFunds, Command, Licensing, Mode, OpenAccount, PaymentMethod, Settings};
use drawdown_ledger::effects::Effects;
use drawdown_units::{Currency, Money, Sum, Timestamp};
use drawdown_wire::Reason;

use super::served::{Client, Connectors, calls};

pub struct Live {
    server: Option<Server>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Live {
    pub fn start() -> Self {
        let telemetry = Arc::new(Telemetry::begin("0.0.0"));
        let health = Arc::new(Health::new(1, Duration::from_secs(30)));
        let process = telemetry.process();
        process.spool(1, 0);
        process.deck("acs-pstn", 4);
        let is_over = Arc::new(AtomicBool::new(false));
        let (mut worker, pulse) = (Worker { meters: telemetry.worker(0), recharges: 0 }, health.pulse(0));
        worker.begin();
        pulse.enter(Stage::Rating);
        let mut connectors = Connectors::new(&telemetry);
        let mut service = Service::of_views(&telemetry, Arc::new(OneAccount));
        service.calls = Some(Arc::new(calls(&telemetry)));
        let routes = Routes { telemetry, health, service: Arc::new(service) };
        let server = Server::start(([127, 0, 0, 1], 0).into(), routes, drawdown_api::Guard::of_everybody()).unwrap();
        let client = Client::of(server.address());
        let work = move || {
            worker.commit();
            pulse.beat();
            connectors.work();
        };
        let threads = vec![again_and_again(&is_over, work), again_and_again(&is_over, move || client.ask())];
        Live { server: Some(server), is_over, threads }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.as_ref().unwrap().address()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            thread.join().unwrap();
        }
        self.server.take().unwrap().stop();
    }
}

/// Does something ten times a second until it is over.
fn again_and_again(is_over: &Arc<AtomicBool>, mut what: impl FnMut() + Send + 'static) -> JoinHandle<()> {
    let is_over = Arc::clone(is_over);
    std::thread::spawn(move || {
        while !is_over.load(Ordering::Relaxed) {
            what();
            std::thread::park_timeout(Duration::from_millis(100));
        }
    })
}

/// One account is all there is.
struct OneAccount;

impl Views for OneAccount {
    fn account(&self, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn user(&self, _: &str, _: &str) -> Option<Vec<u8>> {
        None
    }

    fn list(&self, _: &str, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn totals(&self, now: Timestamp) -> Totals {
        let mut totals = Totals::default();
        totals.add(&Figures::of(&account()), now);
        totals
    }

    fn size_bytes(&self) -> usize {
        700
    }

    fn staleness(&self) -> Duration {
        Duration::from_millis(20)
    }
}

struct Worker {
    meters: WorkerMeters,
    recharges: u64,
}

impl Worker {
    fn begin(&mut self) {
        self.meters.assigned(&[0, 1]);
        self.meters.restored(&account());
        self.meters.restoring(Progress { read: 100, total: 100, is_done: true });
        self.meters.holds(1, 4096);
    }

    /// One transaction in which everything happens.
    fn commit(&mut self) {
        let mut tally = Tally {
            records: 12,
            debited: 9,
            unrated: 1,
            duplicate: 1,
            claimed: [sum("1"), sum("0.1"), sum("0.2")],
            commands: 4,
            commands_applied: 1,
            commands_refused: 1,
            commands_duplicate: 1,
            commands_rejected: 1,
            ..Tally::default()
        };
        tally.rejected[Reason::Quarantined as usize] = 1;
        tally.rejected[Reason::TooLate as usize] = 1;
        let funded = Funded { lots: sum("0.7"), overdraft: sum("0.2"), uncollected: sum("0.1"), ..Funded::default() };
        tally.money.push((usd(), Charged { amount: sum("1"), funded, ..Charged::default() }));
        self.recharges += 1;
        let mut events = EventTally::default();
        for (kind, at, more) in [
            ("RechargeRequested", "2026-01-01T00:00:00Z", ",\"sending\":1"),
            ("RechargeSucceeded", "2026-01-01T00:00:20Z", ""),
            ("RechargeFailed", "2026-01-01T00:00:20Z", ""),
            ("BalanceExhausted", "2026-01-01T00:00:20Z", ""),
            ("CommandRefused", "2026-01-01T00:00:20Z", ",\"reason\":\"unknown-recharge\""),
        ] {
            let id = self.recharges;
            let line = format!(
                "{{\"schemaVersion\":1,\"type\":\"{kind}\",\"orgId\":\"a\",\"seq\":1,\"at\":\"{at}\",\"rechargeId\":\"a/{id}\",\"balanceAfter\":\"0.00\"{more}}}"
            );
            events.line(line.as_bytes());
        }
        let committed = Committed {
            took: Duration::from_millis(30),
            records: 16,
            bytes: 9_000,
            written: [9_000, 900, 90, 700, 70],
        };
        self.meters.committed(&committed, &tally, &events);
        self.meters.aborted();
        let now = Timestamp::parse("2026-01-01T00:00:20Z").unwrap();
        self.meters.lag(0, 5, Timestamp::parse("2026-01-01T00:00:19Z").unwrap(), now);
        self.meters.lag(1, 0, now, now);
    }
}

fn usd() -> Currency {
    Currency::parse("USD").unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn sum(text: &str) -> Sum {
    money(text).into()
}

/// An account with money, that asked for a recharge.
pub fn account() -> Account {
    let (mut effects, rules) = (Effects::default(), Rules::default());
    let opened = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
    let terms = OpenAccount {
        currency: usd(),
        rate_plan: Arc::from("standard"),
        mode: Mode::Prepaid,
        country: *b"GB",
        strict: false,
        licensing: Licensing::None,
    };
    let mut account = Account::open("a", &terms, opened, &mut effects);
    let payment = PaymentMethod::Card("tok".into());
    let settings = Settings { enabled: true, amount: money("50"), trigger: money("20"), monthly_cap: None, payment };
    let funds = AddFunds {
        lot: "L1".into(),
        amount: money("30"),
        currency: None,
        purchased: opened,
        expires: None,
        reference: None,
    };
    for command in [Command::AddFunds(funds), Command::ConfigureAutoRecharge(settings)] {
        account.apply(opened, Input::Command(&command), &rules, &mut effects);
    }
    let call = RatedCall::paid(money("15"), opened);
    account.apply(opened, Input::Call(call), &rules, &mut effects);
    account
}
