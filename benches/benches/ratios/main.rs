//! The figures of README in one run: each thing beside the limit it is held against, measured in alternation, medians of
//! the thread's CPU time, which others on the machine disturb less than the time on the wall.
//!
//! `cargo bench -p drawdown-benches --bench ratios [-- PART]` with PART one of `record`, `look-up`, `charge`, `lots`,
//! `memory`, `licensed`, `users`, `many-lots`, `corrections`. No figure here is a test: machines differ, and are shared.

mod credits;
mod measure;

use std::hint::black_box;

use drawdown_benches::{GraphRow, Random, Records, catalogue, deck, engine, partition, whole_way};
use drawdown_engine::Outputs;
use drawdown_ledger::account::{Account, Input, RatedCall};
use drawdown_ledger::command::{AddFunds, Command, Licensing, Mode, OpenAccount};
use drawdown_ledger::{Effects, LotId, Rules};
use drawdown_rating::{Call, Called, Number, Product};
use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::native;
use drawdown_wire::source::Context;
use measure::{median, resident_bytes, say, timed};

const BATCH: u64 = 2_000;
const BATCH_COUNT: usize = 300;

fn main() {
    let part = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let wants = |name: &str| part.as_deref().is_none_or(|part| part == name);
    // First, while nothing that was freed could hide what is taken.
    if wants("memory") {
        memory();
    }
    if wants("look-up") {
        look_up();
    }
    if wants("charge") {
        charge();
    }
    if wants("lots") {
        lots();
    }
    if wants("licensed") {
        credits::licensed();
    }
    if wants("users") {
        credits::users();
    }
    if wants("many-lots") {
        credits::many_lots();
    }
    if wants("corrections") {
        credits::corrections();
    }
    if wants("record") {
        record(1_000);
        record(1_000_000);
    }
}

