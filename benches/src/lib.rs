//! What the benchmarks share: a deck, usage records as bytes, and an engine with open accounts.
//!
//! Everything is made from a seed, so that two runs measure the same work.

pub mod feed;
pub mod passthrough;
pub mod pipeline;

use drawdown_engine::{AHEAD_COUNT, Engine, InProgress, Limits, Outcome, Outputs, Partition};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_units::Timestamp;
use drawdown_wire::source::Context;
use drawdown_wire::{Cdr, command, native};
use serde::Deserialize;

/// A small fast generator (xorshift64*), for inputs only.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// From a seed other than 0.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) % bound
    }
}

/// The row as the plain decode reads it: every field of the record, borrowed, nothing looked at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs)]
pub struct GraphRow<'a> {
    pub id: &'a str,
    pub call_id: Option<&'a str>,
    pub org_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub user_principal_name: Option<&'a str>,
    pub user_display_name: Option<&'a str>,
    pub start_date_time: Option<&'a str>,
    pub end_date_time: Option<&'a str>,
    pub duration: u32,
    pub call_type: Option<&'a str>,
    pub callee_number: Option<&'a str>,
    pub caller_number: Option<&'a str>,
    pub usage_country_code: Option<&'a str>,
    pub tenant_country_code: Option<&'a str>,
    pub destination_context: Option<&'a str>,
    pub destination_name: Option<&'a str>,
    pub license_capability: Option<&'a str>,
    pub inventory_type: Option<&'a str>,
    pub operator: Option<&'a str>,
}

/// A deck of `count` random prefixes of 2 to 9 digits, with the first digits covered throughout.
pub fn deck(count: u64) -> Deck {
    let mut random = Random::new(0x5eed);
    let mut prefixes = std::collections::BTreeSet::new();
    for first in 1..10 {
        prefixes.insert(first);
    }
    while (prefixes.len() as u64) < count {
        let digits = 2 + random.below(8) as u32;
        let low = 10_u64.pow(digits - 1);
        prefixes.insert(low + random.below(low * 9));
    }
    let mut rows = String::from("prefix,destination,price_per_minute\n");
    for prefix in prefixes {
        let price = random.below(400_000);
        rows.push_str(&format!("{prefix},Destination {},0.{price:06}\n", prefix % 240));
    }
    let manifest =
        "id = \"bench\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = 2019-01-01T00:00:00Z\nrows = \"bench.csv\"\n";
    let text = DeckText { manifest_name: "bench.toml", manifest, rows_name: "bench.csv", rows: rows.as_bytes() };
    match Deck::compile(text) {
        Ok(compiled) => compiled.deck,
        Err(faults) => panic!("the benchmark's deck is wrong: {}", faults[0]),
    }
}

/// Records of about 540 bytes each over a number of organisations, one a millisecond.
#[derive(Debug)]
pub struct Records {
    orgs: u64,
    from: Timestamp,
    index: u64,
    random: Random,
    /// Users of each organisation.
    users: u64,
    /// Of a hundred calls so many are domestic, and so many dial out of a conference.
    mix: [u64; 2],
}

impl Records {
    /// Over `orgs` organisations, from 2026-03-01 on.
    pub fn new(orgs: u64) -> Self {
        Self::starting(orgs, Timestamp::from_civil(2026, 3, 1, 0, 0, 0, 0).expect("a day that exists"))
    }

    /// Over `orgs` organisations, from any second on.
    pub fn starting(orgs: u64, from: Timestamp) -> Self {
        Records { orgs, from, index: 0, random: Random::new(0xca11), users: 10_000, mix: [0, 0] }
    }

    /// Over fewer users, and with calls that licences pay: half of them domestic, and a tenth dial-out.
    #[must_use]
    pub fn of_users(self, users: u64) -> Self {
        Records { users, mix: [50, 10], ..self }
    }
}

impl Iterator for Records {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let org = self.random.below(self.orgs);
        self.index += 1;
        let start = instant(self.from, self.index);
        let user = self.random.below(self.users);
        let chance = if self.mix == [0, 0] { 100 } else { self.random.below(100) };
        let context = if chance < self.mix[0] { "Domestic" } else { "International" };
        let kind = if chance >= 100 - self.mix[1] && chance < 100 { "conf_out" } else { "user_out" };
        Some(record(self.index, start, org, (user, kind, context), &mut self.random))
    }
}

fn record(
    index: u64,
    start: Timestamp,
    org: u64,
    (user, kind, context): (u64, &str, &str),
    random: &mut Random,
) -> Vec<u8> {
    let seconds = 1 + random.below(600);
    let end = start.plus_seconds(seconds as i64);
    let callee = callee(random);
    let user_id = user_id(user);
    format!(
        "{{\"id\":\"9c4984c7-6c3c-427d-a30c-{index:012x}\",\"callId\":\"1835317186_{index}@61.221.3.176\",\"orgId\":\"org-{org:06}\",\
         \"userId\":\"{user_id}\",\"userPrincipalName\":\"user.{user}@contoso.com\",\
         \"userDisplayName\":\"User {user}\",\"startDateTime\":\"{start}\",\"endDateTime\":\"{end}\",\"duration\":{seconds},\
         \"callType\":\"{kind}\",\"calleeNumber\":\"+{callee}\",\"usageCountryCode\":\"US\",\"tenantCountryCode\":\"US\",\
         \"callerNumber\":\"+12065550123\",\"destinationContext\":\"{context}\",\"licenseCapability\":\"MCOPSTNPP\"}}"
    )
    .into_bytes()
}

