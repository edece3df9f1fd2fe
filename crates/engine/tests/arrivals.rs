//! A record or a command whose arrival lies ahead of the clock harms nobody but itself.

use std::sync::Arc;

use drawdown_engine::log::{Input, Output};
use drawdown_engine::sim::{Produced, Settings, SimCluster, SimLog};
use drawdown_engine::worker::{self, Profiles, Silent, Sources};
use drawdown_engine::{Engine, Limits, Worker};
use drawdown_ledger::Rules;
use drawdown_rating::{Catalogue, Deck, DeckText};
use drawdown_units::Timestamp;
use drawdown_wire::source::Profile;
use serde_json::{Value, json};

const NOW: &str = "2026-03-10T12:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("an instant")
}

fn catalogue() -> Catalogue {
    let manifest =
        "id = \"d\"\nversion = 1\ncurrency = \"USD\"\neffectiveFrom = 2026-01-01T00:00:00Z\nrows = \"d.csv\"\n";
    let rows = b"prefix,destination,price_per_minute\n44,Britain,1\n";
    let text = DeckText { manifest_name: "d.toml", manifest, rows_name: "d.csv", rows };
    Catalogue::new(vec![Deck::compile(text).expect("a sound deck").deck], Vec::new()).expect("a sound catalogue")
}

fn open(org: &str, arrival: &str) -> (Input, Value, Timestamp) {
    let command = json!({
        "type": "openAccount", "commandId": format!("open {org}"), "orgId": org, "at": arrival, "currency": "USD",
        "ratePlan": "any", "country": "US", "licensing": "none",
    });
    (Input::Commands, command, at(arrival))
}

fn call(id: &str, org: &str, start: &str, arrival: &str) -> (Input, Value, Timestamp) {
    let row = json!({
        "id": id, "orgId": org, "callType": "user_out", "calleeNumber": "+442071838750", "duration": 60,
        "startDateTime": start,
    });
    (Input::Cdrs, row, at(arrival))
}

/// What a worker makes of these, one batch after the other: the ids that were debited, and the reasons of rejects.
fn rate(batches: &[Vec<(Input, Value, Timestamp)>], ahead_max_s: Option<i64>) -> (Vec<String>, Vec<String>) {
    let cluster = SimCluster::new(1, Settings::default());
    cluster.set_now(at(NOW));
    let profile = Arc::new(Profile::named("native").expect("a profile of the program"));
    let settings = worker::Settings { ahead_max_s, ..worker::Settings::default() };
    let sources = Sources::new(profile, Profiles::default());
    let mut worker = Worker::new(SimLog::start(&cluster, 0), Silent, settings, sources);
    let (catalogue, rules) = (catalogue(), Rules::default());
    let engine = Engine { catalogue: &catalogue, rules: &rules, limits: Limits::default(), open_unknown: None };
    for batch in batches {
        for (input, value, arrival) in batch {
            let value = value.to_string();
            let produced = Produced { arrival: *arrival, key: None, value: value.as_bytes() };
            cluster.produce(*input, 0, &produced);
        }
        for _ in 0..200 {
            worker.step(&engine).expect("nothing goes wrong");
            cluster.advance(std::time::Duration::from_millis(60));
        }
    }
    let field = |output, name: &str| -> Vec<String> {
        let kept = cluster.output(output, 0).into_iter();
        let lines = kept.map(|kept| serde_json::from_slice::<Value>(&kept.value).expect("a line of JSON"));
        lines.map(|line| line[name].as_str().expect("a text").to_owned()).collect()
    };
    (field(Output::Debits, "id"), field(Output::Rejects, "reason"))
}

fn inputs() -> Vec<Vec<(Input, Value, Timestamp)>> {
    vec![
        vec![open("acme", "2026-03-10T11:00:00Z"), open("ahead", "2026-03-10T11:00:00Z")],
        // A clock that is a month ahead, and one that is within a day.
        vec![
            open("new", "2026-04-10T11:00:00Z"),
            call("month", "ahead", "2026-04-10T11:00:00Z", "2026-04-10T11:02:00Z"),
            call("hours", "ahead", "2026-03-11T09:00:00Z", "2026-03-11T09:02:00Z"),
        ],
        vec![call("fine", "acme", "2026-03-10T11:30:00Z", "2026-03-10T11:32:00Z")],
    ]
}

#[test]
fn what_arrives_ahead_of_the_clock_is_put_aside() {
    let (debited, rejected) = rate(&inputs(), Some(86_400));
    assert_eq!(debited, ["hours", "fine"]);
    assert_eq!(rejected, ["in-the-future", "in-the-future"]);
}

/// What it is there for: booked, one record makes whatever else comes too late.
#[test]
fn without_a_limit_one_clock_makes_everybody_late() {
    let (debited, rejected) = rate(&inputs(), None);
    assert_eq!((debited, rejected), (vec!["month".to_owned()], vec!["too-late".to_owned(), "too-late".to_owned()]));
}
