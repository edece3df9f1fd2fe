//! A clean native record costs no allocation, from its bytes to those of its debit.

use drawdown_engine::{Engine, InProgress, Limits, Outcome, Outputs, Partition};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_wire::source::Context;
use drawdown_wire::{command, native};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const ORGANISATIONS: usize = 1_000;
const RECORDS: usize = 10_000;

const MANIFEST: &str = r#"
    id = "world"
    version = 1
    currency = "USD"
    effectiveFrom = "2026-01-01T00:00:00Z"
    rows = "world.csv"
"#;
const ROWS: &str = "prefix,price_per_minute,connection_fee\n44,0.05,0.01\n4420,0.03,\n49,0.04,\n1,0.0137,\n";

fn catalogue() -> Catalogue {
    let text =
        DeckText { manifest_name: "world.toml", manifest: MANIFEST, rows_name: "world.csv", rows: ROWS.as_bytes() };
    let deck = Deck::compile(text).expect("a sound deck").deck;
    Catalogue::new(vec![deck], Vec::new()).expect("a sound catalogue")
}

/// An account with money that the calls do not exhaust, in two lots that some of them straddle.
fn open(partition: &mut Partition, engine: &Engine<'_>, org: usize, outputs: &mut Outputs) {
    let opening = r#""openAccount","currency":"USD","ratePlan":"any","country":"GB","licensing":"none""#;
    let first = r#""addFunds","lotId":"L1","amount":"0.20","purchasedAt":"2026-03-01T00:00:00Z""#;
    let second = r#""addFunds","lotId":"L2","amount":"100","purchasedAt":"2026-03-01T00:00:01Z""#;
    for (number, body) in [opening, first, second].into_iter().enumerate() {
        let line =
            format!(r#"{{"commandId":"c{number}","orgId":"org-{org}","at":"2026-03-01T00:00:02Z","type":{body}}}"#);
        let envelope = command::decode(line.as_bytes()).expect("a sound command");
        partition.command(engine, envelope.at, &envelope, outputs);
    }
}

fn record(number: usize) -> String {
    let (org, second) = (number % ORGANISATIONS, number % 60);
    let number_called = ["+442071838750", "+447911123456", "+493012345678", "+12025550123"][number % 4];
    format!(
        r#"{{"id":"cdr-{number}","callId":"call-{number}","orgId":"org-{org}","userId":"user-{number}","userPrincipalName":"user{number}@example.com","userDisplayName":"User {number}","callType":"user_out","callerNumber":"+442071838751","calleeNumber":"{number_called}","startDateTime":"2026-03-02T10:00:{second:02}.1234567Z","endDateTime":"2026-03-02T10:03:{second:02}.1234567Z","duration":180,"conferenceId":null,"inventoryType":"Subscriber","usageCountryCode":"GB","tenantCountryCode":"GB","destinationContext":"International","destinationName":"Somewhere","licenseCapability":"MCOPSTNPP","operator":"An operator","callDurationSource":"microsoft","charge":0.05,"connectionCharge":0.01,"currency":"USD","receivedAt":"2026-03-02T10:05:00Z"}}"#
    )
}

fn rate(partition: &mut Partition, engine: &Engine<'_>, records: &[String], outputs: &mut Outputs) {
    for record in records {
        let cdr = native::decode(record.as_bytes(), &Context::default()).expect("a sound record");
        let arrival = cdr.received.expect("it says when it was received");
        let outcome = partition.cdr(engine, arrival, &cdr, outputs, &mut InProgress);
        assert!(matches!(outcome, Outcome::Debited(call) if call.amount.is_positive()), "it is debited");
    }
}

#[test]
fn a_clean_record_allocates_nothing() {
    let (catalogue, rules) = (catalogue(), Rules::default());
    let engine = Engine { catalogue: &catalogue, rules: &rules, limits: Limits::default(), open_unknown: None };
    let records: Vec<String> = (0..RECORDS).map(record).collect();
    let mut partition = Partition::default();
    let mut outputs = Outputs::default();
    (0..ORGANISATIONS).for_each(|org| open(&mut partition, &engine, org, &mut outputs));
    partition.commit(&engine.limits);

    // The first time every buffer and the table of identities grow to what the batch takes, and keep it.
    rate(&mut partition, &engine, &records, &mut outputs);
    partition.roll_back();
    outputs.debits.clear();
    outputs.events.clear();

    let _profiler = dhat::Profiler::builder().testing().build();
    rate(&mut partition, &engine, &records, &mut outputs);
    let stats = dhat::HeapStats::get();
    dhat::assert_eq!(stats.total_blocks, 0, "{RECORDS} records took {} bytes", stats.total_bytes);
    dhat::assert!(outputs.debits.len() > 500 * RECORDS);
}
