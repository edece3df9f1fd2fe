//! One decision, without HTTP: a call is asked for and given up again.
//!
//! With enough money one charge decides; where money runs out within the longest call, the longest time is searched for.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use drawdown_api::authorise::{AuthorisationRequest, Authoriser, Ledger, Released, Settings, Terms};
use drawdown_engine::{Engine, Limits, Outputs, Partition};
use drawdown_ledger::{Account, Rules};
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_units::Timestamp;
use drawdown_wire::{command, licences};

struct Accounts(Partition);

impl Ledger for Accounts {
    fn with<R>(&self, org: &str, look: impl FnOnce(Option<&Account>) -> R) -> R {
        look(self.0.account(org))
    }

    fn partition(&self, _: &str) -> Option<u32> {
        Some(0)
    }
}

fn catalogue() -> Catalogue {
    let mut rows = "prefix,destination,price_per_minute\n".to_owned();
    for prefix in 10_000..46_000 {
        rows.push_str(&format!("{prefix},Somewhere {},0.{:03}\n", prefix % 240, 1 + prefix % 400));
    }
    let manifest =
        "id = \"b\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = 2026-01-01T00:00:00Z\nrows = \"b.csv\"\n";
    let text = DeckText { manifest_name: "b.toml", manifest, rows_name: "b.csv", rows: rows.as_bytes() };
    let deck = Deck::compile(text).expect("a sound deck").deck;
    Catalogue::new(vec![deck], Vec::new()).expect("a sound catalogue")
}

fn accounts(catalogue: &Catalogue, rules: &Rules, now: Timestamp) -> Accounts {
    let engine = Engine { catalogue, rules, limits: Limits::default(), open_unknown: None };
    let mut partition = Partition::default();
    let mut number = 0;
    let mut apply = |org: &str, rest: &str| {
        number += 1;
        let text = format!("{{\"commandId\":\"{number}\",\"orgId\":\"{org}\",\"at\":\"{now}\",{rest}}}");
        let envelope = command::decode(text.as_bytes()).expect("a sound command");
        partition.command(&engine, now, &envelope, &mut Outputs::default());
    };
    for (org, amount) in [("rich", "100000"), ("poor", "2.50")] {
        apply(org, "\"type\":\"openAccount\",\"currency\":\"USD\",\"ratePlan\":\"any\",\"country\":\"US\"");
        let lot = format!("\"type\":\"addFunds\",\"lotId\":\"L\",\"amount\":\"{amount}\",\"purchasedAt\":\"{now}\"");
        apply(org, &lot);
        for licence in ["MCOPSTN5", "MCOPSTNPP"] {
            let terms = format!("\"userId\":\"u1\",\"licence\":\"{licence}\",\"country\":\"US\"");
            apply(org, &format!("\"type\":\"assignLicence\",{terms}"));
        }
    }
    Accounts(partition)
}

fn decisions(criterion: &mut Criterion) {
    let now = Timestamp::parse("2026-03-01T12:00:00Z").expect("an instant");
    let (catalogue, rules) = (catalogue(), Rules { plans: licences::teams(), ..Rules::default() });
    let accounts = accounts(&catalogue, &rules, now);
    let terms = Terms { catalogue: &catalogue, rules: &rules };
    let authoriser = Authoriser::new(Settings::default());
    let mut group = criterion.benchmark_group("authorise");
    for (name, org, number) in
        [("money", "rich", "+442071838750"), ("searched", "poor", "+442071838750"), ("pool", "rich", "+12125550100")]
    {
        let request = AuthorisationRequest {
            org_id: org.into(),
            call_id: "9c4984c7-6c3c-427d-a30c-000000000001".into(),
            user_id: Some("u1".into()),
            callee_number: number.into(),
            ..AuthorisationRequest::default()
        };
        let first = authoriser.authorise(terms, &accounts, &request, now);
        assert!(first.allowed, "{first:?}");
        authoriser.release(org, &request.call_id, Released::Request);
        let mut at = now;
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                at = at.plus_seconds(1);
                black_box(authoriser.authorise(terms, &accounts, black_box(&request), at));
                authoriser.release(org, &request.call_id, Released::Request);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