/// The whole way of one record beside a plain decode of the same bytes, batch by batch in alternation.
fn record(orgs: u64) {
    let (catalogue, rules) = (catalogue(36_000), Rules::default());
    let engine = engine(&catalogue, &rules);
    let mut partition = partition(&engine, orgs);
    let mut source = Records::new(orgs);
    let mut outputs = Outputs::default();
    let (mut plain, mut decoded, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    let (mut bytes_in, mut bytes_out) = (0, 0);
    for _ in 0..BATCH_COUNT {
        let batch: Vec<Vec<u8>> = source.by_ref().take(BATCH as usize).collect();
        plain.push(timed(|| {
            for bytes in &batch {
                black_box(sonic_rs::from_slice::<GraphRow<'_>>(bytes).expect("a row"));
            }
        }));
        decoded.push(timed(|| {
            for bytes in &batch {
                black_box(native::decode(bytes, &Context::default()).expect("a row"));
            }
        }));
        outputs.debits.clear();
        outputs.events.clear();
        whole.push(timed(|| {
            whole_way(&mut partition, &engine, &batch, &mut outputs);
            partition.commit(&engine.limits);
        }));
        bytes_in += batch.iter().map(Vec::len).sum::<usize>();
        bytes_out += outputs.debits.len();
    }
    let records = BATCH as usize * BATCH_COUNT;
    let [plain, decoded, whole] = [plain, decoded, whole].map(|times| median(times, BATCH));
    say(&format!(
        "record, {orgs} orgs: {} B in, {} B debit; plain decode {plain:.0} ns, native decode {decoded:.0} ns, \
         whole way {whole:.0} ns = {:.2} x plain decode, {:.0} records/s",
        bytes_in / records,
        bytes_out / records,
        whole / plain,
        1e9 / whole
    ));
}

fn numbers(rows: &[drawdown_rating::Row], count: u64) -> Vec<Number> {
    let mut random = Random::new(0xd1a1);
    (0..count)
        .map(|_| {
            let row = &rows[random.below(rows.len() as u64) as usize];
            let digits = format!("{}{:09}", row.prefix, random.below(1_000_000_000));
            Number::from_digits(&digits.as_bytes()[..digits.len().min(13)]).expect("a number")
        })
        .collect()
}

/// Look-ups of numbers under random rows, in decks of growing size; the numbers fit the caches, the larger decks do not.
fn look_up() {
    let mut base = 0.0;
    for rows in [1_000, 36_000, 1_000_000] {
        let deck = deck(rows);
        let numbers = numbers(deck.rows(), 4_096);
        let mut times = Vec::new();
        for _ in 0..200 {
            times.push(timed(|| {
                for &number in &numbers {
                    black_box(deck.look_up(Product::Outbound, Called { number, masked: false }));
                }
            }));
        }
        let time = median(times, numbers.len() as u64);
        if rows == 1_000 {
            base = time;
        }
        say(&format!("look-up, {rows} rows: {time:.1} ns = {:.2} x that of 1,000 rows", time / base));
    }
}

/// Charging in a deck of one row, so that the look-up costs next to nothing; beside the same sum in `rust_decimal`.
fn charge() {
    let deck = deck(9);
    let number = Number::from_digits(b"442071838750").expect("a number");
    let start = Timestamp::EPOCH;
    let calls: Vec<Call> = (1..=1_000)
        .map(|seconds| Call {
            product: Product::Outbound,
            called: Called { number, masked: false },
            caller: None,
            start,
            seconds,
        })
        .collect();
    let price = rust_decimal::Decimal::new(12_345, 6);
    let (mut ours, mut decimal) = (Vec::new(), Vec::new());
    for _ in 0..300 {
        ours.push(timed(|| {
            for call in &calls {
                black_box(deck.charge(call).expect("a charge"));
            }
        }));
        decimal.push(timed(|| {
            for call in &calls {
                let seconds = rust_decimal::Decimal::from(call.seconds.div_ceil(60) * 60);
                let amount = price * seconds / rust_decimal::Decimal::from(60);
                black_box(amount.round_dp_with_strategy(6, rust_decimal::RoundingStrategy::MidpointAwayFromZero));
            }
        }));
    }
    let [ours, decimal] = [ours, decimal].map(|times| median(times, calls.len() as u64));
    say(&format!("charge: {ours:.1} ns with its look-up in 9 rows; the sum alone in rust_decimal {decimal:.1} ns"));
}

fn account(lots_spent: u64, rules: &Rules) -> Account {
    let at = Timestamp::from_civil(2026, 1, 1, 0, 0, 0, 0).expect("a day");
    let mut effects = Effects::default();
    let terms = OpenAccount {
        currency: Currency::parse("USD").expect("a currency"),
        rate_plan: "standard".into(),
        mode: Mode::Prepaid,
        country: *b"US",
        strict: false,
        licensing: Licensing::None,
    };
    let mut account = Account::open("org", &terms, at, &mut effects);
    for lot in 0..=lots_spent {
        let amount = if lot == lots_spent { 900_000_000_000_000 } else { 1_000_000 };
        let funds = AddFunds {
            lot: LotId::from(format!("{lot:06}")),
            amount: Money::from_micros(amount),
            currency: None,
            purchased: at,
            expires: None,
            reference: None,
        };
        account.apply(at, Input::Command(&Command::AddFunds(funds)), rules, &mut effects);
        if lot < lots_spent {
            let call = RatedCall::paid(Money::from_micros(1_000_000), at);
            account.apply(at, Input::Call(call), rules, &mut effects);
        }
        effects.clear();
    }
    account
}

/// Drawing from one lot, behind a growing number of spent ones.
fn lots() {
    let rules = Rules::default();
    let mut effects = Effects::default();
    for spent in [0, 10, 100, 1_000] {
        let mut account = account(spent, &rules);
        let at = account.head().clock;
        let call = RatedCall::paid(Money::from_micros(12_345), at);
        let mut times = Vec::new();
        for _ in 0..300 {
            times.push(timed(|| {
                for _ in 0..1_000 {
                    effects.clear();
                    account.apply(at, Input::Call(call), &rules, &mut effects);
                    black_box(&effects);
                }
            }));
        }
        say(&format!("draw, {spent} spent lots before the one with money: {:.1} ns", median(times, 1_000)));
    }
}

/// What an organisation with three lots takes, all in: account, lots, index, dues. The ids of the commands that opened it
/// are told apart, since they are forgotten with the window.
fn memory() {
    let (catalogue, rules) = (catalogue(1_000), Rules::default());
    let engine = engine(&catalogue, &rules);
    drop(partition(&engine, 10_000));
    let before = resident_bytes();
    let orgs = 1_000_000;
    let partition = partition(&engine, orgs);
    let after = resident_bytes();
    let commands = partition.dedup_size_bytes() as u64;
    say(&format!(
        "memory, {orgs} orgs of three lots: {} B an org, and {} B for the ids of its four commands",
        (after - before - commands) / orgs,
        commands / orgs
    ));
}