/// The id of a user, the same in every organisation.
pub fn user_id(user: u64) -> String {
    format!("db03c14b-06eb-4189-939b-{user:012x}")
}

/// Calls go where calls go: few destinations take most of them, with any subscriber there.
fn callee(random: &mut Random) -> u64 {
    let mut rank = 5_000;
    for _ in 0..3 {
        rank = 1 + random.below(rank);
    }
    let area = 1_000 + Random::new(rank).below(90_000) % 9_000;
    area * 10_000_000 + random.below(10_000_000)
}

fn instant(from: Timestamp, index: u64) -> Timestamp {
    Timestamp::from_parts(from.seconds() + (index / 1000) as i64, (index % 1000) as u32 * 1_000_000 + 259)
}

/// The commands that open organisation number `org` and give it three lots, at `at`, bought in the days before.
pub fn commands(org: u64, at: Timestamp) -> [String; 4] {
    std::array::from_fn(|n| {
        let body = match n {
            0 => r#""type":"openAccount","currency":"USD","ratePlan":"standard","country":"US","licensing":"none""#
                .to_owned(),
            n => {
                let bought = at.plus_seconds(-86_400 * (4 - n as i64));
                format!(r#""type":"addFunds","lotId":"lot-{org}-{n}","amount":"250000000.00","purchasedAt":"{bought}""#)
            }
        };
        format!(r#"{{"commandId":"c{n}","orgId":"org-{org:06}","at":"{at}",{body}}}"#)
    })
}

/// A partition as [`partition`] makes it, in which users need licences to draw credits, and have them: a calling plan,
/// conferencing and credits, each.
pub fn licensed_partition(engine: &Engine<'_>, orgs: u64, users: u64) -> Partition {
    let mut partition = Partition::default();
    let mut outputs = Outputs::default();
    let arrival = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    let mut give = |partition: &mut Partition, json: &str| {
        let envelope = command::decode(json.as_bytes()).expect("a command");
        partition.command(engine, arrival, &envelope, &mut outputs);
        outputs.events.clear();
    };
    for org in 0..orgs {
        for json in commands(org, arrival) {
            give(&mut partition, &json.replace("\"licensing\":\"none\"", "\"licensing\":\"required\""));
        }
        for user in 0..users {
            for licence in ["MCOPSTN1", "MCOMEETADV", "MCOPSTNPP"] {
                let user_id = user_id(user);
                give(
                    &mut partition,
                    &format!(
                        "{{\"commandId\":\"{licence}-{user}\",\"orgId\":\"org-{org:06}\",\"at\":\"{arrival}\",\
                         \"type\":\"assignLicence\",\"userId\":\"{user_id}\",\"licence\":\"{licence}\",\"country\":\"US\"}}"
                    ),
                );
            }
        }
        partition.commit(&engine.limits);
    }
    partition
}

/// A partition with `orgs` organisations of three lots each.
pub fn partition(engine: &Engine<'_>, orgs: u64) -> Partition {
    let mut partition = Partition::default();
    let mut outputs = Outputs::default();
    let arrival = Timestamp::parse("2026-02-01T00:00:00Z").expect("a time");
    for org in 0..orgs {
        for json in commands(org, arrival) {
            let envelope = command::decode(json.as_bytes()).expect("a command");
            partition.command(engine, arrival, &envelope, &mut outputs);
        }
        outputs.events.clear();
        if org % 1000 == 999 {
            partition.commit(&engine.limits);
        }
    }
    partition.commit(&engine.limits);
    partition
}

/// Decodes, rates and books records as the pipeline does: a few decoded together, looked ahead at, then booked.
///
/// # Panics
/// One of them is not debited.
pub fn whole_way(partition: &mut Partition, engine: &Engine<'_>, records: &[Vec<u8>], outputs: &mut Outputs) {
    for together in records.chunks(AHEAD_COUNT) {
        let cdrs = together.iter().map(|bytes| native::decode(bytes, &Context::default()).expect("a row"));
        let cdrs: Vec<Cdr<'_>> = cdrs.collect();
        partition.look_ahead(engine.catalogue, cdrs.iter());
        for cdr in &cdrs {
            let arrival = cdr.end.unwrap_or(cdr.start);
            let outcome = partition.cdr(engine, arrival, cdr, outputs, &mut InProgress);
            assert!(matches!(outcome, Outcome::Debited(_)), "every record is debited: {outcome:?}");
        }
    }
}

/// A catalogue of one deck.
pub fn catalogue(rows: u64) -> Catalogue {
    Catalogue::new(vec![deck(rows)], Vec::new()).expect("one deck makes a catalogue")
}

/// The engine over `catalogue`.
pub fn engine<'c>(catalogue: &'c Catalogue, rules: &'c Rules) -> Engine<'c> {
    Engine { catalogue, rules, limits: Limits::default(), open_unknown: None }
}
